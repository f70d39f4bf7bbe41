"""Reading a Dockerfile: its instructions, and what the image is told."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

_HEREDOC = re.compile(r"<<-?\s*\w")


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name in capitals, its flags without dashes, and the rest."""

    name: str
    flags: dict[str, str]
    rest: str

    @property
    def command(self) -> list[str]:
        """The arguments in exec form.

        Raises:
            ValueError: it is in shell form.
        """
        found: Any = json.loads(self.rest)
        if not (isinstance(found, list) and all(isinstance(word, str) for word in found)):
            raise ValueError("not in exec form")
        return found

    @property
    def words(self) -> list[str]:
        """The arguments as words."""
        return shlex.split(self.rest)


def read_dockerfile(text: str) -> list[list[Instruction]]:
    """Stages in order, each beginning with its FROM.

    Raises:
        ValueError: something here is not understood.
    """
    if _HEREDOC.search(text):
        raise ValueError("here documents are not read here")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    stages: list[list[Instruction]] = []
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        name, _, rest = line.strip().partition(" ")
        flags = {}
        while flag := re.match(r"--([a-z-]+)=(\S+)\s+", rest := rest.lstrip()):
            flags[flag[1]] = flag[2]
            rest = rest[flag.end() :]
        if name == "FROM":
            stages.append([])
        stages[-1].append(Instruction(name, flags, rest))
    return stages
