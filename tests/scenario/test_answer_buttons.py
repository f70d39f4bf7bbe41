"""The buttons under an answer: what each shows, what it leaves in the ledger, and what is said when it cannot."""

from __future__ import annotations

import asyncio
import json
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.ledger import StoredEvent
from bot.standin import Caller, SlackStandin, pressed_in_message
from handlers import controls
from handlers.answer import TableMode
from handlers.modals.answer import NOT_CONFIRMED
from handlers.ports import Entry, Kind, LedgerUnavailableError
from handlers.records import computed_payload
from handlers.requests import Asker
from knowledge import PatientFactors, assess
from knowledge.evidence import load as load_evidence
from knowledge.model import load as load_model
from tests.support import answers
from tests.support.app import PATIENCE_S, RunningApp, over_http, until
from tests.support.forms import button_of, filled
from tests.support.signing import interaction_request

OTHERS = Caller(user_id="U0SOMEONE")
ALL = (controls.WHAT_IF, controls.EVIDENCE, controls.MODEL, controls.EDIT, controls.SHARE)
OF_THE_ANSWER = (controls.WHAT_IF, controls.EDIT, controls.SHARE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def shown(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False).replace("\N{NO-BREAK SPACE}", " ")


def receipt_of(event: StoredEvent) -> str:
    return f"{event.seq}-{event.leaf.hex()[:4]}"


async def events_once(running: RunningApp, count: int) -> list[StoredEvent]:
    """The ledger once it holds ``count`` events: a button's own record comes after its acknowledgement."""
    found: list[StoredEvent] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            await asyncio.sleep(0.005)
            found = await running.events()
    return found


async def pressed(running: RunningApp, action_id: str, **more: Any) -> None:
    """Ask, then press this button of the answer."""
    answer = await running.ask()
    reply = await running.press(button_of(answer.message, action_id), **more)
    assert (reply.status, reply.text) == (200, "")


async def modal_after(running: RunningApp, method: str = "views.open") -> dict[str, Any]:
    await until(lambda: running.called(method))
    (call,) = running.called(method)
    return dict(call["view"])


async def test_the_row_stands_before_the_small_print_and_carries_the_receipt_alone(path: Path) -> None:
    async with over_http(path) as running:
        answer = await running.ask()
        computed, _ = await running.events()
    *_, row, _small_print = answer.message["blocks"]
    assert [element["action_id"] for element in row["elements"]] == list(ALL)
    assert {element["value"] for element in row["elements"]} == {receipt_of(computed)}
    assert "must not identify a patient" in row["elements"][-1]["confirm"]["text"]["text"]


@pytest.mark.parametrize("mode", TableMode)
async def test_what_if_is_one_event_and_a_message_of_its_own(path: Path, mode: TableMode) -> None:
    async with over_http(path, table=mode) as running:
        await pressed(running, controls.WHAT_IF)
        answered, _, compared, delivered = await events_once(running, 4)
    (sent,) = running.slack.responses
    assert (sent.body["response_type"], sent.body["replace_original"]) == ("ephemeral", False)
    assert ("table" in {block["type"] for block in sent.body["blocks"]}) == (mode is TableMode.BLOCK)
    assert (compared.kind, compared.ref) == ("computed", answered.seq)
    assert (delivered.kind, delivered.ref) == ("delivered", compared.seq)
    rows = (compared.payload or {})["comparison"]
    assert [row["change"] for row in rows] == ["as answered", "LDH normal", "liver mets no", "diabetes yes", "CVD no"]
    assert rows[0]["outcomes"] == (answered.payload or {})["outcomes"]
    text = shown(sent.body)
    assert all(estimate in text for estimate in answers.expected_estimates())
    assert receipt_of(compared) in text
    assert receipt_of(answered) in text
    assert "not the effect of a treatment" in text


@pytest.mark.parametrize("action_id", [controls.WHAT_IF, controls.SHARE])
async def test_under_an_answer_in_a_thread_it_stays_in_the_thread(path: Path, action_id: str) -> None:
    async with over_http(path) as running:
        await pressed(running, action_id, thread_ts="1800000000.000001")
        await until(lambda: running.slack.responses)
    (sent,) = running.slack.responses
    assert sent.body["thread_ts"] == "1800000000.000001"


async def test_a_comparison_is_no_answer_to_be_edited_or_shared(path: Path) -> None:
    async with over_http(path) as running:
        await pressed(running, controls.WHAT_IF)
        *_, compared, _ = await events_once(running, 4)
        share = {**controls.answer_buttons(receipt_of(compared))["elements"][-1]}
        await running.press(share)
        view = await modal_after(running)
    assert "not in the ledger as yours" in shown(view)
    assert len(running.slack.responses) == 1


@pytest.mark.parametrize("status", [404, 500])
async def test_what_if_opens_as_a_modal_where_the_message_fails(path: Path, status: int) -> None:
    async with over_http(path) as running:
        running.slack.response_status = status
        await pressed(running, controls.WHAT_IF)
        view = await modal_after(running)
        *_, compared, delivered = await events_once(running, 4)
    assert all(estimate in shown(view) for estimate in answers.expected_estimates())
    assert (delivered.kind, delivered.ref) == ("delivered", compared.seq)
    assert (delivered.payload or {})["via"] == "modal"
    counts = running.tarla.operations.counts
    assert counts.requests.value("button", "computed") == 1
    assert [way for way, _, _ in counts.answer_seconds.series()] == ["http", "modal"]


async def test_what_if_that_nobody_could_be_shown_is_recorded_so(path: Path) -> None:
    async with over_http(path) as running:
        running.slack.response_status = 404
        running.slack.api.failing["views.open"] = "expired_trigger_id"
        await pressed(running, controls.WHAT_IF)
        *_, compared, failed = await events_once(running, 4)
    assert (failed.kind, failed.ref) == ("delivery_failed", compared.seq)
    assert (failed.payload or {})["reason"] == "response_url_404"


async def test_evidence_names_every_record_and_its_source(path: Path) -> None:
    async with over_http(path) as running:
        await pressed(running, controls.EVIDENCE)
        view = await modal_after(running)
    text = shown(view)
    for wanted in ("inc.joshi.crs_any", "inc.label473.icans_c1d1", "inc.joshi.toci_icans", "Joshi U", "10.5281/zenodo"):
        assert wanted in text
    assert "the text itself not seen" in text
    assert "no figure found" in text


async def test_evidence_goes_on_to_other_topics_and_pages(path: Path) -> None:
    async with over_http(path) as running:
        await pressed(running, controls.EVIDENCE)
        await modal_after(running)
        choice = {"type": "static_select", "action_id": controls.EVIDENCE_PAGES[0]}
        # A choice that says nothing leaves the page as it is.
        for count, option in enumerate(({"value": "icans"}, None), 1):
            await running.press_in_view(choice | {"selected_option": option}, running.opened_view())
            await until(lambda count=count: len(running.called("views.update")) == count)
            assert "con.icans_definition" in shown(running.opened_view())
        following = {"type": "button", "action_id": controls.EVIDENCE_PAGES[1], "value": "2"}
        await running.press_in_view(following, running.opened_view())
        await until(lambda: len(running.called("views.update")) == 3)
    state = json.loads(running.opened_view()["private_metadata"])
    assert (state["topic"], state["page"]) == ("icans", 2)


async def test_evidence_is_shown_though_the_ledger_cannot_be_read(path: Path) -> None:
    async with over_http(path) as running:
        answer = await running.ask()
        await running.events()
        path.rename(path.with_name("away.db"))
        await running.press(button_of(answer.message, controls.EVIDENCE))
        assert "inc.joshi.crs_any" in shown(await modal_after(running))
        path.with_name("away.db").rename(path)


async def test_model_says_what_it_is_from_its_own_file(path: Path) -> None:
    model = load_model()
    async with over_http(path) as running:
        await pressed(running, controls.MODEL)
        view = await modal_after(running)
    text = shown(view)
    for wanted in (model.version.id, model.version.sha256[:12], model.facts_sha256[:12], str(model.content.seed)):
        assert wanted in text
    assert "never been validated on patients" in text


async def test_share_is_recorded_then_posted_with_versions_and_both_receipts(path: Path) -> None:
    async with over_http(path) as running:
        await pressed(running, controls.SHARE)
        answered, _, shared, delivered = await events_once(running, 4)
    (sent,) = running.slack.responses
    assert (sent.body["response_type"], sent.body["replace_original"]) == ("in_channel", False)
    assert sent.body["blocks"][0]["text"]["text"] == "Shared by <@U0FELLOW01>"
    assert "actions" not in {block["type"] for block in sent.body["blocks"]}
    assert (shared.kind, shared.ref) == ("shared", answered.seq)
    payload = shared.payload or {}
    assert payload["receipt"] == receipt_of(answered)
    assert payload["asker"]["channel"] == "C0TUMOURBD"
    assert (delivered.kind, delivered.ref) == ("delivered", shared.seq)
    text = shown(sent.body)
    assert all(estimate in text for estimate in answers.expected_estimates())
    for wanted in (receipt_of(answered), receipt_of(shared), load_model().version.id):
        assert wanted in text


async def past_receipt(running: RunningApp, evidence: str, risk: str | None = None) -> str:
    """The receipt of an answer as an earlier version would have recorded it: other evidence, or another risk of CRS."""
    asker = Asker("slash_command", "U0FELLOW01", "C0TUMOURBD", "T0TARLADEV")
    payload = json.loads(json.dumps(computed_payload(assess(PatientFactors()), (), asker, evidence, "0.0.9")))
    if risk is not None:
        payload["outcomes"][0]["risk"] = risk
    return (await running.tarla.ledger.record(Entry("earlier", Kind.COMPUTED, payload))).receipt


@pytest.mark.parametrize("action_id", [controls.WHAT_IF, controls.SHARE])
@pytest.mark.parametrize(
    ("evidence", "risk", "told"),
    [
        (None, "0.111111", "otherwise than it was given"),
        ("2026-01-01", None, "the evidence has changed since this answer"),
    ],
)
async def test_what_would_not_be_answered_so_today_is_not_shown_again(
    path: Path, action_id: str, evidence: str | None, risk: str | None, told: str
) -> None:
    async with over_http(path) as running:
        answer = await running.ask()
        receipt = await past_receipt(running, evidence or load_evidence().version, risk)
        await running.press({**button_of(answer.message, action_id), "value": receipt})
        view = await modal_after(running)
        events = await running.events()
    assert told in shown(view)
    assert "Ask once more" in shown(view)
    assert [event.kind for event in events] == ["computed", "delivered", "computed"]
    assert running.slack.responses == []


@pytest.mark.parametrize("action_id", [controls.WHAT_IF, controls.SHARE])
async def test_what_would_be_answered_so_today_is(path: Path, action_id: str) -> None:
    async with over_http(path) as running:
        answer = await running.ask()
        receipt = await past_receipt(running, load_evidence().version)
        await running.press({**button_of(answer.message, action_id), "value": receipt})
        await until(lambda: running.slack.responses)
        *_, again = [event for event in await running.events() if event.ref == 3]
    assert receipt in shown(running.slack.responses[0].body)
    assert (again.payload or {})["evidence"] == load_evidence().version


async def _collector(got: list[str]) -> web.AppRunner:
    """A server that is not Slack's and keeps what it is sent."""

    async def keep(request: web.Request) -> web.Response:
        got.append(await request.text())
        return web.Response(text="ok")

    application = web.Application()
    application.router.add_route("*", "/{any:.*}", keep)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


@pytest.mark.parametrize("redirected", [True, False])
@pytest.mark.parametrize("action_id", [controls.WHAT_IF, controls.SHARE])
async def test_findings_go_to_no_other_host(path: Path, action_id: str, redirected: bool) -> None:
    got: list[str] = []
    elsewhere = await _collector(got)
    try:
        address = f"http://127.0.0.1:{elsewhere.addresses[0][1]}/response/1"
        async with over_http(path) as running:
            answer = await running.ask()
            more = {} if redirected else {"response_url": address}
            running.slack.response_location = address if redirected else None
            await running.press(button_of(answer.message, action_id), **more)
            await until(lambda: running.called("views.open"))
            await running.events()
    finally:
        await elsewhere.cleanup()
    assert got == []


async def test_share_that_slack_does_not_take_is_told_and_recorded(path: Path) -> None:
    async with over_http(path) as running:
        running.slack.response_status = 500
        await pressed(running, controls.SHARE)
        view = await modal_after(running)
        *_, shared, failed = await events_once(running, 4)
    assert "Slack did not take the message" in shown(view)
    assert (failed.kind, failed.ref) == ("delivery_failed", shared.seq)


def break_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack takes what comes through a response_url, and the link breaks before its answer comes back."""
    taken = SlackStandin._respond

    async def lose(self: SlackStandin, request: web.Request) -> web.Response:
        answer = await taken(self, request)
        if request.transport is not None:
            request.transport.abort()
        return answer

    monkeypatch.setattr(SlackStandin, "_respond", lose)


async def test_share_that_slack_did_not_confirm_may_be_in_the_channel(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To press Share once more would put it there twice."""
    break_links(monkeypatch)
    async with over_http(path) as running:
        await pressed(running, controls.SHARE)
        view = await modal_after(running)
        *_, failed = await events_once(running, 4)
    assert "did not confirm" in shown(view)
    assert "look there before" in shown(view)
    assert "reference: unconfirmed" in shown(view)
    assert (failed.payload or {})["reason"] == "response_url_unreachable"
    assert len(running.slack.responses) == 1


@pytest.mark.parametrize("answered", ["late", "never"])
async def test_what_if_that_slack_did_not_confirm_says_why_it_is_also_in_a_modal(
    path: Path, monkeypatch: pytest.MonkeyPatch, answered: str
) -> None:
    if answered == "never":
        break_links(monkeypatch)
    else:
        monkeypatch.setattr("handlers.listeners.buttons.MESSAGE_SECONDS", 0.0)
    async with over_http(path) as running:
        running.slack.response_delay = 0.5 if answered == "late" else 0.0
        await pressed(running, controls.WHAT_IF)
        view = await modal_after(running)
        *_, delivered = await events_once(running, 4)
    assert NOT_CONFIRMED in shown(view["blocks"][0])
    assert (delivered.kind, (delivered.payload or {})["via"]) == ("delivered", "modal")


async def test_the_same_press_twice_shows_one_thing(path: Path) -> None:
    async with over_http(path) as running:
        answer = await running.ask()
        url = running.slack.new_response_url()
        press = pressed_in_message(button_of(answer.message, controls.SHARE), response_url=url)
        await running.send(interaction_request(press))
        await running.send(interaction_request(press))
        events = await events_once(running, 4)
    assert [event.kind for event in events] == ["computed", "delivered", "shared", "delivered"]
    assert len(running.slack.responses) == 1


@pytest.mark.parametrize("action_id", OF_THE_ANSWER)
async def test_somebody_elses_answer_is_not_shown(path: Path, action_id: str) -> None:
    async with over_http(path) as running:
        await pressed(running, action_id, caller=OTHERS)
        view = await modal_after(running)
        assert len(await running.events()) == 2
    assert "not in the ledger as yours" in shown(view)
    answers.assert_no_estimate(shown(view))
    assert running.slack.responses == []


@pytest.mark.parametrize("action_id", OF_THE_ANSWER)
async def test_a_ledger_that_cannot_be_read_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch, action_id: str
) -> None:
    async def unreadable(self: object, receipt: str) -> None:
        del self, receipt
        raise LedgerUnavailableError("cannot_open")

    monkeypatch.setattr("bot.ledger.history.LedgerHistory.event", unreadable)
    async with over_http(path) as running:
        await pressed(running, action_id)
        view = await modal_after(running)
    assert "the audit ledger cannot be read" in shown(view)
    assert "cannot_open" in shown(view)


