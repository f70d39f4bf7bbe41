"""Zeros over what the database's pages still hold of deleted payloads.

SQLite with ``secure_delete`` overwrites a deleted row and a freed page. When it then joins half-empty pages it moves
rows, and between a page's list of rows and the rows themselves bytes of earlier ones may stay, where no statement
reaches them. Those gaps alone are overwritten here, straight in the file, while the file is locked against everyone
else; nothing that SQLite reads is touched, so a cut at any point does no harm.

The pages are those of https://www.sqlite.org/fileformat2.html, sections 1.3 and 1.6.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.ledger import LedgerFault
from bot.ledger.connection import open_for_writing

INTERIOR, LEAF = 0x05, 0x0D
# Pages looked at under one lock: some milliseconds.
PAGES_AT_ONCE = 200
# Joining takes in one neighbour on each side, so beyond the last deleted row few pages can be touched.
LEAVES_BEYOND = 4


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of a table: ``gap`` is where in the file nothing is kept, ``children`` (page, highest key) of an
    interior one with None for the last, ``keys`` the first and last key of a leaf (None of an empty one)."""

    gap: tuple[int, int]
    children: tuple[tuple[int, int | None], ...] = ()
    keys: tuple[int, int] | None = None
    is_leaf: bool = False


class _File:
    """The database's pages as they stand in the file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        head = os.pread(descriptor, 100, 0)
        self._size = int.from_bytes(head[16:18], "big")
        self._size = 65_536 if self._size == 1 else self._size

    def page(self, number: int) -> _Page:
        """One page of a table, other than the file's first.

        Raises:
            LedgerFault: it is no such page.
        """
        start = (number - 1) * self._size
        data = os.pread(self._descriptor, self._size, start)
        if number < 2 or len(data) != self._size or data[0] not in (INTERIOR, LEAF):
            raise LedgerFault("damaged", "a page of the ledger is not what its table says")
        is_leaf = data[0] == LEAF
        count, content = int.from_bytes(data[3:5], "big"), int.from_bytes(data[5:7], "big") or 65_536
        begin = 8 if is_leaf else 12
        pointers = [int.from_bytes(data[at : at + 2], "big") for at in range(begin, begin + 2 * count, 2)]
        end = begin + 2 * count
        if not end <= content <= self._size or any(not content <= each < self._size - 3 for each in pointers):
            raise LedgerFault("damaged", "a page of the ledger is not laid out as it should be")
        gap = (start + end, start + content)
        if is_leaf:
            keys = [_varint(data, _varint(data, at)[1])[0] for at in (*pointers[:1], *pointers[-1:])]
            return _Page(gap, keys=(keys[0], keys[1]) if keys else None, is_leaf=True)
        cells = [(int.from_bytes(data[at : at + 4], "big"), _varint(data, at + 4)[0]) for at in pointers]
        return _Page(gap, children=(*cells, (int.from_bytes(data[8:12], "big"), None)))

    def wipe(self, gap: tuple[int, int]) -> int:
        """Zeros into a gap; how many of its bytes were none."""
        first, last = gap
        held = os.pread(self._descriptor, last - first, first)
        left = len(held) - held.count(0)
        if left:
            os.pwrite(self._descriptor, bytes(len(held)), first)
        return left

    def walk(self, number: int, above: int) -> Iterator[_Page]:
        """Pages of the table from its root ``number`` that may hold keys above ``above``, leaves in order of keys."""
        page = self.page(number)
        yield page
        for child, highest in page.children:
            if highest is None or highest > above:
                yield from self.walk(child, above)


def wipe_gaps(path: Path, last: int) -> int:
    """Overwrite the gaps of all pages that may have held payloads up to the event ``last``; how many bytes it was.

    Raises:
        sqlite3.Error: the file is locked by others, or cannot be written.
        LedgerFault: it is not laid out as a database.
    """
    wiped, above = 0, 0
    while True:
        more, reached = _wipe_some(path, above, last)
        wiped += more
        if reached is None:
            return wiped
        above = reached
        time.sleep(0.01)


def _wipe_some(path: Path, above: int, last: int) -> tuple[int, int | None]:
    """Wipe some pages under one lock; also the last key reached, None at the end."""
    connection, _ = open_for_writing(path, may_create=False, deadline=time.monotonic() + 1.0)
    with contextlib.closing(connection), contextlib.ExitStack() as after:
        connection.execute("BEGIN EXCLUSIVE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        # The same value once more: it counts as a change, so that nobody goes on using pages read before.
        connection.execute(f"PRAGMA user_version = {version}")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'payload'").fetchone()
        descriptor = os.open(path, os.O_RDWR)
        # Closing it lets go of every lock that this process has on the file: only after the commit.
        after.callback(os.close, descriptor)
        after.callback(_end, connection)
        wiped, reached = _wipe_pages(_File(descriptor), root, above, last)
        os.fsync(descriptor)
        connection.execute("COMMIT")
    return wiped, reached


def _end(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _wipe_pages(file: _File, root: int, above: int, last: int) -> tuple[int, int | None]:
    wiped, beyond = 0, 0
    for count, page in enumerate(file.walk(root, above), 1):
        wiped += file.wipe(page.gap)
        if page.keys is not None:
            beyond += page.keys[0] > last
            if beyond > LEAVES_BEYOND:
                return wiped, None
            if count >= PAGES_AT_ONCE:
                return wiped, page.keys[1]
    return wiped, None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length integer and where it ends."""
    value = 0
    for index in range(8):
        byte = data[at + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    return value << 8 | data[at + 8], at + 9
