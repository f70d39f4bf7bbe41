"""The answer as Block Kit, in two renderings of the same view."""

from __future__ import annotations

from enum import StrEnum

from handlers.answer.figures import unbroken
from handlers.answer.plain import compact_table, row_cells
from handlers.answer.view import AnswerView
from handlers.blockkit import Block, code_section, context, escape, section, table


class TableMode(StrEnum):
    """How figures are set: a Slack table, or monospaced text for clients that draw no tables."""

    BLOCK = "block"
    TEXT = "text"


def answer_blocks(view: AnswerView, mode: TableMode, buttons: Block | None = None) -> list[Block]:
    """Blocks of the whole answer: figures first, then reasons, then ``buttons`` if there are any, then small print."""
    blocks = [section(f"*{_prose(view.title)}*\n{_prose(view.patient)}")]
    if mode is TableMode.BLOCK:
        blocks.append(table([[unbroken(cell) for cell in row_cells(row)] for row in (view.head, *view.rows)]))
    else:
        blocks.append(code_section(compact_table(view)))
        beside = [f"• {row.outcome}: {row.elsewhere}" for row in view.rows]
        blocks.append(section(_prose("\n".join(["*Elsewhere*", *beside]))))
    # A section each: Slack sets them apart, and folds a long one behind "See more".
    blocks += [section(f"*{_prose(each.heading)}*  {_prose(each.text)}") for each in view.paragraphs]
    if buttons is not None:
        blocks.append(buttons)
    # One element: Slack sets several side by side.
    blocks.append(context("\n".join(_prose(line) for line in view.footer)))
    return blocks


def _prose(text: str) -> str:
    return unbroken(escape(text))
