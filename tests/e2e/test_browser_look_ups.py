"""Look-ups and grade forms in Slack's web client, used by a person. The pictures are for a look."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.browser import choose, modal, press, slack_client
from tests.support.running_bot import bot_over_socket

pytestmark = pytest.mark.e2e

ASKED = {
    "dose": "Tarlatamab: dose and schedule",
    "dose c1d8 23": "Tarlatamab: restart after a delay",
    "monitor": "US times are possibly superseded",
    "manage icans 3": "ICANS grade 3: what the label says",
    "toci 82kg": "82 kg × 8 mg/kg = 656 mg",
}


async def test_a_person_looks_things_up(tmp_path: Path) -> None:
    async with bot_over_socket(tmp_path) as bot, slack_client(bot.slack.base_url) as client:
        await client.open_channel(bot.slack.caller.channel_name)
        for words, wanted in ASKED.items():
            await client.type_and_send(f"/tarla {words}")
            shown = await client.ephemeral_answer(wanted)
            await shown.scroll_into_view_if_needed()
            await client.screenshot(f"browser-look-up-{words}")
            assert "not for time-critical decisions" in await shown.inner_text()
        await bot.events(2 * len(ASKED))
    assert client.problems == []


async def test_a_person_works_a_grade_out(tmp_path: Path) -> None:
    async with bot_over_socket(tmp_path) as bot, slack_client(bot.slack.base_url) as client:
        await client.open_channel(bot.slack.caller.channel_name)
        await client.type_and_send("/tarla grade")
        await press(await client.ephemeral_answer("Grade of CRS and ICANS"), "Grade ICANS")
        form = await modal(client, "Grade of ICANS")
        await client.screenshot("browser-grade-form")
        await form.get_by_role("button", name="Work out").click()
        await form.get_by_text("Choose one.").first.wait_for()
        for label, choice in (
            ("ICE: Orientation", "2 of 4"),
            ("ICE: Naming", "2 of 3"),
            ("ICE: Following commands", "1 of 1"),
            ("ICE: Writing", "0 of 1"),
            ("ICE: Attention", "0 of 1"),
            ("Consciousness", "Alert, not depressed"),
            ("Seizure", "None"),
            ("Motor findings", "None"),
            ("Raised intracranial pressure", "No sign of it"),
        ):
            await choose(form, label, choice)
        await client.screenshot("browser-grade-filled")
        await form.get_by_role("button", name="Work out").click()
        # 2 + 2 + 1 = 5 of 10, and 3 to 6 is grade 2 (ASTCT 2019).
        graded = client.page.locator(".modal").filter(has_text="ICANS grade 2 by ASTCT 2019")
        await graded.wait_for()
        await client.screenshot("browser-graded")
        assert "= 5 of 10" in await graded.inner_text()
        kinds = [event.kind for event in await bot.events(4)]
        assert kinds == ["looked_up", "delivered", "looked_up", "delivered"]
    assert client.problems == []
