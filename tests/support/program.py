"""The installed program as a process of its own, in an environment that holds nothing of the tester's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bot.standin import without_proxies

OWN_PREFIXES = ("TARLA_", "SLACK_", "XDG_CONFIG_", "XDG_DATA_", "XDG_STATE_")
PATIENCE_S = 30.0


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """An environment whose ledger and home lie in ``folder``."""
    kept = {name: value for name, value in without_proxies(os.environ).items() if not name.startswith(OWN_PREFIXES)}
    own = {"HOME": str(folder), "TARLA_LEDGER": str(folder / "ledger.db"), "COLUMNS": "100", "PYTHONUTF8": "1"}
    # As at a terminal: tests look for sentences. Those about the JSON form ask for it.
    return kept | own | {"TARLA_LOG": "text"} | variables


def command(*words: str) -> list[str]:
    """The command line of ``tarla words``."""
    return [sys.executable, "-m", "bot", *words]


def tarla(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``tarla words`` in ``folder`` to its end."""
    return subprocess.run(
        command(*words),
        cwd=folder,
        env=environment(folder, **variables),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )
