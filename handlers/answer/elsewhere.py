"""What other cohorts saw, each rate with its definition and time window, every figure from the evidence."""

from __future__ import annotations

from handlers.answer.figures import published_percent
from knowledge.assessment import Outcome
from knowledge.evidence import Evidence, Fact


def elsewhere(outcome: Outcome, evidence: Evidence) -> str:
    """The comparison that stands beside one outcome."""
    fact = evidence.fact
    if outcome is Outcome.CRS_ANY:
        trials, centres = fact("inc.eu473.crs_after_dose1"), fact("inc.multi102.crs_dose1")
        return f"{_rate(trials)} (trials, n = {trials.n}); {_rate(centres)} (3 US centres, n = {centres.n})"
    if outcome is Outcome.CRS_GRADE2PLUS:
        trials, other = fact("inc.eu473.crs_g2plus_day1"), fact("inc.guo.crs_g2plus")
        return f"{_rate(trials)} (trials); {published_percent(other)} % (one cohort, n = {other.n}, window not stated)"
    if outcome is Outcome.ICANS_ANY:
        first, narrow, broad = (fact(f"inc.label473.icans_{name}") for name in ("c1d1", "pt", "broad"))
        real_world = [fact(f"inc.{name}.icans_any") for name in ("wclc25", "multi102", "guo")]
        lowest, highest = min(real_world, key=_rate_of), max(real_world, key=_rate_of)
        sizes = [size for size in (cohort.denominator for cohort in real_world) if size is not None]
        return (
            f"trials: {_rate(first)} (broad definition), {narrow.window} {published_percent(narrow)} % (narrow) to "
            f"{published_percent(broad)} % (broad); real world: {published_percent(lowest)} to "
            f"{published_percent(highest)} % ({len(real_world)} cohorts, n = {min(sizes)} to {max(sizes)}, window and "
            "definition not stated)"
        )
    if outcome is Outcome.CRS_GRADE3PLUS:
        trials = fact("inc.eu473.crs_g3plus")
        return f"{trials.count}/{trials.denominator} = {published_percent(trials)} % {trials.window} (trials)"
    return _icans_grade3plus(fact("inc.label473.icans_g3plus"), fact("inc.wclc25.icans_g3"))


def _icans_grade3plus(trials: Fact, grade3: Fact) -> str:
    seen = "not in the label texts read" if trials.absent else _rate(trials)
    return f"{seen} (trials); grade 3 in {grade3.count}/{grade3.denominator} (real world)"


def _rate(fact: Fact) -> str:
    return f"{published_percent(fact)} % {fact.window}"


def _rate_of(fact: Fact) -> float:
    if fact.rate is None:
        raise ValueError(f"{fact.id} has no counts")
    return fact.rate
