"""An outcome's parts: what is taken, what is refused, how it reads; receipts as they get copied."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.outcome import fields
from handlers.outcome.desk import Found
from handlers.outcome.origin import OutcomeOrigin, read_outcome_origin
from handlers.outcome.reading import read_outcome_form
from handlers.outcome.record import (
    PatientOutcome,
    Standing,
    in_words,
    outcome_from_payload,
    outcome_payload,
    standing_outcome,
)
from handlers.outcome.view import day_hint, outcome_form, second_dose_day
from handlers.ports import PastEvent, outcome_key
from handlers.receipts import read_copied_receipt
from handlers.requests import MalformedPayloadError
from knowledge.factors import Presence
from tests.support.fakes import recorded
from tests.support.outcomes import ASKER, untouched
from tests.support.slack_limits import check_view

grades = st.none() | st.integers(0, 5)
outcomes = st.builds(PatientOutcome, grades, grades, st.sampled_from(Presence), st.integers(1, 90))


@given(outcome=outcomes, replaces=st.none() | st.integers(1, 10**9))
def test_what_is_written_down_is_read_back(outcome: PatientOutcome, replaces: int | None) -> None:
    payload = outcome_payload("7-abcd", outcome, replaces, ASKER, "0.1.0")
    assert outcome_from_payload(payload) == outcome
    event = PastEvent(recorded(9), "outcome_recorded", json.loads(json.dumps(payload)))
    assert standing_outcome(event) == Standing(recorded(9), outcome, replaces)


@given(outcome=outcomes)
def test_a_form_filled_with_what_stands_sends_the_same_back(outcome: PatientOutcome) -> None:
    view = outcome_form(Found("7-abcd", 7, None, Standing(recorded(9), outcome)), channel="C0TUMOURBD")
    check_view(view)
    sent = read_outcome_form(untouched(view))
    assert sent == outcome if not outcome.tells_nothing else set(sent) == set(fields.CHOICES)  # type: ignore[arg-type]  # of a dict: its errors
    assert read_outcome_origin(view["private_metadata"]) == OutcomeOrigin("7-abcd", 9, False, "C0TUMOURBD")


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (PatientOutcome(1, 0, Presence.NO, 8), "CRS grade 1, ICANS none, no prophylactic tocilizumab, seen to day 8"),
        (
            PatientOutcome(None, 5, Presence.YES, 90),
            "CRS not known, ICANS grade 5 (death), prophylactic tocilizumab given, seen to day 90",
        ),
        (
            PatientOutcome(0, None, Presence.UNKNOWN, 1),
            "CRS none, ICANS not known, prophylactic tocilizumab not known, seen to day 1",
        ),
        (PatientOutcome(None, None, Presence.YES, 3), "taken back: neither grade known"),
    ],
)
def test_an_outcome_in_words(outcome: PatientOutcome, words: str) -> None:
    assert in_words(outcome) == words


@pytest.mark.parametrize(("crs", "icans", "day"), [(6, 0, 8), (-1, 0, 8), (0, 6, 8), (0, 0, 0), (0, 0, 91)])
def test_what_cannot_be_is_refused(crs: int, icans: int, day: int) -> None:
    with pytest.raises(ValueError, match=r"is [01] to"):
        PatientOutcome(crs, icans, Presence.NO, day)


@pytest.mark.parametrize("change", [{"crs_grade": "1"}, {"crs_grade": True}, {"day": None}, {"day": 8.0}])
def test_a_payload_of_another_shape_is_not_read(change: dict[str, object]) -> None:
    payload = outcome_payload("7-abcd", PatientOutcome(1, 0, Presence.NO, 8), None, ASKER, "0.1.0")
    with pytest.raises(TypeError):
        outcome_from_payload({**payload, **change})  # type: ignore[dict-item]  # the wrong shape is the case


def test_each_outcome_of_an_answer_has_one_successor() -> None:
    assert (outcome_key(17, None), outcome_key(17, 25)) == ("outcome:17.0", "outcome:17.25")


@pytest.mark.parametrize(
    "text",
    [
        "1284-3f9a",
        "#1284-3F9A",
        " # 1284 - 3f9a ",
        "`#1284-3f9a`",
        "receipt #1284-3f9a.",
        "1284\N{EN DASH}3f9a",
        "1284\N{NON-BREAKING HYPHEN}3F9A",
    ],
)
def test_a_receipt_as_it_gets_copied(text: str) -> None:
    assert str(read_copied_receipt(text)) == "1284-3f9a"


@pytest.mark.parametrize(
    "text",
    ["", "1284", "1284-", "1284-3f9", "1284-3f9a0", "0-3f9a", "-3f9a", "١٢-3f9a", "1284-3f9a 7-abcd", "\uff11-3f9a"],
)
def test_a_number_without_its_digits_of_the_hash_is_no_receipt(text: str) -> None:
    assert read_copied_receipt(text) is None


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2}, {"version": True}, {"receipt": "1"}, {"receipt": None}, {"replaces": 0}, {"replaces": True},
        {"replaces": "9"}, {"home": 1}, {"channel": "<@U1>"}, {"channel": 7}, {"more": 1},
    ],
)  # fmt: skip
def test_a_forms_origin_that_was_not_written_here(change: dict[str, object]) -> None:
    written = json.loads(OutcomeOrigin("7-abcd", 9, True, "C0TUMOURBD").written())
    with pytest.raises(MalformedPayloadError):
        read_outcome_origin(json.dumps(written | change))


@pytest.mark.parametrize("text", [None, "", "[]", "{", "[" * 100_000, 7])
def test_what_is_no_origin_at_all(text: object) -> None:
    with pytest.raises(MalformedPayloadError):
        read_outcome_origin(text)


def test_the_day_is_asked_for_with_the_published_times() -> None:
    assert second_dose_day() == 8
    hint = day_hint()
    for words in (
        "15.9 hours",
        "9.0 to 26.5 hours",
        "inc.eu473.crs_onset",
        "9.0 days",
        "inc.eu473.icans_onset",
        "day 8",
    ):
        assert words in hint
