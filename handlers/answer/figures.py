"""How figures are written: whole per cents, and never a false 0 or 100."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from knowledge.assessment import ObservedCount, OutcomeRisk
from knowledge.evidence import Fact
from knowledge.exact import clopper_pearson

# Published percentages below this are shown with the decimal they were printed with.
PRINTED_BELOW = 10.0
# Places where a line may not end: a figure stays with its sign, a range is one, a dot stays with what it follows.
_TOGETHER = re.compile(r" (?=[%=·])|(?<=[=≥]) |(?<=\d) (?=to )|(?<= to) (?=\d)|(?<=\bbelow) (?=\d)|(?<=\babove) (?=\d)")
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


# Most of an answer's prose is the same in each.
@lru_cache(maxsize=512)
def unbroken(text: str) -> str:
    """Text that no line end can part within a figure."""
    return _TOGETHER.sub(NO_BREAK_SPACE, text)


def percent(fraction: float) -> str:
    """A fraction of 1 as whole per cent; below 1 % and above 99 % it says so."""
    return f"{bare_percent(fraction)} %"


def bare_percent(fraction: float) -> str:
    """As ``percent`` without the sign, for ranges. Exactly 0 and 1 occur only as limits of exact intervals."""
    if fraction in (0.0, 1.0):
        return f"{100 * fraction:.0f}"
    if fraction < 0.01:
        return "below 1"
    if fraction > 0.99:
        return "above 99"
    return f"{100 * fraction:.0f}"


def estimate(risk: float, interval: tuple[float, float]) -> str:
    """An estimate with its 95 % interval, such as ``78 % (47 to 97)``."""
    return f"{percent(risk)} ({bare_percent(interval[0])} to {bare_percent(interval[1])})"


def risk_estimate(outcome: OutcomeRisk) -> str:
    """What is printed of one outcome's estimate, in an answer and in a comparison."""
    return estimate(outcome.risk, outcome.interval)


def risk_ranges(outcome: OutcomeRisk) -> tuple[str, str]:
    """What an answer's reasons print: the risk under other priors, and the interval at the study's own centre."""
    return span(outcome.risk_by_prior), span(outcome.interval_study_centre)


def whole_shares(fractions: Sequence[float]) -> list[str]:
    """Fractions above 0 that make up a whole as per cents that add up to 100, the largest remainders rounded up.

    A share that would be written as none is said to be below 1 %, and one beside it that would be all above 99 %.
    """
    per_cents = [100 * fraction for fraction in fractions]
    whole = [int(per_cent) for per_cent in per_cents]
    by_remainder = sorted(range(len(whole)), key=lambda i: whole[i] - per_cents[i])
    for i in by_remainder[: 100 - sum(whole)]:
        whole[i] += 1
    if len(whole) == 1:
        return ["100 %"]
    return [{0: "below 1 %", 100: "above 99 %"}.get(per_cent, f"{per_cent} %") for per_cent in whole]


def span(values: tuple[float, float]) -> str:
    """A range of two fractions, lower first, such as ``29 to 37 %``; one figure when both print the same."""
    low, high = bare_percent(min(values)), bare_percent(max(values))
    return f"{low} %" if low == high else f"{low} to {high} %"


def count_and_rate(count: ObservedCount) -> str:
    """``16/30 = 53 %``, or that the study does not report it."""
    if count.events is None:
        return "not reported"
    return f"{count.events}/{count.n} = {percent(count.events / count.n)}"


def count_and_interval(count: ObservedCount) -> str:
    """``3/30 (2 to 27 %)``, or that the study does not report it."""
    if count.events is None or count.interval is None:
        return "not reported"
    return f"{count.events}/{count.n} ({span(count.interval)})"


def fact_count_and_interval(fact: Fact) -> str:
    """``1/10 (below 1 to 45 %)`` from a fact's counts, with the exact interval.

    Raises:
        ValueError: the fact has no counts.
    """
    if fact.count is None or fact.denominator is None:
        raise ValueError(f"{fact.id} has no counts")
    return f"{fact.count}/{fact.denominator} ({span(clopper_pearson(fact.count, fact.denominator))})"


def published_percent(fact: Fact) -> str:
    """A published rate without its sign: small ones as printed, others whole.

    Raises:
        ValueError: the fact has neither a printed percentage nor counts.
    """
    if fact.percent is not None:
        printed = fact.percent.removeprefix("approximately ").removesuffix("%")
        return printed if float(printed) < PRINTED_BELOW else f"{float(printed):.0f}"
    if fact.rate is None:
        raise ValueError(f"{fact.id} has no rate")
    return bare_percent(fact.rate)
