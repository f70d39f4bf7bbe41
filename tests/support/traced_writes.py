"""What a process did to the files of one folder, from strace: writes with their bytes, syncs, names made and removed.

A write, a truncation or a removed name counts from the moment the call began, a sync from the moment it returned:
whatever the kernel did in between, no sync is credited with more than it had to cover.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.requirements import ROOT

CALLS = "openat,pwrite64,write,ftruncate,fsync,fdatasync,unlink"
# Any of these would change a file unseen; none may occur in the folder.
UNSEEN = (
    "pwritev,pwritev2,writev,fallocate,rename,renameat,renameat2,unlinkat,truncate,link,linkat,copy_file_range,mmap"
)
LONGEST_WRITE = 1 << 20
# Name of the folder itself, as that of a sync.
FOLDER = ""


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes put at an offset of a file."""

    name: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    """A file cut or extended to ``size``."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Create:
    """A name opened with O_CREAT; nothing happens where it exists."""

    name: str


@dataclass(frozen=True, slots=True)
class Remove:
    """A name removed."""

    name: str


@dataclass(frozen=True, slots=True)
class Sync:
    """A file made durable; with name ``FOLDER`` the folder, that is its names."""

    name: str


@dataclass(frozen=True, slots=True)
class Said:
    """Bytes written to standard output."""

    data: bytes


Event = Write | Truncate | Create | Remove | Sync | Said

_LINE = re.compile(r"(\d+) +(.*)", re.DOTALL)
_CALL = re.compile(r"(\w+)\((.*)", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
_UNFINISHED = " <unfinished ...>"
_DESCRIPTOR = re.compile(r"(-?\d+)<((?:\\x[0-9a-f]{2})*)>")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')


def record(folder: Path, arguments: Sequence[str]) -> list[Event]:
    """Run ``python arguments`` and give what it did in ``folder``, and what it said, in order.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    trace = folder.parent / f"{folder.name}.trace"
    options = ["-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", str(LONGEST_WRITE), "-e", "signal=none"]
    command = ["strace", *options, "-e", f"trace={CALLS},{UNSEEN}", "-o", str(trace), sys.executable, *arguments]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return list(_events(trace.read_text(), folder))


def _events(trace: str, folder: Path) -> Iterator[Event]:
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        matched = _LINE.fullmatch(line)
        assert matched, line[:200]
        thread, text = matched.groups()
        if text.startswith("+++"):
            continue
        resumed = _RESUMED.fullmatch(text)
        if resumed:
            start = begun.pop(thread)
            yield from _finished(start + resumed[2], folder)
        elif text.endswith(_UNFINISHED):
            begun[thread] = text.removesuffix(_UNFINISHED)
            yield from _started(begun[thread], folder)
        else:
            yield from _started(text, folder)
            yield from _finished(text, folder)


def _started(text: str, folder: Path) -> Iterator[Event]:
    """What counts from the beginning of a call."""
    called = _CALL.match(text)
    assert called, text[:200]
    call, rest = called.groups()
    if call in ("pwrite64", "write"):
        descriptor, path = _descriptor(rest)
        if call == "write" and descriptor == "1":
            yield Said(_string(rest))
        elif (name := _inside(path, folder)) is not None:
            assert call == "pwrite64", "SQLite writes at offsets"
            yield Write(name, int(re.findall(r", (\d+)", _after_string(rest))[1]), _string(rest))
    elif call == "ftruncate":
        name = _inside(_descriptor(rest)[1], folder)
        if name is not None:
            yield Truncate(name, int(rest.split(", ")[1].split(")")[0]))
    elif call == "unlink":
        if (name := _inside(_string(rest).decode(), folder)) is not None:
            yield Remove(name)
    elif call == "openat":
        name = _inside(_string(rest).decode(), folder)
        if name is not None and "O_CREAT" in rest:
            assert "O_TRUNC" not in rest
            yield Create(name)
    elif call in UNSEEN.split(","):
        hidden = folder.name.encode().hex()
        assert hidden not in rest.replace(r"\x", ""), f"{call} in the ledger's folder"


def _finished(text: str, folder: Path) -> Iterator[Event]:
    """What counts only once the call has returned."""
    called = _CALL.match(text)
    assert called, text[:200]
    call, rest = called.groups()
    name = _inside(_descriptor(rest)[1], folder) if call in ("fsync", "fdatasync") else None
    if name is not None:
        assert rest.rstrip().endswith("= 0"), text[:200]
        yield Sync(name)


def _descriptor(rest: str) -> tuple[str, str]:
    matched = _DESCRIPTOR.match(rest)
    return ("", "") if matched is None else (matched[1], _bytes(matched[2]).decode())


def _string(rest: str) -> bytes:
    matched = _STRING.search(rest)
    assert matched is not None, rest[:200]
    assert matched[2] is None, "longer than strace was asked to show"
    return _bytes(matched[1])


def _after_string(rest: str) -> str:
    return rest[rest.rindex('"') :]


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace(r"\x", ""))


def _inside(path: str, folder: Path) -> str | None:
    """The name in the folder, ``FOLDER`` for itself, None elsewhere."""
    if path == str(folder):
        return FOLDER
    return path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else None
