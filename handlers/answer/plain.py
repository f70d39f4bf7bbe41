"""The answer in plain monospaced text: for a terminal, and for Slack clients without table blocks."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from handlers.answer.figures import NO_BREAK_SPACE, unbroken
from handlers.answer.view import AnswerView, Row

TERMINAL_WIDTH = 110
NARROWEST_WRAPPED = 24
_GAP = "   "


def aligned(rows: Sequence[Sequence[str]], width: int | None = None) -> list[str]:
    """Rows as aligned columns; with a ``width`` the last column is wrapped to fit it."""
    *fixed, last = zip(*rows, strict=True)
    widths = [max(len(cell) for cell in column) for column in fixed]
    if width is None:
        widths.append(max(len(cell) for cell in last))
        return [_join(row, widths) for row in rows]
    left = sum(widths) + len(_GAP) * len(widths)
    widths.append(max(NARROWEST_WRAPPED, width - left))
    lines = []
    for row in rows:
        first, *more = wrapped(row[-1], widths[-1]) or [""]
        lines.append(_join([*row[:-1], first], widths))
        lines += [" " * left + rest for rest in more]
    return lines


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Lines of at most ``width``, none ending within a figure; further lines begin with ``indent``."""
    lines = wrap(unbroken(text), width, subsequent_indent=indent)
    return [line.replace(NO_BREAK_SPACE, " ") for line in lines]


def compact_table(view: AnswerView) -> str:
    """Outcome, this patient and study as aligned columns: narrow enough for a phone held sideways."""
    return "\n".join(aligned([row_cells(row)[:3] for row in (view.head, *view.rows)]))


def answer_text(view: AnswerView, width: int = TERMINAL_WIDTH) -> str:
    """The whole answer for a terminal, no line longer than ``width``, which must hold the compact table."""
    lines = [*wrapped(view.title, width), *wrapped(view.patient, width), "", *_table(view, width)]
    for paragraph in view.paragraphs:
        lines += ["", *wrapped(f"{paragraph.heading}: {paragraph.text}", width)]
    return "\n".join([*lines, "", *(line for part in view.footer for line in wrapped(part, width))])


def _table(view: AnswerView, width: int) -> list[str]:
    """Every column where they fit side by side; else what was seen elsewhere stands below the table."""
    lines = aligned([row_cells(row) for row in (view.head, *view.rows)], width)
    if max(map(len, lines)) <= width:
        return lines
    lines = [*compact_table(view).splitlines(), "", f"{view.head.elsewhere}:"]
    for row in view.rows:
        lines += wrapped(f"{row.outcome}: {row.elsewhere}", width, indent="  ")
    return lines


def row_cells(row: Row) -> list[str]:
    """A row's cells in the order of the columns."""
    return [row.outcome, row.patient, row.study, row.elsewhere]


def _join(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
