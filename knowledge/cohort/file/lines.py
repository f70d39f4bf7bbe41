"""From bytes to lines of text, whatever spreadsheet wrote them, a piece at a time."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import BinaryIO

from knowledge.cohort.file.problems import Problem, UnreadableError

PIECE = 1 << 16
# Two hundred cells of a few hundred characters; a longer line is no row of patients.
LONGEST_LINE = 100_000
Progress = Callable[[int], None]

_SAVE_AS_CSV = "open it in the spreadsheet and save it as CSV (in Excel: Save As, CSV UTF-8, comma delimited)"
# How files begin that are something else.
_OTHERS = (
    (b"PK\x03\x04", f"this is a workbook (.xlsx or .ods) or a ZIP archive, not CSV: {_SAVE_AS_CSV}"),
    (b"\xd0\xcf\x11\xe0", f"this is an old Excel workbook (.xls), not CSV: {_SAVE_AS_CSV}"),
    (b"%PDF", "this is a PDF, not CSV"),
    (b"\x1f\x8b", "this is a compressed file (gzip): unpack it first"),
    (b"PAR1", "this is Parquet, which must come from a file, not a pipe"),
    (b"SQLite format 3", "this is a database, not CSV: tarla study from-ledger makes a cohort file of a ledger"),
)
_UTF_16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def text_lines(stream: BinaryIO, progress: Progress) -> Iterator[str]:
    """Lines without their ends. UTF-8, with or without a byte order mark, UTF-16, else Windows-1252 line by line.

    Raises:
        UnreadableError: it is another kind of file, or a line is too long.
    """
    for number, line in enumerate(_split(_pieces(stream, progress)), start=1):
        if len(line) > LONGEST_LINE:
            raise UnreadableError(
                Problem(None, None, f"line {number:,} is too long for a row of patients: is this CSV?")
            )
        if b"\x00" in line:
            raise UnreadableError(
                Problem(None, None, f"line {number:,} holds a NUL byte: this is not text, or damaged")
            )
        yield _decoded(line)


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


def _pieces(stream: BinaryIO, progress: Progress) -> Iterator[bytes]:
    """The content as UTF-8 or a superset of ASCII, without a byte order mark."""
    first = stream.read(PIECE)
    for beginning, told in _OTHERS:
        if first.startswith(beginning):
            raise UnreadableError(Problem(None, None, told))
    encoding = next((name for mark, name in _UTF_16 if first.startswith(mark)), None) or _utf_16_unmarked(first)
    decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
    piece = first.removeprefix(codecs.BOM_UTF8)
    while first:
        yield piece if decoder is None else decoder.decode(piece).encode().removeprefix(codecs.BOM_UTF8)
        progress(len(first))
        piece = first = stream.read(PIECE)


def _utf_16_unmarked(first: bytes) -> str | None:
    """UTF-16 without its mark: ASCII with a NUL on one side of each character."""
    begun = first[:32]
    if len(begun) >= 4 and begun[1::2].count(0) == len(begun[1::2]) and 0 not in begun[::2]:
        return "utf-16-le"
    if len(begun) >= 4 and begun[::2].count(0) == len(begun[::2]) and 0 not in begun[1::2]:
        return "utf-16-be"
    return None


def _split(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Lines, whichever of LF, CR LF and CR ends them; never holds more than a line's limit and a piece."""
    rest = b""
    for piece in pieces:
        # A CR that ends the piece may be half of an end.
        whole, rest = rest + piece, b""
        held = b""
        if whole.endswith(b"\r"):
            whole, held = whole[:-1], b"\r"
        *lines, rest = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        yield from lines
        rest += held
        if len(rest) > LONGEST_LINE + 1:
            break
    yield from rest.removesuffix(b"\r").split(b"\n") if rest else ()
