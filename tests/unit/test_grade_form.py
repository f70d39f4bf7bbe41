"""The grade forms: within Slack's limits, free of text fields, and nothing counts as chosen that was not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.lookup.grade import grade_result
from handlers.lookup.grade_form import (
    ACTION_ID,
    CHOOSE_ONE,
    GRADE_CALLBACKS,
    GradeKind,
    grade_form_view,
    read_grade_form,
)
from knowledge.label.grading import CrsFindings, Fever, IcansFindings
from tests.support.lookups import TODAY, resolve
from tests.support.shown_numbers import uncovered
from tests.support.slack_limits import check_view

KINDS: tuple[GradeKind, ...] = ("crs", "icans")
CRS = {"grade_fever": "yes", "grade_hypotension": "one_vasopressor", "grade_hypoxia": "low_flow"}
ICANS = {
    "grade_orientation": "3",
    "grade_naming": "3",
    "grade_commands": "1",
    "grade_writing": "0",
    "grade_attention": "0",
    "grade_consciousness": "voice",
    "grade_seizure": "none",
    "grade_motor": "none",
    "grade_oedema": "none",
}
CHOSEN: dict[GradeKind, dict[str, str]] = {"crs": CRS, "icans": ICANS}


def _fields(kind: GradeKind) -> list[dict[str, Any]]:
    return [block for block in grade_form_view(kind)["blocks"] if block["type"] == "input"]


def _state(chosen: dict[str, str]) -> dict[str, Any]:
    """``view.state.values`` as Slack sends it."""
    return {
        block: {ACTION_ID: {"type": "radio_buttons", "selected_option": {"text": {}, "value": value}}}
        for block, value in chosen.items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_slack_takes_the_view_and_every_number_has_its_record(kind: GradeKind) -> None:
    view = grade_form_view(kind, private_metadata="m" * 3_000)
    check_view(view)
    assert uncovered(view["blocks"], resolve) == []
    assert view["callback_id"] == GRADE_CALLBACKS[kind] == f"tarla_grade_{kind}"
    assert view["private_metadata"] == "m" * 3_000


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_typed_and_nothing_is_chosen_beforehand(kind: GradeKind) -> None:
    fields = _fields(kind)
    assert {field["element"]["type"] for field in fields} <= {"radio_buttons", "static_select"}
    assert "initial" not in json.dumps(fields)
    assert not any(field.get("optional") for field in fields)
    assert {field["block_id"] for field in fields} == set(CHOSEN[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_every_choice_is_read_and_graded(kind: GradeKind) -> None:
    for field in _fields(kind):
        for option in field["element"]["options"]:
            findings = read_grade_form(kind, _state({**CHOSEN[kind], field["block_id"]: option["value"]}))
            assert isinstance(findings, CrsFindings | IcansFindings)
            assert grade_result(findings, TODAY).code == f"grade.{kind}"


def test_what_was_chosen_is_what_is_read() -> None:
    assert read_grade_form("crs", _state(CRS)) == CrsFindings(Fever.YES, "one_vasopressor", "low_flow")
    points = {"orientation": 3, "naming": 3, "commands": 1, "writing": 0, "attention": 0}
    assert read_grade_form("icans", _state(ICANS)) == IcansFindings(points, "voice", "none", "none", "none")


@pytest.mark.parametrize(
    "nothing",
    [
        None,
        {},
        {ACTION_ID: None},
        {ACTION_ID: {"type": "radio_buttons", "selected_option": None}},
        {ACTION_ID: {"selected_option": {"value": None}}},
        {ACTION_ID: {"selected_option": {"value": ["yes"]}}},
        {ACTION_ID: {"selected_option": {"value": "other words"}}},
        {ACTION_ID: {"value": "yes"}},
        "yes",
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_field_left_empty_or_unknown_is_an_error_under_it(kind: GradeKind, nothing: Any) -> None:
    for block_id in CHOSEN[kind]:
        assert read_grade_form(kind, {**_state(CHOSEN[kind]), block_id: nothing}) == {block_id: CHOOSE_ONE}


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_form_has_an_error_under_each_field(kind: GradeKind) -> None:
    assert read_grade_form(kind, {}) == dict.fromkeys(CHOSEN[kind], CHOOSE_ONE)


def test_the_result_names_the_labels_management_and_keeps_what_was_chosen() -> None:
    findings = read_grade_form("crs", _state(CRS))
    assert isinstance(findings, CrsFindings)
    result = grade_result(findings, TODAY)
    assert result.text.startswith("CRS grade 3 by ASTCT 2019")
    assert "/tarla manage crs 3" in result.text
    assert dict(result.arguments) == {
        "fever": "yes",
        "hypotension": "one_vasopressor",
        "hypoxia": "low_flow",
        "grade": 3,
    }


def test_without_fever_there_is_no_grade_and_no_management() -> None:
    result = grade_result(CrsFindings(Fever.NO, "one_vasopressor", "none"), TODAY)
    assert result.text.startswith("No grade: ASTCT 2019 grades CRS only with fever")
    assert "/tarla manage" not in result.text
    assert result.arguments["grade"] is None


def test_the_ice_score_is_shown_as_a_sum() -> None:
    findings = read_grade_form("icans", _state(ICANS))
    assert isinstance(findings, IcansFindings)
    result = grade_result(findings, TODAY)
    assert "ICE: 3 + 3 + 1 + 0 + 0 = 7 of 10" in result.text
    assert result.text.startswith("ICANS grade 2 by ASTCT 2019")
    assert result.arguments["ice_score"] == 7


def test_deep_focal_weakness_alone_comes_with_the_caution_beside_the_instruction() -> None:
    """ASTCT has a motor row, the label's table has none: its instruction is not read without that."""
    points = {"orientation": 4, "naming": 3, "commands": 1, "writing": 1, "attention": 1}
    alone = IcansFindings(points, "alert", "none", "focal_weakness", "none")
    (managed,) = (str(block["text"]["text"]) for block in grade_result(alone, TODAY).blocks if "US label" in str(block))
    caution = "The tarlatamab tables (US, EU) leave out the motor row"
    assert managed.index(caution) < managed.index("top for good")
    assert "rests on the motor finding alone; without it the findings stand for no grade" in managed
    drowsy = IcansFindings(points, "voice", "none", "focal_weakness", "none")
    assert "without it the findings stand for grade 2" in grade_result(drowsy, TODAY).text
    for others in (
        IcansFindings(points, "alert", "prolonged", "focal_weakness", "none"),
        IcansFindings(points, "alert", "prolonged", "none", "none"),
    ):
        (managed,) = (block for block in grade_result(others, TODAY).blocks if "US label at" in str(block))
        assert caution not in str(managed)
