"""What a person sees who types the command into Slack's web client. The pictures are for a look."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Locator

from handlers.answer.plain import compact_table
from tests.support import answers
from tests.support.browser import slack_client
from tests.support.running_bot import bot_over_socket

pytestmark = pytest.mark.e2e

# Where the character at an offset begins on the screen in each line of the preformatted text, in CSS pixels.
WHERE = """(code, offset) => {
  const lines = [[]];
  const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.nodeName === "BR") lines.push([]);
    for (let at = 0; at < (node.data ?? "").length; at++) {
      if (node.data[at] === "\\n") lines.push([]);
      else lines.at(-1).push([node, at]);
    }
  }
  return lines.map(line => {
    const [node, at] = line[offset];
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + 1);
    return range.getBoundingClientRect().left;
  });
}"""


async def test_a_person_types_the_command_and_reads_the_answer(tmp_path: Path) -> None:
    async with bot_over_socket(tmp_path) as bot, slack_client(bot.slack.base_url) as client:
        await client.open_channel(bot.slack.caller.channel_name)
        await client.type_and_send(f"/tarla {answers.WORDS}")
        answer = await client.ephemeral_answer("Tarlatamab, before cycle 1 day 1")
        await client.screenshot("browser-answer")
        (computed, _delivered) = await bot.events(2)
        view = answers.expected_view(f"{computed.seq}-{computed.leaf.hex()[:4]}")
        code = answer.locator("code")
        assert await code.inner_text() == compact_table(view)
        await assert_columns_line_up(code)
        await assert_nothing_is_cut(answer)
        shown = (await answer.inner_text()).replace("\N{NO-BREAK SPACE}", " ")
        assert "only visible to you" in shown
        # Figures first, then where else, then the reasons, and the small print last.
        parts = [view.title, view.patient, *answers.expected_estimates(), "Elsewhere", view.rows[0].elsewhere]
        parts += [paragraph.heading for paragraph in view.paragraphs] + list(view.footer)
        places = [shown.index(part) for part in parts]
        assert places == sorted(places)

        await client.type_and_send(f"/tarla {answers.REFUSED_WORDS}")
        await client.ephemeral_answer("No risk shown.")
        await client.type_and_send("/tarla help")
        await client.ephemeral_answer("How to ask")
        await client.screenshot("browser-refusal-and-help")
    assert client.problems == []


async def test_a_person_sees_no_figure_while_the_ledger_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    async with (
        bot_over_socket(tmp_path, ledger=tmp_path / "file" / "ledger.db") as bot,
        slack_client(bot.slack.base_url) as client,
    ):
        await client.open_channel(bot.slack.caller.channel_name)
        await client.type_and_send(f"/tarla {answers.WORDS}")
        reply = await client.ephemeral_answer("the audit ledger cannot be written")
        await client.screenshot("browser-no-ledger")
        assert "cannot_open" in await reply.inner_text()
        # What is shown, and what the page holds unseen.
        answers.assert_no_estimate(await client.page.locator("body").inner_text())
        answers.assert_no_estimate(await client.page.locator("body").text_content() or "")
    assert client.problems == []


async def assert_columns_line_up(code: Locator) -> None:
    """Each column begins at the same place of the screen in every line."""
    lines = (await code.inner_text()).split("\n")
    starts = [lines[0].index("this patient"), lines[0].index("study")]
    for offset in starts:
        assert all(line[offset - 1] == " " != line[offset] for line in lines)
        places = await code.evaluate(WHERE, offset)
        assert len(places) == len(lines)
        assert max(places) - min(places) < 0.5, places


async def assert_nothing_is_cut(answer: Locator) -> None:
    """No part of the message is wider than its place or runs out of the window."""
    cut = await answer.evaluate(
        """message => [...message.querySelectorAll("*")]
             .filter(part => part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).display !== "inline"
                             || part.getBoundingClientRect().right > window.innerWidth)
             .map(part => part.outerHTML.slice(0, 200))"""
    )
    assert cut == []
