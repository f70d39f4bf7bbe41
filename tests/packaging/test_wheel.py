"""The wheel is whole: installed alone, outside the repository, it answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path, environment: dict[str, str] | None = None) -> str:
    """Run a command to its end and return what it printed; fail with its own words if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_wheel_answers_in_a_fresh_environment(tmp_path: Path) -> None:
    """Built from this tree, installed from the lock into an empty environment, asked from another folder."""
    wheels, environment, elsewhere = tmp_path / "wheels", tmp_path / "environment", tmp_path / "elsewhere"
    elsewhere.mkdir()
    build = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index")
    run(sys.executable, *build, "--wheel-dir", wheels, REPOSITORY, cwd=tmp_path)
    (wheel,) = wheels.glob("tarla_bot-*.whl")

    run(sys.executable, "-m", "venv", environment, cwd=tmp_path)
    install = (environment / "bin" / "python", "-m", "pip", "install", "--quiet")
    run(*install, "--require-hashes", "-r", REPOSITORY / "locks" / "run.txt", cwd=elsewhere)
    run(*install, "--no-deps", "--no-index", wheel, cwd=elsewhere)

    ledger = elsewhere / "ledger.db"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "TARLA_", "PYTHON"))}
    answer = json.loads(
        run(
            environment / "bin" / "tarla",
            *("ask", "--json", "ldh 480/250 liver yes dm no cvd yes"),
            cwd=elsewhere,
            environment=kept | {"TARLA_LEDGER": str(ledger)},
        )
    )
    assert {each["outcome"] for each in answer["outcomes"]} == {"crs_any", "crs_grade2plus", "icans_any"}
    where = run(environment / "bin" / "python", "-c", "import knowledge; print(knowledge.__file__)", cwd=elsewhere)
    assert Path(where.strip()).is_relative_to(environment)
    assert ledger.exists()
