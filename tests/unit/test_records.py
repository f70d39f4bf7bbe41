"""What the ledger keeps of an answer: closed vocabulary and six decimals, from which it can be computed again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.ledger.leaf import canonical
from handlers.parsing import RefusalCode, parse
from handlers.ports import Kind, PastEvent
from handlers.records import (
    PAYLOAD_VERSION,
    computed_payload,
    factors_from_record,
    factors_record,
    past_answer,
    refused_payload,
)
from handlers.requests import Asker, Question
from knowledge import PatientFactors, UpperLimit, assess
from knowledge.assessment import Outcome
from knowledge.evidence import load as load_evidence
from knowledge.factors import Ldh, LdhCategory, LdhMeasured, LdhMultiple, LdhUnit, Presence
from tests.support.fakes import recorded

ASKER = Asker(via="slash_command", user="U0FELLOW01", channel="C0TUMOURBD", team="T0TARLADEV")
_SIX_DECIMALS = re.compile(r"[01]\.[0-9]{6}")
_EXACT = re.compile(r"[0-9]+\.[0-9]+(e-[0-9]+)?")


@st.composite
def _measured(draw: st.DrawFn) -> LdhMeasured:
    """Any figure in range, in either unit for the LDH and for its limit."""
    unit, limit_unit = draw(st.sampled_from(LdhUnit)), draw(st.sampled_from(LdhUnit))
    limit = draw(st.floats(min_value=100.001, max_value=599.999))
    value = draw(st.floats(min_value=max(50.001, 0.10001 * limit), max_value=min(9998.999, 39.999 * limit)))
    return LdhMeasured(
        value=value / unit.to_u_per_l(1.0),
        unit=unit,
        uln=UpperLimit(value=limit / limit_unit.to_u_per_l(1.0), unit=limit_unit),
        uln_from=draw(st.sampled_from(("given", "site"))),
    )


_LDH: st.SearchStrategy[Ldh | None] = st.one_of(
    st.none(),
    _measured(),
    st.builds(LdhMultiple, multiple=st.floats(min_value=0.1, max_value=40)),
    st.builds(LdhCategory, category=st.sampled_from(("high", "normal"))),
)
_FACTORS = st.builds(
    PatientFactors,
    ldh=_LDH,
    liver_metastases=st.sampled_from(Presence),
    diabetes=st.sampled_from(Presence),
    cardiovascular_disease=st.sampled_from(Presence),
)


def _payload(factors: PatientFactors, notes: tuple[str, ...] = ()) -> dict[str, Any]:
    """The payload as it comes back from the ledger's bytes."""
    payload = computed_payload(assess(factors), notes, ASKER, load_evidence().version, "0.0.0")
    read_back: dict[str, Any] = json.loads(canonical(payload))
    return read_back


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, f"{path}[]")
    else:
        yield path, value


@given(_FACTORS)
def test_findings_come_back_exactly(factors: PatientFactors) -> None:
    record = json.loads(canonical(factors_record(factors)))
    assert factors_from_record(record) == factors


@settings(max_examples=25, deadline=None)
@given(_FACTORS)
def test_the_answer_can_be_computed_again_from_its_row(factors: PatientFactors) -> None:
    payload = _payload(factors)
    again = _payload(factors_from_record(payload["factors"]))
    assert again["outcomes"] == payload["outcomes"]
    assert again == payload


@settings(max_examples=25, deadline=None)
@given(_FACTORS)
def test_figures_have_six_decimals_and_are_the_engines(factors: PatientFactors) -> None:
    payload = _payload(factors)
    figures = [value for path, value in _leaves(payload["outcomes"]) if not path.endswith("outcome")]
    assert len(figures) == 3 * 8
    assert all(isinstance(figure, str) and _SIX_DECIMALS.fullmatch(figure) for figure in figures)
    for record, risk in zip(payload["outcomes"], assess(factors).outcomes, strict=True):
        assert record["outcome"] == risk.outcome
        assert abs(float(record["risk"]) - risk.risk) <= 5.000001e-7


