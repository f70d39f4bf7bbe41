"""A disk that loses power: what may be left of recorded writes at any moment.

The rules, harsher than any file system in use:

- bytes of a file are sure once the file was synced after they were written, names once the folder was synced;
- of everything later, each sector of 512 bytes holds any of the versions it had since the last sync, whatever its
  neighbours hold: writes are lost, kept and reordered independently;
- a file that was being extended may have any length between; what was not written in it is noise;
- each name may stand for any of the files it has stood for since the folder was last synced, or for none.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.traced_writes import FOLDER, Create, Event, Remove, Said, Sync, Truncate, Write

SECTOR = 512


@dataclass(eq=False, slots=True)
class _File:
    """One file: its bytes now, what is sure of it, and for each sector touched since all its versions."""

    now: bytearray = field(default_factory=bytearray)
    sure: bytes = b""
    lengths: list[int] = field(default_factory=lambda: [0])
    versions: dict[int, list[bytes]] = field(default_factory=dict)

    def note(self, start: int, end: int) -> None:
        """Sectors from ``start`` to ``end`` (bytes) have another version now."""
        for sector in range(start // SECTOR, -(-end // SECTOR)):
            place = slice(sector * SECTOR, (sector + 1) * SECTOR)
            known = self.versions.setdefault(sector, [self.sure[place]] if self.sure[place] else [])
            known.append(bytes(self.now[place]))
        self.lengths.append(len(self.now))

    def sync(self) -> None:
        self.sure, self.lengths, self.versions = bytes(self.now), [len(self.now)], {}

    def after_loss(self, chance: random.Random) -> bytes:
        """The bytes that one loss of power leaves."""
        length = chance.choice(self.lengths)
        left = bytearray(self.sure[:length])
        left += chance.randbytes(length - len(left))
        for sector, versions in self.versions.items():
            start = sector * SECTOR
            version = chance.choice(versions) if start < len(self.sure) else chance.choice([b"", *versions])
            end = min(length, start + len(version))
            left[start:end] = version[: max(0, end - start)]
        return bytes(left)


class Disk:
    """One folder on the disk, brought forward event by event."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._names: dict[str, _File | None] = {
            name: _File(bytearray(data), data, [len(data)]) for name, data in files.items()
        }
        self._held: dict[str, list[_File | None]] = {name: [file] for name, file in self._names.items()}
        # A descriptor outlives its name: what a removed file still is written to.
        self._last: dict[str, _File] = {name: file for name, file in self._names.items() if file is not None}

    def apply(self, event: Event) -> None:
        """Take one event into account."""
        match event:
            case Create(name):
                if self._names.get(name) is None:
                    self._point(name, _File())
            case Remove(name):
                self._point(name, None)
            case Write(name, offset, data):
                file = self._last[name]
                if len(file.now) < offset:
                    file.now += bytes(offset - len(file.now))
                file.now[offset : offset + len(data)] = data
                file.note(offset, offset + len(data))
            case Truncate(name, size):
                file, before = self._last[name], len(self._last[name].now)
                del file.now[size:]
                file.now += bytes(size - len(file.now))
                file.note(min(size, before) // SECTOR * SECTOR, size)
            case Sync(name) if name == FOLDER:
                self._held = {name: [file] for name, file in self._names.items()}
            case Sync(name):
                self._last[name].sync()
            case Said():
                pass

    @property
    def unsure(self) -> bool:
        """Whether a loss of power now could change anything: the bytes of a file, or what a name stands for."""
        files = (file for held in self._held.values() for file in held if file is not None)
        return any(len(held) > 1 for held in self._held.values()) or any(file.versions for file in files)

    def after_loss(self, chance: random.Random) -> dict[str, bytes]:
        """The files that one loss of power leaves, by name."""
        chosen = {name: chance.choice(held) for name, held in self._held.items()}
        return {name: file.after_loss(chance) for name, file in chosen.items() if file is not None}

    def _point(self, name: str, file: _File | None) -> None:
        held = self._held.setdefault(name, [self._names.get(name)])
        held.append(file)
        self._names[name] = file
        if file is not None:
            self._last[name] = file
