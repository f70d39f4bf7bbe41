"""Which addresses a process listens on, read from ``/proc`` (Linux)."""

from __future__ import annotations

import ipaddress
import struct
from pathlib import Path
from typing import NamedTuple

_LISTEN = "0A"
LOOPBACK = "127.0.0.1"


class Listener(NamedTuple):
    """A TCP socket in the state LISTEN."""

    host: str
    port: int


def listeners_of(pid: int) -> set[Listener]:
    """Every TCP address that process ``pid`` listens on, IPv4 and IPv6.

    Raises:
        FileNotFoundError: there is no such process.
        PermissionError: it belongs to someone else.
    """
    process = Path("/proc") / str(pid)
    inodes = _socket_inodes(process / "fd")
    found: set[Listener] = set()
    for table in ("tcp", "tcp6"):
        path = process / "net" / table
        if path.exists():
            found |= _listening(path.read_text(), inodes)
    return found


def _socket_inodes(folder: Path) -> set[str]:
    inodes = set()
    for descriptor in folder.iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:  # closed since the folder was listed
            continue
        if target.startswith("socket:["):
            inodes.add(target.removeprefix("socket:[").removesuffix("]"))
    return inodes


def _listening(table: str, inodes: set[str]) -> set[Listener]:
    found = set()
    for line in table.splitlines()[1:]:
        columns = line.split()
        local, state, inode = columns[1], columns[3], columns[9]
        if state == _LISTEN and inode in inodes:
            address, port = local.split(":")
            found.add(Listener(_host(address), int(port, 16)))
    return found


def _host(hexadecimal: str) -> str:
    """The kernel prints an address as 32-bit words in the machine's own byte order."""
    words = [int(hexadecimal[start : start + 8], 16) for start in range(0, len(hexadecimal), 8)]
    return str(ipaddress.ip_address(struct.pack(f"={len(words)}I", *words)))
