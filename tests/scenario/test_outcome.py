"""Recording what became of a patient, through its real doors: command, App Home, the sent form."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.ledger import StoredEvent, check_ledger
from bot.standin import Caller, Workspace, submitted
from bot.standin.payloads import slash_command_payload
from handlers.outcome import fields
from tests.support import answers
from tests.support.app import RunningApp, home_opened, over_http, over_socket, until
from tests.support.outcomes import SEEN_WORDS, chosen, untouched
from tests.support.signing import event_request
from tests.support.slack_limits import check_message

COLLEAGUE = Caller(user_id="U0SOMEONE", user_name="someone")
ELSEWHERE = Workspace(team_id="T0ELSEWHER")


async def answered(running: RunningApp, text: str = answers.WORDS, **more: Any) -> str:
    """Ask, and give the receipt of the answer."""
    await running.ask(text, **more)
    return receipts(await running.events(), "computed")[-1]


def receipts(events: list[StoredEvent], kind: str) -> list[str]:
    """Receipts of the events of a kind, in order."""
    return [f"{event.seq}-{event.leaf.hex()[:4]}" for event in events if event.kind == kind]


def words(body: Any) -> str:
    """Everything that a body says."""
    return json.dumps(body, ensure_ascii=False).replace("\N{NO-BREAK SPACE}", " ")


async def test_command_form_and_record(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        receipt = await answered(running)
        opened = await running.ask(f"outcome {receipt}")
        view = running.opened_view()
        reply = await running.submit(view, chosen())
        events = await running.events()
        assert running.tarla.operations.counts.requests.value("outcome_form", "outcome_recorded") == 1
    assert (opened.status, opened.text) == (200, "")
    assert f"#{receipt}" in words(view)
    assert "LDH 480 U/L = 1.9 × ULN (250) · liver metastases yes" in words(view)
    assert "initial_option" not in words(view)
    assert [event.kind for event in events] == ["computed", "delivered", "outcome_recorded", "delivered"]
    answer, _, outcome, delivered = events
    assert (outcome.ref, delivered.ref) == (answer.seq, outcome.seq)
    assert outcome.payload == {
        "version": 1,
        "asker": {"via": "outcome_form", "user": "U0FELLOW01", "channel": "C0TUMOURBD", "team": "T0TARLADEV"},
        "receipt": receipt,
        "grading": "ASTCT 2019",
        "crs_grade": 1,
        "icans_grade": 0,
        "tocilizumab_prophylaxis": "no",
        "day": 8,
        "replaces": None,
        "code": running.tarla.conversation.code_version,
    }
    shown = reply.message
    assert shown["response_action"] == "update"
    assert SEEN_WORDS in words(shown)
    assert f"outcome #{receipts(events, 'outcome_recorded')[0]}" in words(shown)
    assert "Not a finished outcome" not in words(shown)
    assert check_ledger(tmp_path / "ledger.db").ok


@pytest.mark.parametrize(
    "write",
    ["outcome #{0}", "OUTCOME  {0} ", "Outcome # {0}", "outcomes `#{0}`", "outcome receipt #{1}", "outcome {2}"],
)
async def test_a_receipt_is_taken_as_it_gets_copied(tmp_path: Path, write: str) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        receipt = await answered(running)
        seq, _, start = receipt.partition("-")
        typed = write.format(receipt, receipt.upper(), f"{seq} \N{EN DASH} {start.upper()}")
        assert (await running.ask(typed)).text == ""
        assert f"#{receipt}" in words(running.opened_view())


@pytest.mark.parametrize(
    "typed", ["outcome", "outcome Miller", "outcome 1", "outcome 1-ffff 2-eeee", f"outcome {'9' * 400}"]
)
async def test_without_a_receipt_it_is_said_how(tmp_path: Path, typed: str) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        await answered(running)
        reply = (await running.ask(typed)).message
        assert not running.called("views.open")
        assert len(await running.events()) == 2
    check_message(reply)
    assert "How to record an outcome" in reply["text"]
    assert "Miller" not in words(reply)
    answers.assert_no_estimate(reply["text"])


async def test_in_a_direct_message_it_is_said_how(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        receipt = await answered(running)
        await running.write(f"outcome {receipt}", kind="message")
        await until(lambda: running.called("chat.postMessage"))
        assert receipts(await running.events(), "outcome_recorded") == []
    (posted,) = running.called("chat.postMessage")
    assert "/tarla outcome" in posted["text"]


async def test_receipts_that_take_no_outcome_are_all_told_the_same(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    async with over_http(path) as running:
        receipt = await answered(running)
        await running.ask("zaphod")
        await running.ask("dose")
        await running.press({"type": "button", "action_id": "tarla_what_if", "value": receipt})
        await until(lambda: running.slack.responses)
        foreign = await answered(running, workspace=ELSEWHERE)
        events = await running.events()
        comparison = receipts(events, "computed")[1]
        none_such = f"{events[-1].seq + 5}-0000"
        other_leaf = f"{receipt.partition('-')[0]}-{'0000' if not receipt.endswith('0000') else '1111'}"
        asked = [
            none_such,
            other_leaf,
            comparison,
            foreign,
            *receipts(events, "refused"),
            *receipts(events, "looked_up"),
        ]
        asked += receipts(events, "delivered")[:1]
        told = {(await running.ask(f"outcome {each}")).text for each in asked}
        assert not running.called("views.open")
    assert len(told) == 1
    assert "No outcome can be recorded under this receipt" in told.pop()


async def test_a_colleague_records_it_and_does_not_see_the_findings(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        receipt = await answered(running)
        await running.ask(f"outcome {receipt}", caller=COLLEAGUE)
        view = running.opened_view()
        await running.submit(view, chosen(), caller=COLLEAGUE)
        *_, outcome, _ = await running.events()
        await running.send(event_request(home_opened()))
        await until(lambda: running.called("views.publish"))
    assert f"#{receipt}" in words(view)
    assert "480" not in words(view)
    assert "liver metastases yes" not in words(view)
    assert outcome.payload is not None
    assert outcome.payload["asker"]["user"] == COLLEAGUE.user_id  # type: ignore[index,call-overload]  # any JSON
    # Who asked finds it beside the answer.
    (home,) = running.called("views.publish")
    assert SEEN_WORDS in words(home)


async def test_what_is_missing_is_an_error_under_its_field(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        await running.ask(f"outcome {await answered(running)}")
        view = running.opened_view()
        for name, field in (("crs", fields.CRS), ("icans", fields.ICANS), ("prophylaxis", fields.PROPHYLAXIS)):
            reply = await running.submit(view, chosen(**{name: None}))
            assert reply.message == {"response_action": "errors", "errors": {field: "Choose one."}}
        empty = await running.submit(view, {})
        assert set(empty.message["errors"]) == {fields.CRS, fields.ICANS, fields.PROPHYLAXIS, fields.DAY}
        neither = await running.submit(view, chosen(crs="unknown", icans="unknown"))
        assert set(neither.message["errors"]) == {fields.CRS, fields.ICANS}
        assert "none is a grade too" in neither.message["errors"][fields.CRS]
        assert receipts(await running.events(), "outcome_recorded") == []
        one = await running.submit(view, chosen(crs="unknown", icans="2"))
        assert "CRS not known, ICANS grade 2" in words(one.message)


@pytest.mark.parametrize("value", ["6", "-1", "01", "Miller", 1, ["1"]])
async def test_a_choice_that_the_form_does_not_offer_is_no_form(tmp_path: Path, value: Any) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        await running.ask(f"outcome {await answered(running)}")
        reply = await running.submit(running.opened_view(), chosen(crs=value))
        assert receipts(await running.events(), "outcome_recorded") == []
    assert "something went wrong" in reply.text
    assert "Miller" not in reply.text


@pytest.mark.parametrize("metadata", ["", "Mr Miller", "{}", '{"version":1,"receipt":"1-abcd"}'])
async def test_a_form_that_was_tampered_with_is_no_form(tmp_path: Path, metadata: str) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        await running.ask(f"outcome {await answered(running)}")
        reply = await running.submit(running.opened_view() | {"private_metadata": metadata}, chosen())
        assert receipts(await running.events(), "outcome_recorded") == []
    assert "something went wrong" in reply.text
    assert "Miller" not in reply.text


async def test_an_early_outcome_is_recorded_and_said_to_be_unfinished(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        await running.ask(f"outcome {await answered(running)}")
        reply = await running.submit(running.opened_view(), chosen(day="2"))
        assert len(receipts(await running.events(), "outcome_recorded")) == 1
    assert "Not a finished outcome" in words(reply.message)
    assert "on day 8 (`lab.us.schedule`)" in words(reply.message)


async def test_a_changed_outcome_is_a_new_event_and_the_last_one_stands(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        receipt = await answered(running)
        await running.ask(f"outcome {receipt}")
        await running.submit(running.opened_view(), chosen(day="2"))
        await running.ask(f"outcome {receipt}")
        again = running.opened_view()
        assert untouched(again) == chosen(day="2")
        unchanged = await running.submit(again, untouched(again))
        assert set(unchanged.message["errors"]) == {fields.DAY}
        changed = await running.submit(again, chosen(crs="2"))
        first, second = (event for event in await running.events() if event.kind == "outcome_recorded")
        await running.ask(f"outcome {receipt}")
        third = running.opened_view()
        back = await running.submit(third, chosen(crs="unknown", icans="unknown", prophylaxis="unknown"))
        await running.ask(f"outcome {receipt}")
        last = running.opened_view()
    assert "What stands now" in words(again)
    assert f"outcome `#{first.seq}-{first.leaf.hex()[:4]}`" in words(again)
    assert f"takes the place of outcome #{first.seq}-" in words(changed.message)
    assert second.payload is not None
    assert (second.ref, second.payload["replaces"]) == (first.ref, first.seq)
    assert f"outcome `#{second.seq}-" in words(third)
    assert "has no outcome now" in words(back.message)
    assert "taken back" in words(last)
    assert "initial_option" not in words(last)


async def test_the_same_form_five_times_at_once_is_one_outcome(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        await running.ask(f"outcome {await answered(running)}")
        view = running.opened_view()
        replies = await asyncio.gather(*(running.submit(view, chosen()) for _ in range(5)))
        late = await running.submit(view, chosen())
        events = await running.events()
    assert len(receipts(events, "outcome_recorded")) == 1
    assert [event.kind for event in events].count("delivered") == 2
    for reply in (*replies, late):
        assert SEEN_WORDS in words(reply.message)
        assert f"outcome #{receipts(events, 'outcome_recorded')[0]}" in words(reply.message)
    assert "recorded already" in words(late.message)


async def test_of_two_forms_at_once_one_is_recorded_and_the_other_told(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        receipt = await answered(running)
        views = []
        for caller in (Caller(), COLLEAGUE):
            await running.ask(f"outcome {receipt}", caller=caller)
            views.append((running.opened_view(), caller))
        replies = await asyncio.gather(
            *(running.submit(view, chosen(crs=str(number)), caller=who) for number, (view, who) in enumerate(views))
        )
        (recorded,) = (event for event in await running.events() if event.kind == "outcome_recorded")
    told = [reply.message for reply in replies if reply.message["response_action"] == "errors"]
    assert len(told) == 1
    assert "meanwhile another outcome was recorded" in words(told)
    assert f"outcome #{recorded.seq}-" in words(told)


async def test_a_ledger_that_is_held_leaves_the_form_open_until_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    async with over_http(path) as running:
        await running.ask(f"outcome {await answered(running)}")
        view = running.opened_view()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            held = await running.submit(view, chosen())
            other.execute("ROLLBACK")
        done = await running.submit(view, chosen())
        assert len(receipts(await running.events(), "outcome_recorded")) == 1
    assert set(held.message) == {"response_action", "errors"}
    assert "What you chose is still here" in held.message["errors"][fields.CRS]
    assert SEEN_WORDS in words(done.message)


async def test_a_ledger_that_is_not_trusted_leaves_the_form_open(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        await running.ask(f"outcome {await answered(running)}")
        running.tarla.ledger.writer.distrust("cut off")
        reply = await running.submit(running.opened_view(), chosen())
        running.tarla.ledger.writer.trust()
        assert receipts(await running.events(), "outcome_recorded") == []
    assert "cannot be written (damaged)" in reply.message["errors"][fields.CRS]


async def test_without_a_ledger_no_form_is_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    async with over_http(tmp_path / "file" / "ledger.db") as running:
        reply = (await running.ask("outcome 1-abcd")).message
        assert not running.called("views.open")
    assert "the audit ledger cannot be read" in reply["text"]


async def test_who_may_not_ask_may_not_record(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        receipt = await answered(running)
        await running.ask(f"outcome {receipt}")
        view = running.opened_view()
        running.slack.api.flags[COLLEAGUE.user_id] = {"is_restricted": True}
        asked = await running.ask(f"outcome {receipt}", caller=COLLEAGUE)
        sent = await running.submit(view, chosen(), caller=COLLEAGUE)
        assert len(running.called("views.open")) == 1
        assert receipts(await running.events(), "outcome_recorded") == []
    for reply in (asked, sent):
        assert "Tarla is not open to guest accounts here." in reply.text


async def test_home_has_the_button_and_shows_the_outcome_at_once(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        receipt = await answered(running)
        await running.press({"type": "button", "action_id": "tarla_what_if", "value": receipt})
        await until(lambda: running.slack.responses)
        await running.send(event_request(home_opened()))
        await until(lambda: running.called("views.publish"))
        home = running.called("views.publish")[-1]["view"] | {"id": "V0HOME", "hash": "1.a"}
        buttons = [block["accessory"] for block in home["blocks"] if "accessory" in block]
        # The comparison takes no outcome, so it has no button.
        assert [(each["text"]["text"], each["value"]) for each in buttons] == [("Record outcome", receipt)]
        await running.press_in_view(buttons[0], home)
        await until(lambda: running.called("views.open"))
        await running.submit(running.opened_view(), chosen())
        await until(lambda: len(running.called("views.publish")) == 2)
        after = running.called("views.publish")[-1]["view"]
        events = await running.events()
    assert f"{SEEN_WORDS} · outcome `#{receipts(events, 'outcome_recorded')[0]}`" in words(after)
    assert "Change outcome" in words(after)


async def test_where_the_form_cannot_be_opened_it_is_said(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        receipt = await answered(running)
        running.slack.api.failing["views.open"] = "expired_trigger_id"
        reply = (await running.ask(f"outcome {receipt}")).message
    assert "The form could not be opened" in reply["text"]


async def test_over_socket_mode_too(tmp_path: Path) -> None:
    async with over_socket(tmp_path / "ledger.db") as (running, _):
        url = running.slack.new_response_url()
        await running.slack.send("slash_commands", slash_command_payload(answers.WORDS, response_url=url))
        receipt = receipts(await running.events(), "computed")[0]
        await running.slack.send("slash_commands", slash_command_payload(f"outcome {receipt}", response_url=url))
        reply = await running.slack.send("interactive", submitted(running.opened_view(), chosen()))
        assert receipts(await running.events(), "outcome_recorded")
    assert SEEN_WORDS in words(reply)


async def test_with_hashed_ids_who_recorded_is_hashed_and_ones_own_answer_still_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "ledger" / "ledger.db"
    async with over_http(path, tarla_id_key=tmp_path / "keys" / "ids.key") as running:
        await running.ask(f"outcome {await answered(running)}")
        view = running.opened_view()
        await running.submit(view, chosen())
        *_, outcome, _ = await running.events()
    assert "LDH 480 U/L" in words(view)
    assert outcome.kind == "outcome_recorded"
    assert outcome.payload is not None
    asker = outcome.payload["asker"]
    assert all(str(asker[name]).startswith("hmac:") for name in ("user", "channel", "team"))  # type: ignore[index,call-overload]  # any JSON
    for name in (b"U0FELLOW01", b"T0TARLADEV", b"C0TUMOURBD"):
        assert name not in path.read_bytes()
