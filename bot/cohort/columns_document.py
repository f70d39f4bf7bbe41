"""Fills the table of columns in docs/cohort.md from the reader's own list; ``python -m bot.cohort.columns_document``.

A test says when it is stale.
"""

from __future__ import annotations

import re
from pathlib import Path

from knowledge.cohort.file import COLUMNS, Column
from knowledge.cohort.file.cells import NO, NOT_KNOWN, YES

DOCUMENT = Path("docs") / "cohort.md"
_BLOCK = re.compile(r"(<!-- begin ([a-z-]+): [^\n]* -->\n).*?(<!-- end \2 -->)", flags=re.DOTALL)


def filled(text: str) -> str:
    """The document with what the code says between the marks, and everything else as it was."""
    blocks = {"columns": columns_table, "words": words}
    return _BLOCK.sub(lambda found: f"{found[1]}\n{blocks[found[2]]()}\n\n{found[3]}", text)


def columns_table() -> str:
    """Markdown, one line a column."""
    lines = ["| column | what it holds | accepted | example |", "|---|---|---|---|"]
    return "\n".join([*lines, *map(_line, COLUMNS)])


def words() -> str:
    """What is read as yes, no and not known."""
    unknown = ", ".join(f"`{word.upper() if word in ('na', 'n/a') else word}`" for word in NOT_KNOWN if word)
    yes, no = (", ".join(f"`{word}`" for word in each) for each in (YES, NO))
    return f"- Yes: {yes}.\n- No: {no}.\n- Not known: a blank cell, {unknown}."


def _line(column: Column) -> str:
    name = f"`{column.name}`{' (required)' if column.required else ''}"
    if column.aliases:
        name += f"; also {', '.join(f'`{alias}`' for alias in column.aliases)}"
    unit = f" [{column.unit}]" if column.unit else ""
    return f"| {name} | {column.meaning}{unit} | {column.kind.accepted} | `{column.example}` |"


if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
