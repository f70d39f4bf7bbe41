"""What a person sees who mentions Tarla in a channel, or writes to it. The pictures are for a look."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import answers
from tests.support.browser import slack_client
from tests.support.running_bot import bot_over_socket

pytestmark = pytest.mark.e2e


async def test_a_person_mentions_tarla_and_alone_reads_the_answer(tmp_path: Path) -> None:
    async with bot_over_socket(tmp_path) as bot, slack_client(bot.slack.base_url) as client:
        await client.open_channel(bot.slack.caller.channel_name)
        await client.type_and_send(f"@tarla {answers.WORDS}")
        answer = await client.ephemeral_answer("Tarlatamab, before cycle 1 day 1")
        shown = (await answer.inner_text()).replace("\N{NO-BREAK SPACE}", " ")
        assert all(estimate in shown for estimate in answers.expected_estimates())
        await client.screenshot("browser-mention")
        assert [event.kind for event in await bot.events(2)] == ["computed", "delivered"]
    assert client.problems == []


async def test_a_person_writes_to_tarla_and_reads_the_answer_there(tmp_path: Path) -> None:
    async with bot_over_socket(tmp_path) as bot, slack_client(bot.slack.base_url) as client:
        # The local client names a direct message after the one person in it.
        await client.page.locator("button.sidebar-item").filter(has_text="A. Fellow").click()
        await client.type_and_send("hello")
        await client.page.locator(".msg").filter(has_text="How to ask").wait_for()
        await client.type_and_send(answers.WORDS)
        answer = client.page.locator(".msg").filter(has_text="Tarlatamab, before cycle 1 day 1").last
        await answer.wait_for()
        shown = (await answer.inner_text()).replace("\N{NO-BREAK SPACE}", " ")
        assert all(estimate in shown for estimate in answers.expected_estimates())
        await client.screenshot("browser-direct-message")
        assert [event.kind for event in await bot.events(2)] == ["computed", "delivered"]
    assert client.problems == []
