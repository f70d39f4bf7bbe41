"""An outcome recorded by a person in Slack's web client, and seen in App Home after. The pictures are for a look.

The local client sends null for what was not touched, so a form that is filled in already is tested by signed requests.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.outcome.reading import CHOOSE
from tests.support import answers
from tests.support.browser import choose, close, modal, slack_client
from tests.support.outcomes import SEEN_WORDS
from tests.support.running_bot import bot_over_socket

pytestmark = pytest.mark.e2e


async def test_command_form_and_home(tmp_path: Path) -> None:
    async with bot_over_socket(tmp_path) as bot, slack_client(bot.slack.base_url) as client:
        await bot.ask(answers.WORDS)
        answer = (await bot.events(2))[0]
        receipt = f"{answer.seq}-{answer.leaf.hex()[:4]}"
        await client.open_channel(bot.slack.caller.channel_name)
        await client.type_and_send(f"/tarla outcome #{receipt.upper()}")
        form = await modal(client, "Record outcome")
        await client.screenshot("browser-outcome-form")
        await form.get_by_role("button", name="Record", exact=True).click()
        await form.get_by_text(CHOOSE).first.wait_for()
        assert await form.get_by_text(CHOOSE).count() == 4
        await choose(form, "CRS: worst grade", "grade 1")
        await choose(form, "ICANS: worst grade", "none")
        await choose(form, "Prophylactic tocilizumab given", "no")
        await choose(form, "Last day looked at", "day 8")
        await client.screenshot("browser-outcome-filled")
        await form.get_by_role("button", name="Record", exact=True).click()
        done = await modal(client, "Outcome recorded")
        await client.screenshot("browser-outcome-recorded")
        outcome = next(event for event in await bot.events(4) if event.kind == "outcome_recorded")
        assert SEEN_WORDS in await done.inner_text()
        assert f"outcome #{outcome.seq}-{outcome.leaf.hex()[:4]}" in await done.inner_text()
        await close(client)
        home = await client.open_home(bot.slack.workspace.bot_name)
        await home.get_by_text("Your last answers").wait_for()
        await home.get_by_text("Outcome:").scroll_into_view_if_needed()
        await client.screenshot("browser-outcome-home")
        shown = (await home.inner_text()).replace("\N{NO-BREAK SPACE}", " ")
        assert SEEN_WORDS in shown
        assert f"#{outcome.seq}-{outcome.leaf.hex()[:4]}" in shown
        assert await home.get_by_role("button", name="Change outcome").count() == 1
    assert client.problems == []
