"""The answer in plain monospaced text: for a terminal, and for Slack clients without table blocks."""

from __future__ import annotations

from textwrap import wrap

from handlers.answer.view import AnswerView, Row

TERMINAL_WIDTH = 110
_GAP = "   "


def compact_table(view: AnswerView) -> str:
    """Outcome, this patient and study as aligned columns: narrow enough for a phone held sideways."""
    rows = (view.head, *view.rows)
    widths = [max(len(cell) for cell in column) for column in zip(*(_cells(row)[:3] for row in rows), strict=True)]
    lines = [_GAP.join(cell.ljust(width) for cell, width in zip(_cells(row), widths, strict=False)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def answer_text(view: AnswerView, width: int = TERMINAL_WIDTH) -> str:
    """The whole answer for a terminal, no line longer than ``width``."""
    rows = (view.head, *view.rows)
    widths = [max(len(cell) for cell in column) for column in zip(*(_cells(row)[:3] for row in rows), strict=True)]
    used = sum(widths) + 3 * len(_GAP)
    lines = [view.title, view.patient, ""]
    for row in rows:
        beside = wrap(row.elsewhere, max(24, width - used)) or [""]
        first = [cell.ljust(cell_width) for cell, cell_width in zip(_cells(row)[:3], widths, strict=True)]
        lines.append(_GAP.join([*first, beside[0]]).rstrip())
        lines += [" " * used + more for more in beside[1:]]
    for paragraph in view.paragraphs:
        lines += ["", *wrap(f"{paragraph.heading}: {paragraph.text}", width)]
    return "\n".join([*lines, "", *(line for part in view.footer for line in wrap(part, width))])


def _cells(row: Row) -> tuple[str, str, str, str]:
    return row.outcome, row.patient, row.study, row.elsewhere
