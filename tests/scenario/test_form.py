"""The form: opened from every door, sent, and its answer where it belongs; only Slack itself is a stand-in."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bot.standin import Caller, slash_command_payload, submitted
from handlers import controls
from handlers.form import fields
from handlers.form.reading import CHOOSE
from handlers.modals.answer import EXPIRED, NOT_CONFIRMED, NOT_TAKEN
from knowledge import UpperLimit
from tests.support import answers
from tests.support.app import PATIENCE_S, WORDS, RunningApp, home_opened, over_http, over_socket, until
from tests.support.forms import button_of, filled, untouched
from tests.support.signing import event_request


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


async def opened(running: RunningApp, **fields: Any) -> dict[str, Any]:
    """The form that ``/tarla`` without words opens."""
    reply = await running.ask("", response_url=running.slack.new_response_url(), **fields)
    assert (reply.status, reply.text) == (200, "")
    return running.opened_view()


def shown(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("text", ["", "   "])
async def test_the_command_without_words_opens_it(path: Path, text: str) -> None:
    async with over_http(path, site_uln=UpperLimit(value=250)) as running:
        reply = await running.ask(text, response_url=running.slack.new_response_url())
        (call,) = running.called("views.open")
        assert await running.events() == []
    assert (reply.status, reply.text) == (200, "")
    view = call["view"]
    assert view["callback_id"] == controls.FORM_CALLBACK
    assert not any(block["element"]["type"] == "plain_text_input" for block in view["blocks"] if "element" in block)
    (limit,) = [block for block in view["blocks"] if block.get("block_id") == fields.ULN]
    assert limit["element"]["initial_value"] == "250"


@pytest.mark.parametrize("failure", ["expired", "error"])
async def test_where_it_cannot_open_the_command_says_how_to_ask(path: Path, failure: str) -> None:
    async with over_http(path) as running:
        if failure == "expired":
            running.slack.api.spent_triggers.add("1.2.spent")
        else:
            running.slack.api.failing["views.open"] = "internal_error"
        reply = await running.ask("", trigger_id="1.2.spent")
    assert WORDS in reply.text
    assert button_of(reply.message, controls.OPEN_FORM)


async def test_the_answer_comes_as_a_message_recorded_before_and_delivered_after(path: Path) -> None:
    async with over_http(path) as running:
        view = await opened(running)
        reply = await running.submit(view, filled())
        computed, delivered = await running.events()
    assert (reply.status, reply.text) == (200, "")
    (sent,) = running.slack.responses
    assert sent.body["replace_original"] is False
    assert sent.body["response_type"] == "ephemeral"
    assert (computed.kind, delivered.kind, delivered.ref) == ("computed", "delivered", computed.seq)
    payload = computed.payload or {}
    assert payload["asker"] == {
        "via": "form",
        "user": "U0FELLOW01",
        "channel": "C0TUMOURBD",
        "team": "T0TARLADEV",
    }
    for estimate in answers.expected_estimates():
        assert estimate in shown(sent.body)
    assert f"#{computed.seq}-{computed.leaf.hex()[:4]}" in sent.body["text"]


async def test_the_same_form_twice_is_answered_once_and_the_second_time_says_so(path: Path) -> None:
    """Whoever sends it again may not have seen the answer: Slack was slow, or the network."""
    async with over_http(path) as running:
        view = await opened(running)
        first, second = [await running.submit(view, filled()) for _ in range(2)]
        computed, delivered = await running.events()
    assert (first.status, first.text) == (200, "")
    assert second.message["response_action"] == "update"
    assert "answered already" in second.text
    assert f"receipt #{computed.seq}-{computed.leaf.hex()[:4]}" in second.text
    answers.assert_no_estimate(second.text)
    assert (computed.kind, delivered.kind) == ("computed", "delivered")
    assert len(running.slack.responses) == 1


async def test_the_same_form_five_times_at_once_is_answered_once(path: Path) -> None:
    async with over_http(path) as running:
        view = await opened(running)
        replies = await asyncio.gather(*(running.submit(view, filled()) for _ in range(5)))
        events = await running.events()
    assert sorted("answered already" in reply.text for reply in replies) == [False, True, True, True, True]
    assert [event.kind for event in events] == ["computed", "delivered"]
    assert len(running.slack.responses) == 1


async def test_what_the_guard_took_of_the_three_seconds_is_not_spent_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.listeners.form.ACKNOWLEDGED_WITHIN", 1.0)
    async with over_http(path) as running:
        view = await opened(running)
        running.slack.api.slow["users.info"] = 0.8
        running.slack.response_delay = 0.7
        reply = await running.submit(view, filled(), caller=Caller(user_id="U0SOMEONE"))
        await running.events()
    assert NOT_CONFIRMED in shown(reply.message["view"])


async def test_an_untouched_form_on_slack_is_an_answer_with_everything_unknown(path: Path) -> None:
    """Slack sends what was prefilled; that, and nothing else, is what "unknown" comes from."""
    async with over_http(path, site_uln=UpperLimit(value=250)) as running:
        view = await opened(running)
        await running.submit(view, untouched(view))
        computed, _ = await running.events()
    factors = (computed.payload or {})["factors"]
    assert factors == {
        "ldh": None,
        "liver_metastases": "unknown",
        "diabetes": "unknown",
        "cardiovascular_disease": "unknown",
    }


async def test_null_is_never_what_was_prefilled(path: Path) -> None:
    """The local Slack sends null for an untouched field. It is an error under each of them, and no answer."""
    nothing = filled(ldh=None, ldh_as=None, uln=None, liver=None, diabetes=None, cvd=None)
    async with over_http(path, site_uln=UpperLimit(value=250)) as running:
        view = await opened(running)
        reply = await running.submit(view, nothing)
        no_limit = await running.submit(view, filled(uln=None))
        assert await running.events() == []
    expected = dict.fromkeys((fields.LDH_AS, fields.LIVER, fields.DIABETES, fields.CVD), CHOOSE)
    assert reply.message == {"response_action": "errors", "errors": expected}
    assert set(no_limit.message["errors"]) == {fields.ULN}
    assert running.slack.responses == []


@pytest.mark.parametrize("how", ["spent", "404", "500", "late"])
async def test_where_the_message_fails_the_modal_shows_the_answer(path: Path, how: str) -> None:
    async with over_http(path) as running:
        view = await opened(running)
        if how == "late":
            metadata = json.loads(view["private_metadata"])
            view["private_metadata"] = json.dumps(metadata | {"made": metadata["made"] - 1801})
        elif how == "spent":
            url = json.loads(view["private_metadata"])["response_url"]
            running.slack._uses[url.rsplit("/", 1)[1]] = 5
        else:
            running.slack.response_status = int(how)
        reply = await running.submit(view, filled())
        computed, delivered = await running.events()
    assert reply.message["response_action"] == "update"
    text = shown(reply.message["view"])
    assert (NOT_TAKEN if how == "500" else EXPIRED) in text
    for estimate in answers.expected_estimates():
        assert estimate in text
    assert (computed.kind, delivered.kind, delivered.ref) == ("computed", "delivered", computed.seq)
    assert len(running.slack.responses) == (0 if how == "late" else 1)
    with pytest.raises(ValueError, match="unpack"):
        button_of(reply.message["view"], controls.SHARE)


async def test_a_message_that_slack_is_slow_to_take_does_not_hold_the_answer_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.listeners.form.SEND_SECONDS", 0.0)
    async with over_http(path) as running:
        view = await opened(running)
        running.slack.response_delay = PATIENCE_S
        reply = await running.submit(view, filled())
        _, delivered = await running.events()
    assert reply.message["response_action"] == "update"
    assert NOT_CONFIRMED in shown(reply.message["view"])
    assert delivered.kind == "delivered"


async def test_from_the_shortcut_the_answer_is_in_the_modal(path: Path) -> None:
    async with over_http(path) as running:
        await running.use_shortcut(controls.SHORTCUT)
        await until(lambda: running.called("views.open"))
        reply = await running.submit(running.opened_view(), filled())
        computed, delivered = await running.events()
    assert reply.message["response_action"] == "update"
    text = shown(reply.message["view"])
    assert all(estimate in text for estimate in answers.expected_estimates())
    assert "Slack did not" not in text
    assert running.slack.responses == []
    assert (delivered.kind, delivered.ref) == ("delivered", computed.seq)
    assert "channel" not in (computed.payload or {})["asker"]


async def test_from_app_home_too(path: Path) -> None:
    home = {"id": "V0HOME", "type": "home", "blocks": [controls.form_button()]}
    async with over_http(path) as running:
        await running.send(event_request(home_opened()))
        await running.press_in_view(button_of(home, controls.OPEN_FORM), home)
        await until(lambda: running.called("views.open"))
        reply = await running.submit(running.opened_view(), filled())
        # The tab behind the modal shows the answer too.
        await until(lambda: len(running.called("views.publish")) == 2)
    assert reply.message["response_action"] == "update"
    before, after = [shown(call["view"]) for call in running.called("views.publish")]
    assert "None yet." in before
    assert "receipt `#1-" in after
    assert all(estimate in after for estimate in answers.expected_estimates())


async def test_from_app_home_the_answer_stands_where_the_tab_cannot_be_filled(path: Path) -> None:
    home = {"id": "V0HOME", "type": "home", "blocks": [controls.form_button()]}
    async with over_http(path) as running:
        running.slack.api.failing["views.publish"] = "fatal_error"
        await running.press_in_view(button_of(home, controls.OPEN_FORM), home)
        await until(lambda: running.called("views.open"))
        reply = await running.submit(running.opened_view(), filled())
        await until(lambda: running.called("views.publish"))
    assert all(estimate in shown(reply.message["view"]) for estimate in answers.expected_estimates())


async def test_from_a_refusal_the_answer_is_a_new_message(path: Path) -> None:
    async with over_http(path) as running:
        refusal = await running.ask("ldh 480/250 livr yes")
        await running.press(button_of(refusal.message, controls.OPEN_FORM))
        await until(lambda: running.called("views.open"))
        reply = await running.submit(running.opened_view(), filled())
    assert reply.text == ""
    (sent,) = running.slack.responses
    assert sent.body["replace_original"] is False


async def test_a_refusal_for_symptoms_shows_no_other_way_to_a_risk(path: Path) -> None:
    async with over_http(path) as running:
        refusal = await running.ask("ldh 480/250 fever")
    assert controls.OPEN_FORM not in refusal.text


async def test_edit_opens_it_filled_in_and_replaces_the_message(path: Path) -> None:
    async with over_http(path) as running:
        answer = await running.ask()
        await running.press(button_of(answer.message, controls.EDIT))
        await until(lambda: running.called("views.open"))
        view = running.opened_view()
        assert untouched(view) == filled()
        reply = await running.submit(view, filled(liver="no"))
        events = await running.events()
    assert reply.text == ""
    (sent,) = running.slack.responses
    assert sent.body["replace_original"] is True
    assert "liver metastases no" in shown(sent.body)
    assert [(event.kind, event.ref) for event in events] == [
        ("computed", None),
        ("delivered", 1),
        ("computed", 1),
        ("delivered", 3),
    ]


@pytest.mark.parametrize("thread", [None, "1800000000.000001"])
async def test_an_edited_answer_stays_in_its_thread(path: Path, thread: str | None) -> None:
    async with over_http(path) as running:
        answer = await running.ask()
        await running.press(button_of(answer.message, controls.EDIT), thread_ts=thread)
        await until(lambda: running.called("views.open"))
        await running.submit(running.opened_view(), filled())
    (sent,) = running.slack.responses
    assert sent.body.get("thread_ts") == thread


async def test_edit_in_a_modal_changes_the_modal(path: Path) -> None:
    async with over_http(path) as running:
        await running.use_shortcut(controls.SHORTCUT)
        await until(lambda: running.called("views.open"))
        opened_view = running.opened_view()
        first = await running.submit(opened_view, filled())
        shown_view = {**opened_view, **first.message["view"]}
        await running.press_in_view(button_of(shown_view, controls.EDIT), shown_view)
        await until(lambda: running.called("views.update"))
        view = running.opened_view()
        assert untouched(view) == filled()
        second = await running.submit(view, filled(cvd="unknown"))
    assert "CVD unknown" in shown(second.message["view"])
    assert running.slack.responses == []


async def test_edit_of_somebody_elses_answer_is_refused(path: Path) -> None:
    async with over_http(path) as running:
        answer = await running.ask()
        edit = button_of(answer.message, controls.EDIT)
        await running.press(edit, caller=Caller(user_id="U0SOMEONE"))
        await until(lambda: running.called("views.open"))
        view = running.opened_view()
    assert "not in the ledger as yours" in shown(view)
    assert "input" not in {block["type"] for block in view["blocks"]}


async def test_without_a_ledger_the_modal_says_so_and_holds_no_figure(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    async with over_http(file / "ledger.db") as running:
        view = await opened(running)
        reply = await running.submit(view, filled())
    assert "the audit ledger cannot be written" in reply.text
    answers.assert_no_estimate(reply.text)
    assert running.slack.responses == []


def _changed(**parts: Any) -> Any:
    return lambda metadata: json.dumps({**json.loads(metadata), **parts})


@pytest.mark.parametrize(
    "tamper",
    [
        lambda _: "",
        lambda _: "not json",
        lambda _: "[]",
        lambda _: "{}",
        lambda _: None,
        _changed(version=2),
        _changed(version=True),
        _changed(door="window"),
        _changed(door="shortcut"),
        _changed(response_url="https://collector.example/response/1"),
        _changed(response_url="https://hooks.slack.com.example/1"),
        _changed(response_url="https://user@hooks.slack.com/1"),
        _changed(response_url="http://127.0.0.1/response/1"),
        _changed(response_url=7),
        _changed(made="yesterday"),
        _changed(made=True),
        _changed(channel="<!channel>"),
        _changed(receipt="1-abcd; drop"),
        _changed(more="Zaphod"),
    ],
)
async def test_metadata_that_was_tampered_with_gets_no_figure_and_no_message(path: Path, tamper: Any) -> None:
    async with over_http(path) as running:
        view = await opened(running)
        view["private_metadata"] = tamper(view["private_metadata"])
        reply = await running.submit(view, filled())
        assert await running.events() == []
    assert "something went wrong inside Tarla" in reply.text
    answers.assert_no_estimate(reply.text)
    assert running.slack.responses == []


async def test_over_socket_mode_too(path: Path) -> None:
    async with over_socket(path) as (running, _):
        payload = slash_command_payload("", response_url=running.slack.new_response_url())
        assert await running.slack.send("slash_commands", payload) == {}
        acknowledged = await running.slack.send("interactive", submitted(running.opened_view(), filled()))
        computed, delivered = await running.events()
    assert acknowledged == {}
    assert len(running.slack.responses) == 1
    assert (delivered.kind, delivered.ref) == ("delivered", computed.seq)
