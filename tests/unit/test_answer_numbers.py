"""No number in an answer without its origin: each is traced to the engine or to facts that the answer names."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import stats

from handlers.answer import build_view
from handlers.answer.elsewhere import elsewhere
from handlers.answer.view import AnswerView
from knowledge import Assessment, PatientFactors, assess, comparators
from knowledge.assessment import Outcome
from knowledge.evidence import load as load_evidence
from knowledge.factors import LdhMeasured, Presence, UpperLimit
from knowledge.model import load as load_model
from tests.support.origins import WORDS, exact_limits, numbers, printed

_EVIDENCE = load_evidence()


def _answer() -> tuple[Assessment, AnswerView]:
    assessment = assess(
        PatientFactors(
            ldh=LdhMeasured(value=480, uln=UpperLimit(value=250)),
            liver_metastases=Presence.YES,
            diabetes=Presence.YES,
            cardiovascular_disease=Presence.YES,
        )
    )
    return assessment, build_view(assessment, _EVIDENCE, "1-0000", model=load_model())


def _paragraph(view: AnswerView, heading: str) -> str:
    (text,) = (paragraph.text for paragraph in view.paragraphs if paragraph.heading == heading)
    return text


@pytest.mark.parametrize("outcome", Outcome)
def test_elsewhere_shows_only_figures_of_its_own_facts(outcome: Outcome) -> None:
    facts = [_EVIDENCE.fact(name) for name in comparators.ELSEWHERE[outcome]]
    text = elsewhere(outcome, _EVIDENCE)
    assert numbers(text) <= printed(facts)
    assert bool(facts) == bool(numbers(text))


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
            allowed |= exact_limits(fact)
        else:
            allowed |= printed([fact])
        assert {str(fact.count), str(fact.denominator)} <= numbers(row.study) <= allowed
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
        expected |= {str(a), str(n), str(c), str(m), f"{p:.2g}"} | exact_limits(treated)
        assert f"p = {p:.2g}{', compatible with chance' if p > 0.05 else ''})" in text
    assert numbers(text) == expected


def test_reasons_and_sources_are_traced() -> None:
    assessment, view = _answer()
    shown = [_EVIDENCE.facts.get(name) or _EVIDENCE.associations[name] for name in assessment.evidence]
    sources = [_EVIDENCE.source(name) for name in {record.source for record in shown}]
    known = printed([*shown, *sources])
    for heading in ("Study predictors present", "Evidence"):
        assert numbers(_paragraph(view, heading)) <= known, heading
    ids = re.findall(r"inc\.\w+", _paragraph(view, "Evidence"))
    assert ids
    assert all(any(name.startswith(f"{prefix}.") for name in assessment.evidence) for prefix in ids)


def test_how_many_cohorts_support_the_liver_is_counted() -> None:
    _, view = _answer()
    links = [_EVIDENCE.association(name) for name in comparators.SUPPORTING]
    cohorts = {link.source for link in links if "liver" in link.factor and link.direction == "higher"}
    assert len(cohorts) == WORDS["two"]
    assert "two other cohorts also link liver metastases to CRS" in _paragraph(view, "Study predictors present")


def test_a_number_without_origin_would_be_seen() -> None:
    fact = _EVIDENCE.fact("inc.eu473.crs_after_dose1")
    assert numbers("58 % after dose 1") - printed([fact]) == {"58"}
    assert numbers("entries inc.wclc25, grade3") == set()
