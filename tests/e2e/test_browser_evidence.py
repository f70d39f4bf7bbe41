"""What a person sees who looks something up in the evidence. The pictures are for a look."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.evidence.for_answer import evidence_for_answer
from handlers.evidence.modal import evidence_modal
from handlers.evidence.view import evidence_look_up
from tests.support import answers
from tests.support.browser import screenshot_blocks, slack_client
from tests.support.evidence_views import LATER, TODAY
from tests.support.running_bot import bot_over_socket

pytestmark = pytest.mark.e2e


async def test_a_person_looks_through_the_evidence(tmp_path: Path) -> None:
    async with bot_over_socket(tmp_path) as bot, slack_client(bot.slack.base_url) as client:
        await client.open_channel(bot.slack.caller.channel_name)
        await client.type_and_send("/tarla evidence")
        listed = await client.ephemeral_answer("What is published on CRS and ICANS after tarlatamab")
        assert "Findings before infusion" in await listed.inner_text()
        await client.screenshot("browser-evidence-topics")

        await client.type_and_send("/tarla evidence icans")
        first = await client.ephemeral_answer("page 1 of")
        shown = (await first.inner_text()).replace("\N{NO-BREAK SPACE}", " ")
        assert "4.7 % where only events reported as ICANS count" in shown
        assert "con.icans_definition" in shown
        await first.screenshot(path=tmp_path / "first.png")
        await client.screenshot("browser-evidence-icans")

        await client.type_and_send("/tarla evidence liver")
        liver = await client.ephemeral_answer("Liver metastases and CRS agree")
        shown = (await liver.inner_text()).replace("\N{NO-BREAK SPACE}", " ")
        order = ["CONFLICTS", "FROM TEXTS THAT WERE READ", "SECOND-HAND", "WHAT IS MISSING", "Sources"]
        places = [shown.index(part) for part in order]
        assert places == sorted(places)
        assert "35.2 % of 509" in shown
        hrefs = [await link.get_attribute("href") for link in await liver.locator("a").all()]
        assert "https://doi.org/10.5281/zenodo.22890432" in hrefs
        await client.screenshot("browser-evidence-liver")

        await client.type_and_send("/tarla evidence inc.eu473.crs_after_dose1")
        await client.ephemeral_answer("In the model: it informs the risk at a new centre")
        await client.type_and_send("/tarla evidence livr")
        await client.ephemeral_answer("There is no such topic or id in the evidence.")
        await client.screenshot("browser-evidence-record-and-refusal")
        kinds = [event.kind for event in await bot.events(10)]
        assert kinds.count("looked_up") == 4
        assert kinds.count("refused") == 1
    assert client.problems == []


@pytest.mark.parametrize(
    ("words", "day"),
    [("", TODAY), ("icans", TODAY), ("crs 3", TODAY), ("crs 3", LATER), ("tocilizumab", TODAY), ("sources", TODAY)],
)
async def test_pages_are_drawn(words: str, day: str) -> None:
    look_up = evidence_look_up(words.split(), day)
    picture = await screenshot_blocks(
        look_up.blocks, f"evidence-{words.replace(' ', '-') or 'topics'}-{day}", width=800
    )
    assert picture.stat().st_size > 10_000


async def test_the_modal_is_drawn() -> None:
    beside = evidence_for_answer(answers.FACTORS, TODAY).topics
    for topic, page in (("answer", 1), ("icans", 2)):
        view = evidence_modal(topic, page, TODAY, beside)
        picture = await screenshot_blocks(view["blocks"], f"evidence-modal-{topic}", width=800)
        assert picture.stat().st_size > 10_000
