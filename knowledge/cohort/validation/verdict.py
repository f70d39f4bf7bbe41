"""What the figures allow to be said of one outcome, in one sentence; never more than the interval says."""

from __future__ import annotations

from knowledge.assessment import Outcome
from knowledge.cohort.validation.cells import Cells
from knowledge.cohort.validation.measure import Measure

NAMES = {
    Outcome.CRS_ANY: "CRS",
    Outcome.CRS_GRADE2PLUS: "CRS of grade 2 or higher",
    Outcome.ICANS_ANY: "ICANS",
}
# Before what is said of the very patients who updated the model.
IN_SAMPLE = "In-sample, so no validation: "
# An interval whose limits lie further apart than this factor tells little.
WIDE = 2.0
# An interval wholly inside is close.
CLOSE = (0.8, 1.25)


def verdict(outcome: Outcome, cells: Cells, ratio: Measure, expected_range: tuple[float, float]) -> str:
    """One sentence on observed over expected; ``expected_range`` is the model's own interval of the expected count."""
    if cells.n == 0:
        return "No patient without prophylaxis has a known grade here: nothing can be said."
    low, high = ratio.low, ratio.high
    if ratio.value is None or low is None or high is None:
        raise ValueError("observed over expected has a value and limits wherever there is a patient")
    patients = f"{cells.n:,} patient{'s' if cells.n != 1 else ''}"
    seen, name = f"{cells.had:,}", NAMES[outcome]
    expected = f"where {expected_count(cells.expected)} were expected"
    figures = f"O/E {two(ratio.value)} ({two(low)} to {two(high)})"
    wide = low <= 0.0 or high / low > WIDE
    if low > 1.0 or high < 1.0:
        side, wrong = ("More", "low") if low > 1.0 else ("Fewer", "high")
        much = f"; by how much, {patients} cannot tell" if wide else ""
        allowed = expected_range[0] / cells.expected, expected_range[1] / cells.expected
        if allowed[0] <= ratio.value <= allowed[1]:
            place = "within"
        elif low <= allowed[1] and high >= allowed[0]:
            place = "beyond, though the interval reaches,"
        else:
            place = "beyond"
        own = f"{place} what Tarla's own interval allows"
        return (
            f"{side} than expected: {seen} of {patients} had {name} {expected}; {figures}: in these patients as a "
            f"group the estimates were too {wrong}{much} ({own}, {two(allowed[0])} to {two(allowed[1])} times as many)."
        )
    if wide:
        return (
            f"{patients} cannot tell: {seen} had {name} {expected}; {figures}: "
            f"compatible with the estimates being right, and with {_room(low, high)}."
        )
    if low > CLOSE[0] and high < CLOSE[1]:
        return (
            f"About as many as expected: {seen} of {patients} had {name} {expected}; {figures}: "
            "on average over these patients the estimates fit."
        )
    return (
        f"Compatible with the estimates being right on average, and with {_room(low, high)}: {seen} of {patients} had "
        f"{name} {expected}; {figures}."
    )


def expected_count(expected: float) -> str:
    """A sum of estimates: one decimal, none where there are many."""
    return f"{expected:,.0f}" if expected >= 1_000 else f"{expected:.1f}"


def two(value: float) -> str:
    """A ratio or an index with two decimals, and never a 0.00 that is not zero."""
    if value >= 10.0:
        return f"{value:.0f}" if value >= 100.0 else f"{value:.1f}"
    return "below 0.01" if 0.0 < value < 0.005 else f"{value:.2f}"


def _room(low: float, high: float) -> str:
    under = "no event at all" if low <= 0.0 else two(low)
    return f"anything from {under} to {two(high)} times as many as expected"