@settings(max_examples=25, deadline=None)
@given(_FACTORS)
def test_the_payload_is_closed_vocabulary_and_numbers(factors: PatientFactors) -> None:
    """Each text is a name known beforehand, a number, or a sentence of the engine's own."""
    assessment = assess(factors)
    vocabulary: dict[str, set[object]] = {
        "version": {PAYLOAD_VERSION},
        "asker.via": {ASKER.via},
        "asker.user": {ASKER.user},
        "asker.channel": {ASKER.channel},
        "asker.team": {ASKER.team},
        "factors.ldh": {None},
        "factors.ldh.unit": set(LdhUnit),
        "factors.ldh.uln_unit": set(LdhUnit),
        "factors.ldh.uln_from": {"given", "site"},
        "factors.ldh.category": {"high", "normal"},
        "factors.liver_metastases": set(Presence),
        "factors.diabetes": set(Presence),
        "factors.cardiovascular_disease": set(Presence),
        "outcomes[].outcome": set(Outcome),
        "assumptions[]": set(assessment.assumptions),
        "model.id": {assessment.model.id},
        "model.sha256": {assessment.model.sha256},
        "evidence": {load_evidence().version},
        "code": {"0.0.0"},
    }
    for path, value in _leaves(_payload(factors)):
        assert not isinstance(value, float)
        if path in {"factors.ldh.value", "factors.ldh.uln", "factors.ldh.multiple"}:
            assert isinstance(value, str)
            assert _EXACT.fullmatch(value), value
        elif not path.startswith("outcomes") or path.endswith("outcome"):
            assert value in vocabulary[path], path


def test_notes_say_how_the_text_was_read() -> None:
    understood = parse("ldh 480 chf yes", site_uln=UpperLimit(value=250))
    payload = _payload(understood.factors, understood.notes)
    assert payload["notes"] == list(understood.notes)
    assert payload["factors"]["ldh"]["uln_from"] == "site"


def test_a_refusal_keeps_why_and_where_never_what() -> None:
    payload = refused_payload(f"{RefusalCode.UNKNOWN_WORD}@3", ASKER, 41, "0.0.0")
    assert payload == {
        "version": PAYLOAD_VERSION,
        "asker": {"via": "slash_command", "user": "U0FELLOW01", "channel": "C0TUMOURBD", "team": "T0TARLADEV"},
        "reason": "E_UNKNOWN_WORD",
        "word": 3,
        "length": 41,
        "code": "0.0.0",
    }


_UNKNOWN = {"liver_metastases": "unknown", "diabetes": "unknown", "cardiovascular_disease": "unknown"}


@pytest.mark.parametrize(
    "record",
    [
        {},
        _UNKNOWN,
        {"ldh": None},
        {**_UNKNOWN, "ldh": "high"},
        {**_UNKNOWN, "ldh": ["high"]},
        {**_UNKNOWN, "ldh": {}},
        {**_UNKNOWN, "ldh": {"category": "raised"}},
        {**_UNKNOWN, "ldh": {"value": "480.0"}},
        {**_UNKNOWN, "ldh": {"multiple": "nan"}},
        {**_UNKNOWN, "ldh": {"multiple": "many"}},
        {**_UNKNOWN, "ldh": None, "diabetes": "perhaps"},
        {**_UNKNOWN, "ldh": None, "age": "66"},
    ],
)
def test_a_record_of_another_hand_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        factors_from_record(record)


def test_what_was_typed_is_not_in_a_questions_repr() -> None:
    question = Question(key="command:1", text="Zaphod Beeblebrox", asker=ASKER)
    assert "Zaphod" not in repr(question)
    assert "Zaphod" not in str(question)
    assert "command:1" in repr(question)


@settings(max_examples=30)
@given(_FACTORS)
def test_an_answer_agrees_with_itself_and_not_with_another(factors: PatientFactors) -> None:
    assessment = assess(factors)
    past = past_answer(PastEvent(recorded(7), Kind.COMPUTED, _payload(factors)))
    assert past is not None
    assert past.agrees(assessment)
    first, *others = assessment.outcomes
    for shift, same in ((1e-6, True), (-1e-6, True), (1e-5, False), (-1e-5, False)):
        moved = first.model_copy(update={"risk": first.risk + shift})
        assert past.agrees(assessment.model_copy(update={"outcomes": (moved, *others)})) is same
    assert not past.agrees(assessment.model_copy(update={"outcomes": (first,)}))
    assert not past.agrees(assessment.model_copy(update={"outcomes": (*others, first)}))
