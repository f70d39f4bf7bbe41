"""The program as installed: its demonstration, its help and its version."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from tests.support.program import PATIENCE_S, environment, tarla


def test_the_demonstration_shows_answer_rows_and_check(tmp_path: Path) -> None:
    """Whatever the settings: a proxy that leads nowhere and the token of a real workspace change nothing."""
    proxy, real = "http://127.0.0.1:9", "xoxb-real-0042"
    done = tarla(tmp_path, "demo", HTTPS_PROXY=proxy, HTTP_PROXY=proxy, SLACK_BOT_TOKEN=real)
    assert (done.returncode, done.stderr) == (0, "")
    assert real not in done.stdout
    assert "> /tarla ldh 480/250 liver yes dm no cvd yes" in done.stdout
    shown = done.stdout.replace("\N{NO-BREAK SPACE}", " ")
    assert len(re.findall(r"[0-9]{1,2} % \([0-9]{1,2} to [0-9]{1,2}\)", shown)) == 3
    receipt = re.search(r"receipt #1-([0-9a-f]{4})", done.stdout)
    assert receipt
    assert f"leaf {receipt[1]}" in done.stdout
    assert re.search(r"seq 1 computed .*\n(.*\n)*.*seq 2 delivered ", done.stdout)
    assert "Check: 2 events, every hash recomputed and right" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_console_script_is_installed(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("tarla")
    done = subprocess.run(
        [script, "--version"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert version("tarla-bot") in done.stdout


def test_every_command_explains_itself(tmp_path: Path) -> None:
    top = tarla(tmp_path, "--help")
    assert top.returncode == 0
    commands = re.findall(r"^  ([a-z]+)  ", top.stdout.partition("Commands:")[2], re.MULTILINE)
    assert {"ask", "demo", "doctor", "serve"} <= set(commands)
    ask = tarla(tmp_path, "ask", "-h")
    assert ask.returncode == 0
    assert "Exit status 0 with an answer, 2 for refused input, 3 when the ledger" in ask.stdout
