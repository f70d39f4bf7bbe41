"""What a person sees in App Home of Slack's web client. The picture is for a look."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import answers
from tests.support.browser import slack_client
from tests.support.running_bot import bot_over_socket

pytestmark = pytest.mark.e2e


async def test_a_person_finds_their_own_answers_in_app_home(tmp_path: Path) -> None:
    async with bot_over_socket(tmp_path) as bot, slack_client(bot.slack.base_url) as client:
        for text in (answers.WORDS, "ldh high liver unknown", "ldh 8.0 µkat/L uln 4.1 no liver mets dm yes"):
            await bot.ask(text)
        await bot.slack.command("ldh 777 cvd yes", user="U0NURSE001")
        events = await bot.events(8)
        home = await client.open_home(bot.slack.workspace.bot_name)
        await home.get_by_text("Your last answers").wait_for()
        await client.screenshot("browser-home")
        shown = (await home.inner_text()).replace("\N{NO-BREAK SPACE}", " ")
        mine = [event for event in events if event.kind == "computed" and "U0FELLOW01" in (event.body or "")]
        assert len(mine) == 3
        places = [shown.index(f"#{event.seq}-{event.leaf.hex()[:4]}") for event in reversed(mine)]
        assert places == sorted(places)
        for estimate in answers.expected_estimates():
            assert estimate in shown
        assert "777" not in shown
        assert await home.get_by_role("button", name="Open the form").count() == 1
    assert client.problems == []
