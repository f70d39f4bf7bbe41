"""The README's answer; ``python -m tests.support.readme_freeze`` writes it anew from what ``tarla demo`` prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def _write() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "TARLA_"))}
    done = subprocess.run(
        [sys.executable, "-m", "bot", "demo"],
        capture_output=True,
        text=True,
        check=True,
        cwd=README.parent,
        env=environment,
    )
    text, blocks = re.subn(
        r"^(```text\n)> /tarla.*?^(```)",
        lambda block: block[1] + done.stdout.rstrip() + "\n" + block[2],
        README.read_text(encoding="utf-8"),
        flags=re.MULTILINE | re.DOTALL,
    )
    if blocks != 1:
        raise ValueError(f"README.md has {blocks} answers, not one")
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _write()
