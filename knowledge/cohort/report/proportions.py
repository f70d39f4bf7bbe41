"""A share of patients with its intervals; where nobody was seen there is no share."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from statistics import NormalDist

from scipy.stats import beta

from knowledge.assessment import Fraction, Interval
from knowledge.exact import clopper_pearson
from knowledge.frozen import FrozenModel

# The functions on exact integers take seconds for a table of thousands; scipy's agree to nine digits there.
LARGE = 1_000
Z95 = NormalDist().inv_cdf(0.975)


class Proportion(FrozenModel):
    """``events`` of ``n``; shares and 95 % limits are fractions of 1, None where ``n`` is 0.

    ``exact`` is Clopper and Pearson's interval, which the page shows: it never covers less than it says, at the
    price of width. ``wilson`` is shorter and covers 95 % on average; Newcombe's interval of a difference is made of it.
    """

    events: int
    n: int
    share: Fraction | None
    exact: Interval | None
    wilson: Interval | None


def proportion(events: int, n: int) -> Proportion:
    """The share and both intervals.

    Raises:
        ValueError: more events than patients, or either is negative.
    """
    if n == 0 and events == 0:
        return Proportion(events=0, n=0, share=None, exact=None, wilson=None)
    return Proportion(events=events, n=n, share=events / n, exact=exact_interval(events, n), wilson=wilson(events, n))


def exact_interval(events: int, n: int) -> tuple[float, float]:
    """Clopper and Pearson's interval, 95 %: by quantiles of the beta distribution where ``n`` is large.

    Raises:
        ValueError: ``events`` is not 0 to ``n``, or ``n`` is below 1.
    """
    if n <= LARGE or not 0 <= events <= n:
        return clopper_pearson(events, n)
    low = 0.0 if events == 0 else float(beta.ppf(0.025, events, n - events + 1))
    return low, 1.0 if events == n else float(beta.ppf(0.975, events + 1, n - events))


def share_of(answers: Iterable[bool | None]) -> Proportion:
    """The share of those known to be so among those known at all."""
    known = [answer for answer in answers if answer is not None]
    return proportion(sum(known), len(known))


def wilson(events: int, n: int) -> tuple[float, float]:
    """Wilson's score interval, 95 %, without continuity correction; exactly 0 or 1 at no and at all events.

    Raises:
        ValueError: ``events`` is not 0 to ``n``, or ``n`` is below 1.

    Source: Wilson, J Am Stat Assoc 1927;22:209-212.
    """
    if n < 1 or not 0 <= events <= n:
        raise ValueError(f"events must lie between 0 and n with n at least 1, not {events} of {n}")
    square = Z95 * Z95
    middle = (events + square / 2) / (n + square)
    half = Z95 / (n + square) * sqrt(events * (n - events) / n + square / 4)
    return 0.0 if events == 0 else middle - half, 1.0 if events == n else middle + half
