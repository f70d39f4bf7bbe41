"""Exact inference for small counts: binomial intervals and Fisher's test, on the standard library alone.

Small groups (30 and 10 patients) make normal approximations misleading, and
scipy is too slow to import where an answer is waited for.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb, exp, log, log1p

# A tail sum stops where a further term no longer changes a double.
_NEGLIGIBLE = 1e-18


# An answer shows the same few published counts every time.
@lru_cache(maxsize=1_024)
def clopper_pearson(events: int, n: int, alpha: float = 0.05) -> tuple[float, float]:
    """Exact (Clopper-Pearson) confidence interval of a proportion.

    Args:
        events: patients with the event, 0 to ``n``.
        n: patients observed, at least 1.
        alpha: one minus the confidence level, between 0 and 1.

    Returns:
        Lower and upper limit as fractions of 1, each leaving at most ``alpha / 2`` beyond it;
        the lower limit of 0 events is 0, the upper limit of ``n`` events is 1.

    Raises:
        ValueError: an argument is out of its range.

    Source: Clopper and Pearson, Biometrika 1934;26:404-413.
    """
    if n < 1 or not 0 <= events <= n:
        raise ValueError(f"events must lie between 0 and n with n at least 1, not {events} of {n}")
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha must lie strictly between 0 and 1, not {alpha}")
    # Counting the patients without the event instead turns one limit into the other.
    return _lower_limit(events, n, alpha / 2), 1.0 - _lower_limit(n - events, n, alpha / 2)


@lru_cache(maxsize=1_024)
def fisher_exact(a: int, b: int, c: int, d: int) -> float:
    """Two-sided p of Fisher's exact test of the table [[a, b], [c, d]].

    The sum over all tables with the same margins that are no more probable than
    the one observed. Exact integers decide what is as probable, so ties are
    never lost to rounding. A table with an empty margin gives 1.

    Raises:
        ValueError: a cell is negative.
    """
    if min(a, b, c, d) < 0:
        raise ValueError(f"cells of a table must not be negative: {a}, {b}, {c}, {d}")
    row1, row2, column1 = a + b, c + d, a + c
    observed = comb(row1, a) * comb(row2, c)
    weights = (comb(row1, x) * comb(row2, column1 - x) for x in range(max(0, column1 - row2), min(row1, column1) + 1))
    return sum(weight for weight in weights if weight <= observed) / comb(row1 + row2, column1)


def _lower_limit(events: int, n: int, tail: float) -> float:
    """The p at which ``events`` or more have probability ``tail``; 0 when no patient had the event."""
    if events == 0:
        return 0.0
    # The limit lies below the observed share for every tail under one half, and
    # there the terms of the tail sum only fall.
    low, high = 0.0, events / n
    while low < (middle := (low + high) / 2) < high:
        if _tail_from(events, n, middle) < tail:
            low = middle
        else:
            high = middle
    return middle


def _tail_from(k: int, n: int, p: float) -> float:
    """P(X >= k) for X ~ Binomial(n, p), 0 < p < 1, accurate where k >= n p."""
    term = exp(log(comb(n, k)) + k * log(p) + (n - k) * log1p(-p))
    total, odds = term, p / (1.0 - p)
    for i in range(k, n):
        term *= (n - i) / (i + 1) * odds
        total += term
        if term < total * _NEGLIGIBLE:
            break
    return total
