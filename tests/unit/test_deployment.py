"""Image, compose file and unit: no container engine runs here, so what they say is checked as it is written."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.address import read_address
from bot.operations import Operations
from bot.operations.server import serve_operations
from bot.settings import Settings
from knowledge.model import load as load_model
from tests.support.dockerfile import Instruction, read_dockerfile
from tests.support.requirements import require_systemd

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
BUILD, FINAL = read_dockerfile(DOCKERFILE)
UNIT = ROOT / "docs" / "systemd" / "tarla.service"
# Where the process writes, and nowhere else.
VOLUMES = ["/var/lib/tarla", "/var/lib/tarla-checkpoints", "/var/lib/tarla-key"]
PLACES = ("TARLA_LEDGER", "TARLA_CHECKPOINTS", "TARLA_SIGNING_KEY")
# systemd-analyze security in tenths: 0 is closed up entirely, 100 not at all.
MOST_EXPOSED = 15


def only(stage: list[Instruction], name: str) -> Instruction:
    """The one instruction of this name."""
    (found,) = (each for each in stage if each.name == name)
    return found


def variables(stage: list[Instruction]) -> dict[str, str]:
    """What ENV sets."""
    return {
        word.partition("=")[0]: word.partition("=")[2] for each in stage if each.name == "ENV" for word in each.words
    }


def test_two_stages_from_one_image_named_by_version() -> None:
    assert [only(stage, "FROM").words[0] for stage in (BUILD, FINAL)] == ["python:3.11-slim"] * 2
    assert only(BUILD, "FROM").words[1:] == ["AS", "build"]
    assert "sha256" in DOCKERFILE  # how to pin it


def test_the_locked_packages_are_installed_and_nothing_is_compiled() -> None:
    commands = [each.command for each in BUILD if each.name == "RUN"]
    (locked,) = (command for command in commands if "-r" in command)
    assert {"--require-hashes", "--only-binary"} <= set(locked)
    assert locked[locked.index("-r") + 1] == "locks/run.txt"
    assert any({"--no-index", "--no-deps"} <= set(command) for command in commands)
    assert not [each for each in (*BUILD, *FINAL) if "apt" in each.rest or "gcc" in each.rest]


def test_the_image_holds_the_environment_and_three_folders_of_its_users() -> None:
    assert not [each for each in FINAL if each.name in ("ADD", "SHELL", "ENTRYPOINT")]
    copied = only(FINAL, "COPY")
    assert (copied.flags, copied.words) == ({"from": "build"}, ["/opt/tarla", "/opt/tarla"])
    made = only(FINAL, "RUN").command
    assert made[:2] == ["install", "-d"]
    assert [word for word in made if word.startswith("/")] == VOLUMES
    assert [made[made.index(flag) + 1] for flag in ("-m", "-o", "-g")] == ["0700", *only(FINAL, "USER").rest.split(":")]
    names = [each.name for each in FINAL]
    assert names.index("RUN") < names.index("USER") < names.index("CMD")


def test_it_runs_as_nobody_in_particular_and_stops_when_told() -> None:
    assert re.fullmatch(r"[1-9][0-9]{3,}:[1-9][0-9]{3,}", only(FINAL, "USER").rest)
    assert only(FINAL, "STOPSIGNAL").rest == "SIGTERM"
    assert only(FINAL, "CMD").command == ["tarla", "serve", "--socket"]
    assert only(FINAL, "VOLUME").command == VOLUMES


def test_each_volume_has_one_thing_to_keep() -> None:
    set_here = variables(FINAL)
    kept = [set_here[name] for name in PLACES]
    assert all(Path(volume) in (Path(place), Path(place).parent) for volume, place in zip(VOLUMES, kept, strict=True))
    assert {name for name in set_here if name.startswith("TARLA_")} <= {name.upper() for name in Settings.model_fields}
    assert not [name for name in set_here if name.startswith("SLACK_")]


async def test_the_health_check_tells_alive_from_dead() -> None:
    """The image's own command, on another port."""
    check = only(FINAL, "HEALTHCHECK")
    address = read_address(variables(FINAL)["TARLA_OPERATIONS"])
    assert address.is_loopback
    words = Instruction("CMD", {}, check.rest.removeprefix("CMD ")).command
    assert words[:2] == ["python", "-c"]
    assert f"'127.0.0.1', {address.port}" in words[2]

    async def status_on(port: int) -> int:
        program = words[2].replace(str(address.port), str(port))
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stderr=asyncio.subprocess.DEVNULL)
        return await process.wait()

    async with serve_operations(Operations("0.1.0", load_model), read_address("127.0.0.1:0")) as url:
        port = int(url.rpartition(":")[2])
        assert await status_on(port) == 0
    assert await status_on(port) == 1


