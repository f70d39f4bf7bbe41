"""Where the numbers of a risk answer may come from: the engine's own figures, and the records that it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scipy import stats

from knowledge import Assessment, comparators
from knowledge.evidence import Association, Evidence, Fact, Source
from knowledge.evidence import load as load_evidence
from knowledge.factors import LdhMeasured, LdhMultiple
from knowledge.spread import interval_sources

_NUMBER = re.compile(r"(?<![\w.])[0-9]+(?:\.[0-9]+)?")
WORDS = {"one": 1, "two": 2, "three": 3, "ten": 10}
Record = Fact | Association | Source


def numbers(text: str) -> set[str]:
    """The numbers in a text, small ones in words too; digits inside an identifier are not numbers."""
    spelt = {str(WORDS[word]) for word in re.findall(r"[a-z]+", text.lower()) if word in WORDS}
    return spelt | set(_NUMBER.findall(text))


def texts_in(value: object) -> Iterator[str]:
    """Every leaf of a record as text."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)
    elif value is not None:
        yield f"{value:g}" if isinstance(value, float) else str(value)


def printed(records: Iterable[Record]) -> set[str]:
    """What the records themselves say, and their percentages and rates rounded to whole per cents."""
    known: set[str] = set()
    for record in records:
        # A date such as 2025-12-05 holds the year that a citation gives.
        known |= numbers(" ".join(texts_in(record.model_dump())).replace("-", " ").replace("%", " "))
        if isinstance(record, Fact):
            if record.percent is not None:
                known.add(f"{float(_NUMBER.findall(record.percent)[0]):.0f}")
            if record.count is not None and record.denominator is not None:
                known |= {str(record.count), str(record.denominator)}
                known.add(f"{100 * record.count / record.denominator:.0f}")
    return known


def exact_limits(fact: Fact) -> set[str]:
    """Clopper-Pearson limits by scipy's beta quantiles, in whole per cents as an answer writes them."""
    assert fact.count is not None
    assert fact.denominator is not None
    k, n = fact.count, fact.denominator
    low = float(stats.beta.ppf(0.025, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    return {"1" if 0 < limit < 0.01 else f"{100 * limit:.0f}" for limit in (low, high)}


def estimated(assessment: Assessment) -> set[str]:
    """What the engine worked out for a patient, as whole per cents: estimates, limits, ranges, shares."""
    known: set[str] = set()
    for outcome in assessment.outcomes:
        shown = (outcome.risk, *outcome.interval, *outcome.interval_study_centre, *outcome.risk_by_prior)
        known |= {_per_cent(value) for value in shown}
    for split in interval_sources(assessment.factors):
        for share in (split.study, split.centre, split.findings, split.study + split.findings):
            # Shares are rounded so that they add up to 100.
            known |= {f"{int(100 * share)}", f"{int(100 * share) + 1}", "99"}
    return known


def given(assessment: Assessment) -> set[str]:
    """What was said of the patient: LDH, its limit, and the one as a multiple of the other."""
    ldh = assessment.factors.ldh
    if isinstance(ldh, LdhMeasured):
        ratio = {f"{ldh.ratio:.{digits}f}" for digits in (1, 2, 3, 4)}
        return ratio | {f"{ldh.value:.10g}", f"{ldh.uln.value:.10g}", "1"}
    return {f"{ldh.multiple:.10g}"} if isinstance(ldh, LdhMultiple) else set()


def behind(assessment: Assessment) -> set[str]:
    """Numbers of the records that an answer rests on and names, their sources, exact limits and tests."""
    evidence = load_evidence()
    records: list[Record] = [evidence.facts.get(name) or evidence.associations[name] for name in assessment.evidence]
    sources = [evidence.source(name) for name in {str(getattr(record, "source", "")) for record in records}]
    known = printed([*records, *sources])
    for record in records:
        if isinstance(record, Fact) and record.count is not None and record.denominator is not None:
            known |= exact_limits(record)
    return known | _fisher(evidence)


def _fisher(evidence: Evidence) -> set[str]:
    known = set()
    for treated_id, outcome in comparators_pairs():
        treated, untreated = evidence.fact(treated_id), evidence.fact(outcome)
        (a, n), (c, m) = ((fact.count or 0, fact.denominator or 0) for fact in (treated, untreated))
        known.add(f"{float(stats.fisher_exact([[a, n - a], [c, m - c]]).pvalue):.2g}")
    return known


def comparators_pairs() -> tuple[tuple[str, str], ...]:
    """With prophylactic tocilizumab against without: the ids of the two counts, CRS and ICANS."""
    return (
        (comparators.TOCILIZUMAB_CRS, "inc.joshi.crs_any"),
        (comparators.TOCILIZUMAB_ICANS, "inc.joshi.icans_any"),
    )


def _per_cent(value: float) -> str:
    return "1" if value < 0.01 else "99" if value > 0.99 else f"{100 * value:.0f}"
