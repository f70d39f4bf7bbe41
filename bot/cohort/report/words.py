"""How the report writes numbers: always with what they are out of, and plainly where there is none."""

from __future__ import annotations

from knowledge.assessment import Outcome
from knowledge.cohort.report.contrasts import Contrast, EValue, Ratio
from knowledge.cohort.report.differences import StandardisedDifference
from knowledge.cohort.report.proportions import Proportion
from knowledge.cohort.report.summaries import Summary

NONE = "–"
OUTCOMES: dict[Outcome, str] = {
    Outcome.CRS_ANY: "CRS, any grade",
    Outcome.CRS_GRADE2PLUS: "CRS, grade ≥ 2",
    Outcome.CRS_GRADE3PLUS: "CRS, grade ≥ 3",
    Outcome.ICANS_ANY: "ICANS, any grade",
    Outcome.ICANS_GRADE3PLUS: "ICANS, grade ≥ 3",
}


def percent(share: float) -> str:
    """One decimal."""
    return f"{100 * share:.1f} %"


def limits(interval: tuple[float, float]) -> str:
    """``34.3 to 71.7 %``."""
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f} %"


def rate(found: Proportion) -> str:
    """``16/30 = 53.3 % (34.3 to 71.7 %)``."""
    if found.share is None or found.exact is None:
        return "none known"
    return f"{found.events:,}/{found.n:,} = {percent(found.share)} ({limits(found.exact)})"


def count(found: Proportion) -> str:
    """``16/30 (53.3 %)``."""
    return NONE if found.share is None else f"{found.events:,}/{found.n:,} ({percent(found.share)})"


def number(value: float) -> str:
    """At most three figures, never less than the whole number, without needless zeros; two figures below 0.1."""
    if 0.0 < abs(value) < 0.1:
        return f"{value:.2g}" if abs(value) >= 0.001 else "below 0.001"
    decimals = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def middle(found: Summary) -> str:
    """``66.5 (59 to 72), n 40``: median, quartiles, how many are known."""
    if found.median is None or found.q1 is None or found.q3 is None:
        return NONE
    return f"{number(found.median)} ({number(found.q1)} to {number(found.q3)}), n {found.known:,}"


def mean(found: Summary) -> str:
    """``66.1 (8.2)``: mean and standard deviation."""
    if found.mean is None:
        return NONE
    return number(found.mean) if found.sd is None else f"{number(found.mean)} ({number(found.sd)})"


def span(found: Summary) -> str:
    """``12 to 90``: lowest and highest."""
    return NONE if found.low is None or found.high is None else f"{number(found.low)} to {number(found.high)}"


def apart(found: StandardisedDifference) -> str:
    """``-0.31 (-1.03 to 0.41)``."""
    if found.value is None:
        return f"none: {found.why}"
    if found.interval is None:
        return f"{found.value:.2f}"
    return f"{found.value:.2f} ({found.interval[0]:.2f} to {found.interval[1]:.2f})"


def p_value(p: float) -> str:
    """Two figures; ``below 0.001``."""
    if p < 0.001:
        return "below 0.001"
    return f"{p:.2f}" if p >= 0.1 else f"{p:.2g}"


def points(found: Contrast) -> str:
    """The risk difference in percentage points."""
    low, high = found.difference.interval
    return f"{100 * found.difference.estimate:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def ratio(found: Ratio) -> str:
    """``0.19 (0.03 to 0.81)``; words where the ratio is undefined or its interval has no upper end."""
    estimate = "undefined" if found.estimate is None else number(found.estimate)
    upper = "no limit" if found.upper is None else number(found.upper)
    return f"{estimate} ({number(found.lower)} to {upper})"


def strength(found: EValue) -> str:
    """``10.1; limit 1.77``."""
    return f"{'none' if found.estimate is None else number(found.estimate)}; limit {number(found.limit)}"
