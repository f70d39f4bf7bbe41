"""What stands in the picture beside a patient's risk: the study's count and every rate elsewhere, from the evidence."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.answer import figures
from knowledge.assessment import Assessment, Interval, Outcome
from knowledge.evidence import Evidence, Fact
from knowledge.exact import clopper_pearson

# Who was observed, and the entries of the evidence that one row shows. Two entries in a row are the same
# patients under two definitions.
_ROWS: dict[Outcome, tuple[tuple[str, tuple[str, ...]], ...]] = {
    Outcome.CRS_ANY: (
        ("trials", ("inc.eu473.crs_after_dose1",)),
        ("3 US centres", ("inc.multi102.crs_dose1",)),
    ),
    Outcome.CRS_GRADE2PLUS: (
        ("trials", ("inc.eu473.crs_g2plus_day1",)),
        ("one cohort", ("inc.guo.crs_g2plus",)),
    ),
    Outcome.ICANS_ANY: (
        ("trials", ("inc.label473.icans_c1d1",)),
        ("trials", ("inc.label473.icans_pt", "inc.label473.icans_broad")),
        ("real world", ("inc.wclc25.icans_any",)),
        ("real world", ("inc.guo.icans_any",)),
        ("real world", ("inc.multi102.icans_any",)),
    ),
}


@dataclass(frozen=True)
class Rate:
    """One row: ``values`` as fractions of 1, none where not reported; an exact 95 % interval where counts exist."""

    name: str
    label: str
    values: tuple[float, ...]
    interval: Interval | None
    figure: str


def study_rate(assessment: Assessment, outcome: Outcome) -> Rate:
    """What the founding study saw without prophylaxis."""
    count = assessment.observed_of(outcome)
    label = f"founding study (n = {count.n})"
    if count.events is None or count.interval is None:
        return Rate("study", label, (), None, "not reported")
    figure = f"{count.events}/{count.n} = {_with_interval(count.events / count.n, count.interval)}"
    return Rate("study", label, (count.events / count.n,), count.interval, figure)


def rates_elsewhere(outcome: Outcome, evidence: Evidence) -> tuple[Rate, ...]:
    """What other cohorts saw, each with its window and, where it matters, its definition."""
    rows = []
    for who, ids in _ROWS[outcome]:
        facts = [evidence.fact(each) for each in ids]
        rows.append(Rate(ids[0], _label(who, facts), tuple(map(_fraction, facts)), _interval(facts), _figure(facts)))
    return tuple(rows)


def fact_ids(outcome: Outcome) -> tuple[str, ...]:
    """Every entry of the evidence that is drawn for an outcome."""
    return tuple(each for _, ids in _ROWS[outcome] for each in ids)


def _label(who: str, facts: list[Fact]) -> str:
    window = facts[0].window
    parts = [who, f"window {window}" if window == "not stated" else window]
    # "broad: ICANS or signs ..." and "narrow: ..."; where no definition was found, the heading says so.
    kinds = [(fact.definition or "").partition(":") for fact in facts]
    if all(colon for _, colon, _ in kinds):
        parts.append(" to ".join(kind for kind, _, _ in kinds))
    return f"{', '.join(parts)} (n = {facts[0].denominator})"


def _fraction(fact: Fact) -> float:
    if fact.rate is not None:
        return fact.rate
    if fact.percent is None:
        raise ValueError(f"{fact.id} has no rate")
    return float(fact.percent.removeprefix("approximately ").removesuffix("%")) / 100


def _interval(facts: list[Fact]) -> Interval | None:
    if len(facts) > 1 or facts[0].count is None or facts[0].denominator is None:
        return None
    return clopper_pearson(facts[0].count, facts[0].denominator)


def _figure(facts: list[Fact]) -> str:
    interval = _interval(facts)
    if interval is not None:
        return f"{figures.published_percent(facts[0])} % ({_limits(interval)})"
    return f"{' to '.join(figures.published_percent(fact) for fact in facts)} %"


def _with_interval(rate: float, interval: Interval) -> str:
    return f"{figures.percent(rate)} ({_limits(interval)})"


def _limits(interval: Interval) -> str:
    return f"{figures.bare_percent(interval[0])} to {figures.bare_percent(interval[1])}"
