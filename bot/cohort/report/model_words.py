"""Models and their figures in words, for the report's sections on regressions."""

from __future__ import annotations

from knowledge.assessment import Outcome
from knowledge.cohort.report.predictors import MEANINGS, Predictor
from knowledge.cohort.report.specification import Specification

NONE = "–"
_SHORT_OUTCOMES = {
    Outcome.CRS_ANY: "CRS any",
    Outcome.CRS_GRADE2PLUS: "CRS ≥ 2",
    Outcome.ICANS_ANY: "ICANS any",
}
_SHORT = {
    Predictor.LDH_ELEVATED: "LDH > limit",
    Predictor.LDH_DOUBLINGS: "LDH per doubling",
    Predictor.LIVER: "liver",
    Predictor.CVD: "CVD",
}


def odds(ratio: float, limits: tuple[float | None, float | None]) -> str:
    """``2.16 (0.94 to 6.39)``; words where there is no limit."""
    low, high = limits
    lower = "no lower limit" if low is None else _ratio(low)
    return f"{_ratio(ratio)} ({lower} to {'no upper limit' if high is None else _ratio(high)})"


def _ratio(value: float) -> str:
    if value < 0.01:
        return "below 0.01"
    if value > 9_999:
        return "above 9,999"
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def p_value(p: float) -> str:
    """Two figures; ``below 0.001``."""
    if p < 0.001:
        return "below 0.001"
    return f"{p:.2f}" if p >= 0.1 else f"{p:.2g}"


def named(specification: Specification, *, outcome: bool = True) -> str:
    """For example ``CRS >= 2 ~ LDH per doubling + liver (exploratory)``."""
    names = " + ".join(_SHORT.get(each, MEANINGS[each].label) for each in specification.predictors)
    note = " (exploratory)" if specification.standing == "exploratory" else ""
    return f"{_SHORT_OUTCOMES[specification.outcome]} ~ {names}{note}" if outcome else f"{names}{note}"


def whole(number: int | None) -> str:
    """With signs for thousands; a dash for none."""
    return NONE if number is None else f"{number:,}"
