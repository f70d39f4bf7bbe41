"""No number in an answer without its origin: each is traced to the engine or to facts that the answer names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from scipy import stats

from handlers.answer import build_view
from handlers.answer.elsewhere import elsewhere
from handlers.answer.view import AnswerView
from knowledge import Assessment, PatientFactors, assess, comparators
from knowledge.assessment import Outcome
from knowledge.evidence import Association, Fact, Source
from knowledge.evidence import load as load_evidence
from knowledge.factors import LdhMeasured, Presence, UpperLimit

_NUMBER = re.compile(r"(?<![\w.])[0-9]+(?:\.[0-9]+)?")
_WORDS = {"one": 1, "two": 2, "three": 3, "ten": 10}
_EVIDENCE = load_evidence()
Record = Fact | Association | Source


def _numbers(text: str) -> set[str]:
    """The numbers in a text, small ones in words too; digits inside an identifier are not numbers."""
    spelt = {str(_WORDS[word]) for word in re.findall(r"[a-z]+", text.lower()) if word in _WORDS}
    return spelt | set(_NUMBER.findall(text))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield f"{value:g}" if isinstance(value, float) else str(value)


def _printed(records: Iterable[Record]) -> set[str]:
    """What the records themselves say, and their percentages and rates rounded to whole per cents."""
    known: set[str] = set()
    for record in records:
        # A date such as 2025-12-05 holds the year that a citation gives.
        known |= _numbers(" ".join(_texts(record.model_dump())).replace("-", " ").replace("%", " "))
        if isinstance(record, Fact):
            if record.percent is not None:
                known.add(f"{float(_NUMBER.findall(record.percent)[0]):.0f}")
            if record.count is not None and record.denominator is not None:
                known |= {str(record.count), str(record.denominator)}
                known.add(f"{100 * record.count / record.denominator:.0f}")
    return known


def _exact_limits(fact: Fact) -> set[str]:
    """Clopper-Pearson limits by scipy's beta quantiles, in whole per cents as an answer writes them."""
    assert fact.count is not None
    assert fact.denominator is not None
    k, n = fact.count, fact.denominator
    low = float(stats.beta.ppf(0.025, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    return {"1" if 0 < limit < 0.01 else f"{100 * limit:.0f}" for limit in (low, high)}


def _answer() -> tuple[Assessment, AnswerView]:
    assessment = assess(
        PatientFactors(
            ldh=LdhMeasured(value=480, uln=UpperLimit(value=250)),
            liver_metastases=Presence.YES,
            diabetes=Presence.YES,
            cardiovascular_disease=Presence.YES,
        )
    )
    return assessment, build_view(assessment, _EVIDENCE, "1-0000")


def _paragraph(view: AnswerView, heading: str) -> str:
    (text,) = (paragraph.text for paragraph in view.paragraphs if paragraph.heading == heading)
    return text


@pytest.mark.parametrize("outcome", Outcome)
def test_elsewhere_shows_only_figures_of_its_own_facts(outcome: Outcome) -> None:
    facts = [_EVIDENCE.fact(name) for name in comparators.ELSEWHERE[outcome]]
    text = elsewhere(outcome, _EVIDENCE)
    assert _numbers(text) <= _printed(facts)
    assert bool(facts) == bool(_numbers(text))


@pytest.mark.parametrize("outcome", [outcome for outcome, facts in comparators.ELSEWHERE.items() if facts])
def test_elsewhere_says_the_time_window_of_each_trial_rate(outcome: Outcome) -> None:
    text = elsewhere(outcome, _EVIDENCE)
    trials = [_EVIDENCE.fact(name) for name in comparators.ELSEWHERE[outcome] if "473" in name]
    assert trials
    # What was looked for and not found has no rate whose window could be said.
    assert all(fact.window in text for fact in trials if not fact.absent)


def test_every_id_that_is_shown_is_named_in_the_assessment_and_exists() -> None:
    assessment, _ = _answer()
    assert set(comparators.shown_ids()) <= set(assessment.evidence)
    known = {record.id for record in _EVIDENCE}
    assert set(assessment.evidence) <= known
    assert len(set(assessment.evidence)) == len(assessment.evidence)


def test_the_study_column_is_the_studys_facts() -> None:
    assessment, view = _answer()
    for row, (outcome, name) in zip(view.rows, comparators.STUDY.items(), strict=True):
        fact = _EVIDENCE.fact(name)
        if fact.count is None:
            assert row.study == "not reported"
            continue
        allowed = {str(fact.count), str(fact.denominator)}
        if outcome in (Outcome.CRS_GRADE3PLUS, Outcome.ICANS_GRADE3PLUS):
            allowed |= _exact_limits(fact)
        else:
            allowed |= _printed([fact])
        assert {str(fact.count), str(fact.denominator)} <= _numbers(row.study) <= allowed
        observed = assessment.observed_of(outcome)
        assert (observed.events, observed.n) == (fact.count, fact.denominator)


def test_tocilizumab_shows_counts_exact_limits_and_fishers_p() -> None:
    _, view = _answer()
    text = _paragraph(view, "Prophylactic tocilizumab")
    expected: set[str] = set()
    pairs = ((comparators.TOCILIZUMAB_CRS, Outcome.CRS_ANY), (comparators.TOCILIZUMAB_ICANS, Outcome.ICANS_ANY))
    for treated_id, outcome in pairs:
        treated, untreated = _EVIDENCE.fact(treated_id), _EVIDENCE.fact(comparators.STUDY[outcome])
        (a, n), (c, m) = ((fact.count or 0, fact.denominator or 0) for fact in (treated, untreated))
        p = float(stats.fisher_exact(np.array([[a, n - a], [c, m - c]])).pvalue)
        expected |= {str(a), str(n), str(c), str(m), f"{p:.2g}"} | _exact_limits(treated)
        assert f"p = {p:.2g}{', compatible with chance' if p > 0.05 else ''})" in text
    assert _numbers(text) == expected


def test_reasons_and_sources_are_traced() -> None:
    assessment, view = _answer()
    shown = [_EVIDENCE.facts.get(name) or _EVIDENCE.associations[name] for name in assessment.evidence]
    sources = [_EVIDENCE.source(name) for name in {record.source for record in shown}]
    known = _printed([*shown, *sources])
    for heading in ("Study predictors present", "Evidence"):
        assert _numbers(_paragraph(view, heading)) <= known, heading
    ids = re.findall(r"inc\.\w+", _paragraph(view, "Evidence"))
    assert ids
    assert all(any(name.startswith(f"{prefix}.") for name in assessment.evidence) for prefix in ids)


def test_how_many_cohorts_support_the_liver_is_counted() -> None:
    _, view = _answer()
    links = [_EVIDENCE.association(name) for name in comparators.SUPPORTING]
    cohorts = {link.source for link in links if "liver" in link.factor and link.direction == "higher"}
    assert len(cohorts) == _WORDS["two"]
    assert "two other cohorts also link liver metastases to CRS" in _paragraph(view, "Study predictors present")


def test_a_number_without_origin_would_be_seen() -> None:
    fact = _EVIDENCE.fact("inc.eu473.crs_after_dose1")
    assert _numbers("58 % after dose 1") - _printed([fact]) == {"58"}
    assert _numbers("entries inc.wclc25, grade3") == set()
