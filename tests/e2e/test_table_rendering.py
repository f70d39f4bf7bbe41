"""The real bot's messages with a table block, drawn as Slack draws them or nearly so."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from handlers.answer import TableMode
from handlers.answer.plain import row_cells
from tests.support import answers
from tests.support.browser import render_blocks, screenshot_html
from tests.support.running_bot import bot_over_socket

pytestmark = pytest.mark.e2e


class Page(HTMLParser):
    """Tables as rows of cells, and all text in reading order, spaces all alike."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._words: list[str] = []
        self._hidden = False
        self._in_cell = False
        self.feed(html)
        self.close()
        self.text = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self._in_cell = True
        self._hidden = tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._in_cell = False
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        data = data.replace("\N{NO-BREAK SPACE}", " ")
        self._words.append(data)
        if self._in_cell:
            self.tables[-1][-1][-1] += data


async def test_the_answer_s_table_and_the_messages_without_one(tmp_path: Path) -> None:
    async with bot_over_socket(tmp_path, table=TableMode.BLOCK) as bot:
        answer = await bot.ask(answers.WORDS)
        (computed, _delivered) = await bot.events(2)
        refusal = await bot.ask(answers.REFUSED_WORDS)
        help_message = await bot.ask("help")
    for message in (answer, refusal, help_message):
        answers.assert_ephemeral(message, bot.slack.caller.user_id)

    view = answers.expected_view(f"{computed.seq}-{computed.leaf.hex()[:4]}")
    html = await render_blocks(answer["blocks"])
    await screenshot_html(html, "table-answer", width=720)
    page = Page(html)
    (table,) = page.tables
    assert [[cell.strip() for cell in row] for row in table] == [row_cells(row) for row in (view.head, *view.rows)]
    assert [row[1] for row in table[1:4]] == answers.expected_estimates()
    for paragraph in view.paragraphs:
        assert f"{paragraph.heading} {paragraph.text}" in page.text
    assert view.footer[-1] in page.text

    html = await render_blocks(refusal["blocks"])
    await screenshot_html(html, "table-refusal", width=720)
    page = Page(html)
    assert page.tables == []
    assert "No risk shown. Word 3:" in page.text

    html = await render_blocks(help_message["blocks"])
    await screenshot_html(html, "table-help", width=720)
    page = Page(html)
    assert page.tables == []
    assert page.text.index("How to ask") < page.text.index("/tarla ldh 480/250 liver yes dm no cvd yes")
