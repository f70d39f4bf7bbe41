"""The form and the answer's buttons in Slack's web client, used by a person. The pictures are for a look.

The local client draws no number field and submits null for whatever was not touched, so the LDH is chosen here as
above its limit; figures in the form are tested by signed requests.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Locator

from handlers.answer import TableMode
from handlers.answer.findings import describe
from handlers.comparison import Compared, comparison_blocks, variants
from handlers.form import Door, Origin, fields, form_view
from handlers.form.reading import CHOOSE
from handlers.modals.answer import EXPIRED, answer_modal
from handlers.outcomes import Answered
from handlers.parsing import parse
from knowledge import LdhCategory, PatientFactors, Presence, UpperLimit, assess
from knowledge.model import load as load_model
from tests.support import answers
from tests.support.browser import (
    SlackClient,
    choose,
    close,
    modal,
    press,
    render_blocks,
    screenshot_html,
    slack_client,
)
from tests.support.requirements import require_e2e
from tests.support.running_bot import RunningBot, bot_over_socket

pytestmark = pytest.mark.e2e

FACTORS = PatientFactors(
    ldh=LdhCategory(category="high"),
    liver_metastases=Presence.YES,
    diabetes=Presence.UNKNOWN,
    cardiovascular_disease=Presence.NO,
)


async def fill_in(form: Locator) -> None:
    await choose(form, "LDH given as", fields.LDH_CHOICES[fields.HIGH])
    await choose(form, "Liver metastases", "yes")
    await choose(form, "Diabetes", "unknown")
    await choose(form, "Cardiovascular disease", "no")


async def answered_by_form(bot: RunningBot, client: SlackClient) -> Locator:
    """The answer to a form opened by ``/tarla`` and filled in."""
    await client.open_channel(bot.slack.caller.channel_name)
    await client.type_and_send("/tarla")
    form = await modal(client, "Ask Tarla")
    await fill_in(form)
    await client.screenshot("browser-form-filled")
    await form.get_by_role("button", name="Show the risks").click()
    return await client.ephemeral_answer("Tarlatamab, before cycle 1 day 1")


async def test_a_person_opens_the_form_errs_and_reads_the_answer(tmp_path: Path) -> None:
    async with bot_over_socket(tmp_path) as bot, slack_client(bot.slack.base_url) as client:
        await client.open_channel(bot.slack.caller.channel_name)
        await client.type_and_send("/tarla")
        form = await modal(client, "Ask Tarla")
        assert await form.locator("textarea, input[type=text]").count() == 0
        await client.screenshot("browser-form-empty")
        await form.get_by_role("button", name="Show the risks").click()
        await form.get_by_text(CHOOSE).first.wait_for()
        assert await form.get_by_text(CHOOSE).count() == 4
        await client.screenshot("browser-form-errors")
        await fill_in(form)
        await form.get_by_role("button", name="Show the risks").click()
        answer = await client.ephemeral_answer("Tarlatamab, before cycle 1 day 1")
        await client.page.locator(".modal").wait_for(state="detached")
        await client.screenshot("browser-form-answer")
        computed, delivered = await bot.events(2)
        shown = (await answer.inner_text()).replace("\N{NO-BREAK SPACE}", " ")
        assert describe(FACTORS) in shown
        assert f"#{computed.seq}-{computed.leaf.hex()[:4]}" in shown
        assert (delivered.kind, delivered.ref) == ("delivered", computed.seq)
    assert client.problems == []


async def test_a_person_asks_what_if_and_looks_at_evidence_and_model(tmp_path: Path) -> None:
    async with bot_over_socket(tmp_path) as bot, slack_client(bot.slack.base_url) as client:
        answer = await answered_by_form(bot, client)
        await press(answer, "What if")
        compared = await client.ephemeral_answer("What if a finding were different")
        await compared.scroll_into_view_if_needed()
        await client.screenshot("browser-what-if")
        shown = (await compared.inner_text()).replace("\N{NO-BREAK SPACE}", " ")
        for change in ("as answered", "LDH normal", "liver mets no", "diabetes yes", "diabetes no", "CVD yes"):
            assert change in shown
        for title, wanted in (("Evidence", "inc.joshi.crs_any"), ("Model", assess(FACTORS).model.sha256[:12])):
            await press(answer, title)
            opened = await modal(client, title)
            await client.screenshot(f"browser-{title.lower()}")
            assert wanted in await opened.inner_text()
            await close(client)
    assert client.problems == []


async def test_a_person_edits_the_answer_in_its_place(tmp_path: Path) -> None:
    async with bot_over_socket(tmp_path) as bot, slack_client(bot.slack.base_url) as client:
        answer = await answered_by_form(bot, client)
        await press(answer, "Edit")
        form = await modal(client, "Ask Tarla")
        await client.screenshot("browser-edit")
        await fill_in(form)
        await choose(form, "Diabetes", "yes")
        await form.get_by_role("button", name="Show the risks").click()
        changed = await client.ephemeral_answer("diabetes yes")
        await client.screenshot("browser-edited")
        assert await client.page.locator(".msg:has(.badge-eph)").count() == 1
        assert "diabetes unknown" not in await changed.inner_text()
    assert client.problems == []


async def test_a_person_shares_the_answer_with_the_channel(tmp_path: Path) -> None:
    """The local client does not ask first; that Slack does is in the button itself."""
    async with bot_over_socket(tmp_path) as bot, slack_client(bot.slack.base_url) as client:
        answer = await answered_by_form(bot, client)
        await press(answer, "Share")
        shared = client.page.locator(".msg:not(:has(.badge-eph))").filter(has_text="Shared by").last
        await shared.wait_for()
        await client.screenshot("browser-shared-end")
        await shared.evaluate("message => message.scrollIntoView(true)")
        await client.screenshot("browser-shared")
        assert await shared.get_by_role("button", name="Share", exact=True).count() == 0
        _, _, event, _ = await bot.events(4)
        assert event.kind == "shared"
        assert f"#{event.seq}-{event.leaf.hex()[:4]}" in await shared.inner_text()
    assert client.problems == []


async def test_what_the_client_does_not_draw_is_drawn_nearly_as_slack_does() -> None:
    """Number fields with what they are prefilled with, the table of a comparison, and an answer in a modal."""
    require_e2e()
    factors = parse("ldh 480/250 liver unknown dm no cvd yes").factors
    form = form_view(Origin(Door.SHORTCUT), UpperLimit(value=250), factors)
    rows = tuple((each, assess(each.factors)) for each in variants(factors))
    compared = Compared(rows, "2026-11-22", "1286-0c1d", "1284-3f9a")
    view = answers.expected_view("1284-3f9a")
    answered = Answered(view, answers.expected_assessment(), (), "1284-3f9a", load_model())
    answer = answer_modal(answered, Origin(Door.HOME), EXPIRED)
    drawn = {
        "form": (form["blocks"], 'value="480"', 520),
        "what-if": (comparison_blocks(compared, TableMode.BLOCK), "liver mets yes", 760),
        "answer-modal": (answer["blocks"], "Here is the answer instead.", 520),
    }
    for name, (blocks, wanted, width) in drawn.items():
        page = await render_blocks(blocks)
        assert wanted in page
        await screenshot_html(page, f"drawn-{name}", width=width)