def test_what_is_copied_is_let_in_and_nothing_else() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {word for each in BUILD if each.name == "COPY" for word in each.words[:-1]}
    assert copied == let_in
    assert all((ROOT / name).exists() for name in let_in)
    kept_out = [rule for rule in rules[1:] if not rule.startswith("!")]
    for secret in ("bot/.env", "bot/ledger.db", "knowledge/__pycache__"):
        assert any(fnmatch(f"/{secret}", rule.replace("**/", "*/")) for rule in kept_out), secret


def compose() -> dict[str, Any]:
    """The compose file."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yml").read_text(encoding="utf-8"))
    return found


def test_the_container_can_write_to_its_volumes_alone() -> None:
    (service,) = compose()["services"].values()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == only(FINAL, "USER").rest
    (scratch,) = service["tmpfs"]
    assert scratch.startswith("/tmp:")  # noqa: S108 - the container's
    assert {"noexec", "nosuid", "nodev"} <= set(scratch.split(":")[1].split(","))
    mounted = dict(reversed(volume.split(":")) for volume in service["volumes"])
    assert list(mounted) == VOLUMES
    assert set(mounted.values()) == set(compose()["volumes"])
    assert len(set(mounted.values())) == 3


def test_the_container_opens_no_port_holds_no_secret_and_has_time_to_stop() -> None:
    (service,) = compose()["services"].values()
    assert "ports" not in service
    assert "environment" not in service
    assert service["env_file"] == ["tarla.env"]
    assert "tarla.env" in (ROOT / ".gitignore").read_text().split()
    assert service["stop_grace_period"] == "30s"
    assert service["init"] is True
    assert service["restart"] == "unless-stopped"


def unit_values(name: str) -> list[str]:
    """What the unit sets under this name, in order."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_unit_is_watched_restarted_and_given_time() -> None:
    assert unit_values("Type") == ["notify"]
    assert unit_values("Restart") == ["always"]
    assert unit_values("WatchdogSec") == ["30"]
    assert unit_values("TimeoutStopSec") == ["30"]
    folders = [f"/var/lib/{name}" for name in unit_values("StateDirectory")[0].split()]
    assert folders == VOLUMES
    told = dict(value.split("=", 1) for value in unit_values("Environment"))
    image = variables(FINAL)
    assert {name: told[name] for name in PLACES} == {name: image[name] for name in PLACES}
    assert not [name for name in told if name.startswith("SLACK_")]


def installed(folder: Path) -> Path:
    """The unit with a program that is there."""
    text = UNIT.read_text(encoding="utf-8")
    program = Path(sys.executable).parent / "tarla"
    assert "ExecStart=/opt/tarla/bin/tarla serve" in text
    path = folder / "tarla.service"
    path.write_text(text.replace("/opt/tarla/bin/tarla", str(program)), encoding="utf-8")
    return path


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze."""
    command = [require_systemd(), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    done = analyze("verify", "--man=no", installed(tmp_path))
    # Other units of the machine may be at fault.
    assert "tarla.service" not in done.stderr
    assert done.returncode == 0, done.stderr


def test_systemd_would_find_one(tmp_path: Path) -> None:
    path = installed(tmp_path)
    path.write_text(path.read_text().replace("Type=notify", "Type=notified"), encoding="utf-8")
    assert "tarla.service" in analyze("verify", "--man=no", path).stderr


def test_the_unit_is_closed_up(tmp_path: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", installed(tmp_path))
    assert done.returncode == 0, done.stdout[-300:]


@pytest.mark.parametrize("setting", ["", "required"])
def test_without_systemd_the_check_skips_unless_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TARLA_E2E", setting)
    with pytest.raises(pytest.fail.Exception if setting else pytest.skip.Exception, match="systemd-analyze"):
        require_systemd()
