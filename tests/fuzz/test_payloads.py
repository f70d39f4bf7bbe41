"""Payloads that are not of Slack's shape: read, or refused by the name of a field, never with its value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, seed

from bot.standin import (
    message_event,
    pressed_in_message,
    pressed_in_view,
    shortcut_used,
    slash_command_payload,
    submitted,
)
from handlers import controls
from handlers.evidence.modal import evidence_action, evidence_modal
from handlers.form import Door, NotUnderstood, Origin, form_view, read_form
from handlers.form.origin import channel_of, read_origin
from handlers.listeners.arrivals import arrival_of
from handlers.listeners.command import question_from as command_question
from handlers.listeners.messages import question_from as message_question
from handlers.listeners.payloads import MalformedPayloadError
from handlers.listeners.presses import read_press
from handlers.lookup.grade_form import grade_form_view, read_grade_form
from handlers.outcome.desk import Found
from handlers.outcome.origin import read_outcome_origin
from handlers.outcome.reading import read_outcome_form
from handlers.outcome.view import outcome_form
from handlers.parsing import Understood
from tests.fuzz.test_grammar import assert_within_limits
from tests.support.app import event_body, home_opened
from tests.support.chaos import SEED, tally
from tests.support.forms import filled
from tests.support.fuzz_choices import Choices, cases, choices
from tests.support.fuzz_json import anything, spoilt
from tests.support.fuzz_text import CANARIES
from tests.support.outcomes import chosen

SLACK = "https://slack.com/api/"
URL = "https://hooks.slack.com/commands/T0/1/x"
TODAY = "2026-11-24"
FORM = {**form_view(Origin(Door.COMMAND, URL, 1_800_000_000, "C0TUMOURBD"), None), "id": "V1", "hash": "1.a"}
GRADE_FORM = {**grade_form_view("crs", "C0TUMOURBD"), "id": "V2", "hash": "1.b"}
OUTCOME_FORM = {**outcome_form(Found("1284-3f9a", 1284, None, None), channel="C0TUMOURBD"), "id": "V4", "hash": "1.d"}
EVIDENCE = {**evidence_modal("icans", 1, TODAY), "id": "V3", "hash": "1.c"}
BUTTON = {"type": "button", "action_id": controls.WHAT_IF, "value": "1284-3f9a"}
TOPIC = {
    "type": "static_select",
    "action_id": controls.EVIDENCE_PAGES[0],
    "selected_option": {"text": {"type": "plain_text", "text": "ICANS"}, "value": "icans"},
}
PAGE = {"type": "button", "action_id": controls.EVIDENCE_PAGES[1], "value": "2"}
PAYLOADS: list[dict[str, Any]] = [
    dict(slash_command_payload("ldh 480/250 liver yes", response_url=URL)),
    pressed_in_message(BUTTON, response_url=URL, thread_ts="1800000000.000100"),
    pressed_in_view(TOPIC, EVIDENCE),
    pressed_in_view(PAGE, EVIDENCE),
    submitted(FORM, filled()),
    submitted(GRADE_FORM, {"grade_fever": {"value": {"selected_option": {"value": "yes"}}}}),
    submitted(OUTCOME_FORM, chosen()),
    shortcut_used(controls.SHORTCUT),
    message_event("<@U0TARLABOT> ldh 480/250"),
    message_event("ldh 480/250 liver yes", kind="message"),
    home_opened(),
    event_body({"type": "reaction_added", "user": "U0FELLOW01"}),
]


def read_all(body: Any) -> list[str]:
    """Everything that looks into a payload, as the listeners do; what each came to."""
    view = body.get("view") if isinstance(body.get("view"), dict) else {}
    event = body.get("event") if isinstance(body.get("event"), dict) else {}
    state = view.get("state") if isinstance(view.get("state"), dict) else {}
    pressed = body.get("actions")
    action = pressed[0] if isinstance(pressed, list) and pressed and isinstance(pressed[0], dict) else {}
    values = state.get("values")
    readers: dict[str, Callable[[], Any]] = {
        "arrival": lambda: arrival_of(body),
        "command": lambda: command_question(body),
        "message": lambda: message_question(body, event, "mention"),
        "press": lambda: read_press(body, SLACK).receipt,
        "origin": lambda: read_origin(view.get("private_metadata"), SLACK),
        "channel": lambda: channel_of(view.get("private_metadata")),
        "form": lambda: read_form(values, None),
        "grade": lambda: read_grade_form("crs", values) if isinstance(values, dict) else None,
        "outcome": lambda: read_outcome_form(values),
        "outcome origin": lambda: read_outcome_origin(view.get("private_metadata")),
        "evidence": lambda: evidence_action(view, action, TODAY),
    }
    return [f"{name} {_outcome(reader)}" for name, reader in readers.items()]


def _outcome(reader: Callable[[], Any]) -> str:
    try:
        found = reader()
    except MalformedPayloadError as malformed:
        (field,) = malformed.args
        assert not any(canary in field for canary in CANARIES)
        return "malformed"
    if isinstance(found, Understood):
        assert_within_limits(found.factors)
    # Who and where are Slack's ids and nothing else; a word of letters and digits may be one.
    if isinstance(found, Understood | NotUnderstood | dict):
        assert not any(canary in repr(found) for canary in CANARIES)
    return "read"


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.get("type", "command"))
def test_the_payloads_themselves_are_read(payload: dict[str, Any]) -> None:
    assert "arrival read" in read_all(payload)


def test_spoilt_payloads() -> None:
    outcomes: Counter[str] = Counter()

    @seed(SEED)
    @cases(500, 15_000)
    @given(choices())
    def run(choose: Choices) -> None:
        outcomes.update(read_all(spoilt(choose, choose.pick(PAYLOADS))))

    run()
    read = {name: count for name, count in sorted(outcomes.items()) if name.endswith(" read")}
    tally("spoilt payloads", cases=outcomes["arrival read"] + outcomes["arrival malformed"], **read)
    for name in ("form", "outcome", "outcome origin"):
        assert outcomes[f"{name} read"] > 0 < outcomes[f"{name} malformed"]


def test_any_json_in_the_place_of_a_form() -> None:
    outcomes: Counter[str] = Counter()

    @seed(SEED)
    @cases(300, 5_000)
    @given(choices())
    def run(choose: Choices) -> None:
        value = anything(choose)
        outcomes[_outcome(lambda: read_form(value, None))] += 1
        outcomes[_outcome(lambda: read_outcome_form(value))] += 1
        if isinstance(value, dict):
            outcomes[_outcome(lambda: read_grade_form("icans", value))] += 1

    run()
    tally("any JSON as a form's values", **outcomes)
