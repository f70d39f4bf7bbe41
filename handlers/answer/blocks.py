"""The answer as Block Kit, in two renderings of the same view."""

from __future__ import annotations

from enum import StrEnum

from handlers.answer.plain import compact_table, row_cells
from handlers.answer.view import AnswerView
from handlers.blockkit import Block, code_section, context, escape, section, table


class TableMode(StrEnum):
    """How figures are set: a Slack table, or monospaced text for clients that draw no tables."""

    BLOCK = "block"
    TEXT = "text"


def answer_blocks(view: AnswerView, mode: TableMode) -> list[Block]:
    """Blocks of the whole answer: figures first, then reasons, then small print."""
    blocks = [section(f"*{escape(view.title)}*\n{escape(view.patient)}")]
    if mode is TableMode.BLOCK:
        blocks.append(table([row_cells(row) for row in (view.head, *view.rows)]))
    else:
        blocks.append(code_section(compact_table(view)))
        beside = [f"• {row.outcome}: {row.elsewhere}" for row in view.rows]
        blocks.append(section(escape("\n".join(["*Elsewhere*", *beside]))))
    reasons = [f"*{escape(paragraph.heading)}*  {escape(paragraph.text)}" for paragraph in view.paragraphs]
    blocks.append(section("\n".join(reasons)))
    blocks.append(context(*(escape(line) for line in view.footer)))
    return blocks
