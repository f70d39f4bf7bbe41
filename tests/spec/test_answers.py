"""Every case of answers.toml: findings in, what the answer says out, each figure against the engine's."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from handlers.answer import AnswerView, build_view
from handlers.answer.view import LABELS
from handlers.parsing import parse
from knowledge import Assessment, UpperLimit, assess
from knowledge.assessment import Outcome
from knowledge.evidence import load as load_evidence
from knowledge.factors import LdhUnit
from knowledge.model import load as load_model
from knowledge.spread import interval_sources

_TABLE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("answers.toml").read_text(encoding="utf-8"))
_CASES = [pytest.param(case, id=case["title"]) for case in _TABLE["case"]]
_KEYS = {"title", "said", "site", "patient", "crs", "icans", "not_known", "assumed"}
_FIGURE = "(below 1|above 99|[0-9]{1,2})"
_ESTIMATE = re.compile(rf"{_FIGURE} % \({_FIGURE} to {_FIGURE}\)")


def _answered(case: dict[str, Any]) -> tuple[Assessment, tuple[str, ...], AnswerView]:
    site = None
    if "site" in case:
        value, unit = case["site"].split(" ")
        site = UpperLimit(value=float(value), unit=LdhUnit(unit))
    understood = parse(case["said"], site_uln=site)
    assessment = assess(understood.factors)
    return (
        assessment,
        understood.notes,
        build_view(assessment, load_evidence(), "1284-3f9a", understood.notes, model=load_model()),
    )


def _paragraphs(view: AnswerView) -> dict[str, str]:
    return {paragraph.heading: paragraph.text for paragraph in view.paragraphs}


def _stands_for(shown: str, fraction: float) -> bool:
    if shown == "below 1":
        return fraction < 0.01
    if shown == "above 99":
        return fraction > 0.99
    return abs(float(shown) - 100 * fraction) <= 0.5


@pytest.mark.parametrize("case", _CASES)
def test_findings_are_repeated_as_understood(case: dict[str, Any]) -> None:
    assert case.keys() <= _KEYS
    assert _answered(case)[2].patient == case["patient"]


@pytest.mark.parametrize("case", _CASES)
def test_each_row_has_the_engines_figures_or_no_estimate(case: dict[str, Any]) -> None:
    assessment, _, view = _answered(case)
    rows = {row.outcome: row.patient for row in view.rows}
    assert list(rows) == list(LABELS.values())
    for outcome, label in LABELS.items():
        if label in _TABLE["no_estimate"]:
            assert rows[label] == "no estimate"
            with pytest.raises(KeyError):
                assessment.risk_of(outcome)
            continue
        shown, engine = _ESTIMATE.fullmatch(rows[label]), assessment.risk_of(outcome)
        assert shown, rows[label]
        for text, fraction in zip(shown.groups(), (engine.risk, *engine.interval), strict=True):
            assert _stands_for(text, fraction), (text, fraction)


@pytest.mark.parametrize("case", _CASES)
def test_predictors_present_and_factors_not_known_are_named(case: dict[str, Any]) -> None:
    assessment, _, view = _answered(case)
    said, against, _ = _paragraphs(view)["Study predictors present"].partition(". Against the ICANS link: ")
    assert against, "what does not replicate must stand beside"
    expected = []
    if "crs" in case:
        expected.append(f"{' and '.join(case['crs'])} (CRS)")
    if "icans" in case:
        events = sum(count.events or 0 for count in assessment.observed if count.outcome == "icans_any")
        expected.append(f"{' and '.join(case['icans'])} (ICANS: one study, {events} events, not replicated)")
    expected = expected or ["none among those known"]
    if "not_known" in case:
        expected.append(f"not known: {', '.join(case['not_known'])}")
    assert said.split("; ") == expected


@pytest.mark.parametrize("case", _CASES)
def test_assumptions_and_notes_are_said(case: dict[str, Any]) -> None:
    assessment, notes, view = _answered(case)
    expected = case.get("assumed", [])
    assert len(notes) + len(assessment.assumptions) == len(expected)
    if not expected:
        assert "Assumed" not in _paragraphs(view)
        return
    text = _paragraphs(view)["Assumed"]
    starts = [text.find(part) for part in expected]
    assert -1 not in starts, text
    assert starts == sorted(starts)
    assert all(sentence in text for sentence in assessment.assumptions)


@pytest.mark.parametrize("case", _CASES)
def test_reasons_are_never_left_out(case: dict[str, Any]) -> None:
    assessment, _, view = _answered(case)
    paragraphs = _paragraphs(view)
    assert {"Prophylactic tocilizumab", "Why so wide", "Evidence"} <= paragraphs.keys()
    assert "not for a patient with symptoms" in view.footer[0]
    assert view.footer[1] == (f"model {assessment.model.id} · evidence {load_evidence().version} · receipt #1284-3f9a")
    by_prior, _, sources = paragraphs["Why so wide"].partition(" What makes CRS of any grade uncertain:")
    for text, pattern, name in (
        (by_prior, rf"{_FIGURE}(?: to {_FIGURE})? %", "risk_by_prior"),
        (sources, rf"[( ]{_FIGURE}(?: to {_FIGURE}) %\)", "interval_study_centre"),
    ):
        shown = re.findall(pattern, text)
        assert len(shown) == 2
        for (low, high), outcome in zip(shown, (Outcome.CRS_ANY, Outcome.ICANS_ANY), strict=True):
            fractions = getattr(assessment.risk_of(outcome), name)
            assert _stands_for(low, min(fractions))
            assert _stands_for(high or low, max(fractions))


@pytest.mark.parametrize("case", _CASES)
def test_what_an_interval_owes_its_width_to_is_the_engines_own(case: dict[str, Any]) -> None:
    assessment, _, view = _answered(case)
    _, crs, icans = re.split(r"uncertain: |\. ICANS: ", _paragraphs(view)["Why so wide"])
    for text, split in zip((crs, icans), interval_sources(assessment.factors), strict=True):
        parts = re.findall(rf"(?:, |^){_FIGURE} % ([a-z' ]+[a-z])", text)
        shown = {name: int(figure.replace("below 1", "0").replace("above 99", "100")) for figure, name in parts}
        fractions = {"the study's size": split.study, "the unknown centre": split.centre}
        if split.findings > 0:  # which findings, and what they do, are open together
            fractions = {"findings not known and what they do": split.study + split.findings} | fractions
            del fractions["the study's size"]
        assert shown.keys() == fractions.keys()
        assert sum(shown.values()) == 100
        # Rounded so as to make up the whole, a share may stand up to one per cent beside itself.
        assert all(abs(shown[name] - 100 * fraction) < 1 for name, fraction in fractions.items())


def test_the_jump_at_the_limit_is_the_engines_own() -> None:
    """The note near the limit gives the estimates at it and just above it."""
    assessment, _, _ = _answered({"said": "ldh 240/250 liver no dm no cvd no"})
    at, above = (assess(parse(f"ldh {figure} liver no dm no cvd no").factors) for figure in ("250/250", "250.001/250"))
    (note,) = assessment.assumptions
    shown = re.findall(rf"from {_FIGURE} % to {_FIGURE} %", note)
    assert len(shown) == 2
    for (before, after), index in zip(shown, (0, 1), strict=True):
        assert _stands_for(before, at.outcomes[index].risk)
        assert abs(float(after) - 100 * above.outcomes[index].risk) <= 0.51


def test_the_table_covers_what_it_should() -> None:
    assert len(_CASES) >= 25
    assert len({case["title"] for case in _TABLE["case"]}) == len(_CASES)