@pytest.mark.parametrize("action_id", OF_THE_ANSWER)
async def test_too_late_for_a_modal_it_is_told_in_a_message(path: Path, action_id: str) -> None:
    async with over_http(path) as running:
        running.slack.api.failing["views.open"] = "expired_trigger_id"
        await pressed(running, action_id, caller=OTHERS)
        await until(lambda: running.slack.responses)
    (sent,) = running.slack.responses
    assert sent.body["response_type"] == "ephemeral"
    assert "not in the ledger as yours" in shown(sent.body)


@pytest.fixture
def other_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped model gives the answer; another one, as far as the conversation can tell, is in use ever after."""
    version = load_model().version.model_copy(update={"sha256": "0" * 64})
    changed = type("Changed", (), {"version": version})()
    models = chain([load_model()], repeat(changed))
    monkeypatch.setattr("bot.compose.model_in_use", lambda _folder: lambda: next(models))


@pytest.mark.usefixtures("other_model")
@pytest.mark.parametrize("action_id", OF_THE_ANSWER)
async def test_an_answer_of_another_model_is_not_shown_again(path: Path, action_id: str) -> None:
    async with over_http(path) as running:
        await pressed(running, action_id)
        view = await modal_after(running)
    assert "the model has changed since this answer" in shown(view)


async def test_in_a_modal_everything_opens_on_top_of_it(path: Path) -> None:
    async with over_http(path) as running:
        await running.use_shortcut(controls.SHORTCUT)
        await until(lambda: running.called("views.open"))
        form = running.opened_view()
        answer = await running.submit(form, filled())
        view = {**form, **answer.message["view"]}
        for count, action_id in enumerate((controls.WHAT_IF, controls.EVIDENCE, controls.MODEL), 1):
            await running.press_in_view(button_of(view, action_id), view)
            await until(lambda wanted=count: len(running.called("views.push")) == wanted)
        events = await events_once(running, 4)
    titles = [call["view"]["title"]["text"] for call in running.called("views.push")]
    assert titles == ["What if", "Evidence", "Model"]
    assert [event.kind for event in events] == ["computed", "delivered", "computed", "delivered"]
    assert running.slack.responses == []


@pytest.mark.parametrize("value", [None, "", "Zaphod", "1-abcd; drop", "0-abcd", "1284-3F9A"])
async def test_a_button_that_carries_no_receipt_gets_an_apology(path: Path, value: str | None) -> None:
    async with over_http(path) as running:
        button = {"type": "button", "action_id": controls.SHARE, "value": value}
        reply = await running.press({name: part for name, part in button.items() if part is not None})
        view = await modal_after(running)
        assert await running.events() == []
    assert reply.status == 200
    assert "something went wrong inside Tarla" in shown(view)
    assert "Zaphod" not in shown(view)


async def test_without_a_ledger_what_if_and_share_show_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with over_http(path) as running:
        answer = await running.ask()
        await running.events()

        async def fails(self: object, entry: object) -> None:
            del self, entry
            raise LedgerUnavailableError("disk_full")

        monkeypatch.setattr("bot.ledger.LedgerWriter.record", fails)
        for count, action_id in enumerate((controls.WHAT_IF, controls.SHARE), 1):
            await running.press(button_of(answer.message, action_id))
            await until(lambda wanted=count: len(running.called("views.open")) == wanted)
    for call in running.called("views.open"):
        assert "disk_full" in shown(call["view"])
        answers.assert_no_estimate(shown(call["view"]))
    assert running.slack.responses == []
