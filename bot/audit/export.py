"""Handing the ledger on: every row checked while it passes, in memory that does not grow with the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TextIO

from bot.audit.days import Days
from bot.audit.walk import walk
from bot.ledger.read import RawEvent


class Format(StrEnum):
    """What an export may be written as."""

    CSV = "csv"
    JSONL = "jsonl"
    FHIR = "fhir"


class RowWriter(Protocol):
    """One format: what stands before all rows, and a row as text with its line break."""

    def header(self) -> str: ...

    def line(self, row: RawEvent, problem: str | None) -> str: ...


class ExportStoppedError(Exception):
    """A row is not as it was recorded, and nobody asked to go on."""

    def __init__(self, seq: int, problem: str) -> None:
        super().__init__(f"event {seq}: {problem}")
        self.seq, self.problem = seq, problem


@dataclass(frozen=True, slots=True)
class Exported:
    """How many rows were read and written, and which were marked: number and fault."""

    read: int
    written: int
    marked: tuple[tuple[int, str], ...]


# Numbers of marked rows that are kept to be told; the rows themselves bear their marks.
MARKED_TOLD = 1_000


def export(
    path: Path,
    target: TextIO,
    writer: RowWriter,
    *,
    days: Days,
    kinds: frozenset[str],
    all_the_same: bool,
    follow: Callable[[int], None] = lambda _seq: None,
) -> Exported:
    """Write the events of these days and kinds (all kinds where none is named).

    Every row is checked, whether it is written or not. ``follow`` is given each row's number.

    Raises:
        ExportStoppedError: a row is altered, unless ``all_the_same``: then it is written with a mark.
        LedgerUnavailableError: the ledger cannot be read.
        OSError: the target cannot be written.
    """
    read = written = 0
    marked: list[tuple[int, str]] = []
    target.write(writer.header())
    for seen in walk(path):
        row, problem = seen.row, seen.problem
        read += 1
        if problem is not None:
            if not all_the_same:
                raise ExportStoppedError(row.seq, problem)
            if len(marked) < MARKED_TOLD:
                marked.append((row.seq, problem))
        # A row whose time or kind cannot be trusted is in every selection.
        if problem is not None or (days.covers(row.time.decode()) and (not kinds or row.kind.decode() in kinds)):
            target.write(writer.line(row, problem))
            written += 1
        follow(row.seq)
    return Exported(read, written, tuple(marked))


def writer_of(form: Format) -> RowWriter:
    """The writer of a format."""
    # Each loads only what it needs.
    if form is Format.CSV:
        from bot.audit.export_csv import CsvWriter

        return CsvWriter()
    if form is Format.JSONL:
        from bot.audit.export_jsonl import JsonLinesWriter

        return JsonLinesWriter()
    from bot.audit.export_fhir import FhirWriter

    return FhirWriter()


def readable(value: object) -> str:
    """A column that should be text, whatever it holds."""
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


def hexed(value: object) -> str:
    """A column that should be bytes, in hexadecimal."""
    return value.hex() if isinstance(value, bytes) else str(value)
