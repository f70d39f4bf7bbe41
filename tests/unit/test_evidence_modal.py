"""The evidence as a modal: the same pages with a choice of topics and buttons to turn them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.evidence.for_answer import evidence_for_answer
from handlers.evidence.modal import PAGE_ACTION, TOPIC_ACTION, answer_modal, evidence_action, evidence_modal
from handlers.evidence.topics import TOPICS
from handlers.requests import MalformedPayloadError
from knowledge import PatientFactors, Presence, comparators
from knowledge.evidence import load
from tests.support.evidence_views import LATER, TODAY, allowed_links, record_behind, texts_of, topic_look_ups
from tests.support.shown_numbers import uncovered
from tests.support.slack_limits import check_view

BESIDE = ("ldh", "liver", "crs")


def _elements(view: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    actions = [block for block in view["blocks"] if block["type"] == "actions"]
    return [element for block in actions for element in block["elements"] if element["type"] == kind]


def _state(view: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(view["private_metadata"])
    return state


def _choose(view: dict[str, Any], topic: str, today: str = TODAY) -> dict[str, Any]:
    (select,) = _elements(view, "static_select")
    option = next(option for option in select["options"] if option["value"] == topic)
    return evidence_action(view, {**select, "selected_option": option}, today)


def _turn(view: dict[str, Any], label: str) -> dict[str, Any]:
    (button,) = [each for each in _elements(view, "button") if each["text"]["text"] == label]
    return evidence_action(view, button, TODAY)


@pytest.mark.parametrize(("topic", "number"), [(topic, number) for topic, number, _ in topic_look_ups()])
@pytest.mark.parametrize("beside", [None, BESIDE])
def test_every_page_is_a_view_that_slack_takes(topic: str, number: int, beside: tuple[str, ...] | None) -> None:
    view = evidence_modal(topic, number, TODAY, beside)
    check_view(view, allowed_links=allowed_links())
    assert len(json.dumps(view)) < 250_000
    (select,) = _elements(view, "static_select")
    assert select["initial_option"]["value"] == topic
    assert _state(view) == {"topic": topic, "page": number, "beside": None if beside is None else list(beside)}
    assert "/tarla evidence" not in texts_of(view["blocks"])[-2]


def test_the_modal_says_what_the_message_says() -> None:
    for topic, number, look_up in topic_look_ups():
        view = evidence_modal(topic, number, TODAY)
        said = [text for text in texts_of(view["blocks"]) if text]
        for text in texts_of(look_up.blocks)[:-1]:
            assert not text or text in said


def test_pages_are_turned_to_the_end_and_back() -> None:
    view = evidence_modal("icans", 1, TODAY)
    seen = [_state(view)["page"]]
    assert [button["text"]["text"] for button in _elements(view, "button")] == ["Next page"]
    while any(button["text"]["text"] == "Next page" for button in _elements(view, "button")):
        view = _turn(view, "Next page")
        check_view(view, allowed_links=allowed_links())
        seen.append(_state(view)["page"])
    assert seen == list(range(1, sum(topic == "icans" for topic, _, _ in topic_look_ups()) + 1))
    assert _state(_turn(view, "Previous page"))["page"] == seen[-2]


def test_a_topic_is_chosen_and_starts_at_its_first_page() -> None:
    view = _choose(_turn(evidence_modal("icans", 1, TODAY), "Next page"), "liver")
    assert (_state(view)["topic"], _state(view)["page"]) == ("liver", 1)
    assert "*Liver metastases* `liver`" in texts_of(view["blocks"])[1]


def test_every_topic_can_be_chosen_and_findings_come_first_beside_an_answer() -> None:
    plain = _elements(evidence_modal("crs", 1, TODAY), "static_select")[0]["options"]
    assert [option["value"] for option in plain] == [topic.id for topic in TOPICS]
    beside = _elements(evidence_modal("crs", 1, TODAY, BESIDE), "static_select")[0]["options"]
    assert [option["value"] for option in beside][:4] == ["answer", *BESIDE]
    assert {option["value"] for option in beside} == {"answer", *(topic.id for topic in TOPICS)}


@pytest.mark.parametrize(
    "action",
    [
        {"action_id": TOPIC_ACTION, "selected_option": None},
        {"action_id": TOPIC_ACTION},
        {"action_id": TOPIC_ACTION, "selected_option": {"value": "mueller"}},
        {"action_id": TOPIC_ACTION, "selected_option": {"value": "answer"}},
        {"action_id": PAGE_ACTION},
        {"action_id": PAGE_ACTION, "value": "two"},
        {"action_id": "something_else", "value": "1"},
    ],
)
def test_an_action_that_says_nothing_leaves_the_page_as_it_is(action: dict[str, Any]) -> None:
    view = evidence_modal("icans", 2, TODAY)
    assert evidence_action(view, action, TODAY) == view


@pytest.mark.parametrize(("value", "page"), [("0", 1), ("999", -1)])
def test_a_page_out_of_range_is_the_nearest(value: str, page: int) -> None:
    last = sum(topic == "icans" for topic, _, _ in topic_look_ups())
    view = evidence_action(evidence_modal("icans", 2, TODAY), {"action_id": PAGE_ACTION, "value": value}, TODAY)
    assert _state(view)["page"] == (page if page > 0 else last)


@pytest.mark.parametrize(
    "held",
    [
        "",
        "{}",
        "[" * 3_000,
        '{"topic":["icans"],"page":1,"beside":null}',
        '{"topic":"mueller","page":1,"beside":null}',
        '"x"',
    ],
)
def test_a_view_that_is_not_this_modal_is_refused(held: str) -> None:
    with pytest.raises(MalformedPayloadError, match="private_metadata"):
        evidence_action({"private_metadata": held}, {"action_id": PAGE_ACTION, "value": "1"}, TODAY)


def test_no_page_before_the_first_and_no_answer_without_one() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        evidence_modal("icans", 0, TODAY)
    with pytest.raises(ValueError, match="no answer"):
        evidence_modal("answer", 1, TODAY)
    with pytest.raises(KeyError):
        evidence_modal("mueller", 1, TODAY)


def test_marks_follow_the_day_of_the_action() -> None:
    view = evidence_modal("crs", 2, TODAY)
    assert "past review date" not in "\n".join(texts_of(view["blocks"]))
    assert "past review date" in "\n".join(texts_of(_choose(view, "liver", LATER)["blocks"]))


@pytest.mark.parametrize("liver", list(Presence))
@pytest.mark.parametrize("diabetes", list(Presence))
@pytest.mark.parametrize("cvd", list(Presence))
def test_an_answers_evidence_begins_with_its_figures_and_follows_its_findings(
    liver: Presence, diabetes: Presence, cvd: Presence
) -> None:
    factors = PatientFactors(liver_metastases=liver, diabetes=diabetes, cardiovascular_disease=cvd)
    behind = evidence_for_answer(factors, TODAY)
    assert set(comparators.shown_ids()) - set(comparators.SUPPORTING) <= set(behind.records)
    assert ("rf.joshi.liver.crs" in behind.records) is (liver is not Presence.NO)
    assert ("rf.joshi.diabetes.icans" in behind.records) is (diabetes is not Presence.NO)
    assert ("rf.joshi.cvd.icans" in behind.records) is (cvd is not Presence.NO)
    assert set(behind.topics) <= {topic.id for topic in TOPICS}
    view = answer_modal(factors, TODAY)
    assert view == evidence_modal("answer", 1, TODAY, behind.topics)
    check_view(view, allowed_links=allowed_links())
    text = "\n".join(texts_of(view["blocks"]))
    assert all(f"`{name}`" in text for name in behind.records)
    for source in {record_behind(name)["source"] for name in behind.records}:
        assert f"`{source}` {load().source(source).reference.replace('&', '&amp;')}" in text
    # The blocks that count entries are those with the choice of topics, the gist and what to read on.
    entries = [block for block in view["blocks"] if "`inc." in str(block) or "`rf." in str(block)]
    assert uncovered(entries, record_behind) == []


def test_from_any_topic_there_is_a_way_back_to_the_answers_evidence() -> None:
    view = evidence_modal("answer", 1, TODAY, BESIDE)
    back = _choose(_turn(_choose(view, "icans"), "Next page"), "answer")
    assert back == view
