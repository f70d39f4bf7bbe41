"""Intervals, tests and differences of the report against R, statsmodels and published examples.

R's figures are in tests/data/oracle/tables.json, made by tests/oracle/tables.R; they have 15 digits. Tolerance 1e-12
where both programs use one formula; 1e-9 where one of them searches for a root (epiR's closed form loses some digits,
statsmodels' search stops there).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as generated
from hypothesis import settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from knowledge.cohort.report import differences
from knowledge.cohort.report.contrasts import contrast, e_value, fisher_p, risk_difference, risk_ratio, strength
from knowledge.cohort.report.proportions import exact_interval, proportion, wilson
from knowledge.cohort.report.summaries import summary
from knowledge.exact import clopper_pearson, fisher_exact

ORACLE = json.loads((Path(__file__).parents[1] / "data/oracle/tables.json").read_text(encoding="utf-8"))
TABLES = [
    pytest.param(each, id=f"{each['x1']}of{each['n1']}-{each['x0']}of{each['n0']}") for each in ORACLE["contrasts"]
]
SAME = {"rel": 1e-12, "abs": 1e-12}
ROOT = {"rel": 1e-9, "abs": 1e-9}


def counts(table: dict[str, int]) -> tuple[int, int, int, int]:
    return table["x1"], table["n1"], table["x0"], table["n0"]


@pytest.mark.parametrize("table", TABLES)
def test_shares_and_fisher_as_in_r(table):
    """binom.test, prop.test and epitools; fisher.test. R searches Fisher's ties with a tolerance, we with integers."""
    x1, n1, x0, n0 = counts(table)
    found = proportion(x1, n1)
    for name in ("exact", "exact_epitools"):
        assert found.exact == pytest.approx(table[name], **ROOT)
    for name in ("wilson", "wilson_epitools"):
        assert found.wilson == pytest.approx(table[name], **SAME)
    assert fisher_exact(x1, n1 - x1, x0, n0 - x0) == pytest.approx(table["fisher"], **ROOT)


@pytest.mark.parametrize("table", TABLES)
def test_newcombe_and_koopman_as_in_r(table):
    x1, n1, x0, n0 = counts(table)
    assert risk_difference(x1, n1, x0, n0).interval == pytest.approx(table["newcombe"], **SAME)
    ratio = risk_ratio(x1, n1, x0, n0)
    for ours, theirs in zip((ratio.estimate, ratio.lower, ratio.upper), table["koopman"], strict=True):
        # null in R's file: infinite or not defined
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert ours == pytest.approx(theirs, **ROOT)


@pytest.mark.parametrize("table", TABLES)
def test_shares_and_difference_as_in_statsmodels(table):
    x1, n1, x0, n0 = counts(table)
    assert proportion(x1, n1).exact == pytest.approx(proportion_confint(x1, n1, method="beta"), **ROOT)
    assert wilson(x1, n1) == pytest.approx(proportion_confint(x1, n1, method="wilson"), **SAME)
    theirs = confint_proportions_2indep(x1, n1, x0, n0, compare="diff", method="newcomb")
    assert risk_difference(x1, n1, x0, n0).interval == pytest.approx(theirs, **SAME)


@pytest.mark.parametrize("table", [each for each in TABLES if min(each.values[0]["x1"], each.values[0]["x0"]) > 0])
def test_ratio_as_in_statsmodels(table):
    """statsmodels' score interval without the factor N/(N-1) is Koopman's; it has none where a cell is empty."""
    x1, n1, x0, n0 = counts(table)
    theirs = confint_proportions_2indep(x1, n1, x0, n0, compare="ratio", method="score", correction=False)
    ours = risk_ratio(x1, n1, x0, n0)
    assert (ours.lower, ours.upper) == pytest.approx(theirs, rel=1e-6)  # its search stops at about 1e-8


@pytest.mark.parametrize(
    ("counts_", "limits"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((6, 7, 2, 7), (0.0582, 0.8062)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
        ((0, 10, 0, 10), (-0.2775, 0.2775)),
        ((10, 10, 0, 20), (0.6791, 1.0)),
        ((10, 10, 0, 10), (0.6075, 1.0)),
    ],
)
def test_newcombe_s_published_examples(counts_, limits):
    """Newcombe, Stat Med 1998;17:873-890, Table II, method 10: four decimals are printed."""
    assert risk_difference(*counts_).interval == pytest.approx(limits, abs=5e-5)


def test_koopman_s_published_example():
    """Koopman, Biometrics 1984;40:513-517: 36/40 against 16/80 gives 2.94 to 7.15."""
    ratio = risk_ratio(36, 40, 16, 80)
    assert (ratio.lower, ratio.upper) == pytest.approx((2.94, 7.15), abs=5e-3)


@pytest.mark.parametrize(
    ("ratio", "printed", "digits"),
    [(3.9, 7.26, 2), (1.8, 3.0, 1), (0.80, 1.81, 2), (0.91, 1.43, 2), (10.73, 20.94777, 5), (8.02, 15.52336, 5)],
)
def test_published_e_values(ratio, printed, digits):
    """VanderWeele and Ding, Ann Intern Med 2017;167:268-274 (3.9 to 0.91); the EValue package (10.73)."""
    assert round(strength(ratio), digits) == pytest.approx(printed)


def test_e_value_of_empty_cells_and_of_intervals_that_hold_1():
    """0/10 against 7/30: no finite E-value of a ratio of 0; 1 for the limit, because chance explains it."""
    for table in ((0, 10, 7, 30), (0, 10, 0, 20), (5, 56, 0, 29), (3, 30, 3, 30)):
        assert e_value(risk_ratio(*table)).limit == 1.0
    assert e_value(risk_ratio(0, 10, 7, 30)).estimate is None
    assert e_value(risk_ratio(5, 56, 0, 29)).estimate is None
    assert e_value(risk_ratio(3, 30, 3, 30)).estimate == 1.0
    surely = risk_ratio(0, 30, 20, 30)
    assert e_value(surely).limit == strength(surely.upper) > 1.0
    opposite = risk_ratio(20, 30, 0, 30)
    assert e_value(opposite).limit == pytest.approx(e_value(surely).limit, rel=1e-12)


@pytest.mark.parametrize(("events", "n"), [(0, 1_001), (1, 1_001), (400, 1_200), (1_001, 1_001)])
def test_large_groups_take_another_way_to_the_same_limits(events, n):
    """Above 1,000 patients scipy's beta quantiles and Fisher's test stand in for the slower sums on integers."""
    assert exact_interval(events, n) == pytest.approx(clopper_pearson(events, n), **ROOT)
    assert fisher_p(events, n - events, 30, 90) == pytest.approx(fisher_exact(events, n - events, 30, 90), rel=1e-7)


def test_no_comparison_without_two_groups():
    assert contrast(proportion(0, 0), proportion(3, 10)) is None
    assert contrast(proportion(3, 10), proportion(0, 0)) is None


two_groups = st.tuples(st.integers(1, 60), st.integers(1, 60)).flatmap(
    lambda n: st.tuples(st.integers(0, n[0]), st.just(n[0]), st.integers(0, n[1]), st.just(n[1]))
)


@settings(max_examples=200, deadline=None)
@generated(two_groups)
def test_laws_of_two_groups(table):
    """An interval holds its estimate; exchanging the groups turns both round; E-values are at least 1."""
    x1, n1, x0, n0 = table
    difference, turned = risk_difference(x1, n1, x0, n0), risk_difference(x0, n0, x1, n1)
    assert -1 <= difference.interval[0] <= difference.estimate <= difference.interval[1] <= 1
    assert turned.interval == pytest.approx((-difference.interval[1], -difference.interval[0]), **SAME)
    ratio, other = risk_ratio(x1, n1, x0, n0), risk_ratio(x0, n0, x1, n1)
    assert ratio.upper is None or ratio.lower <= ratio.upper
    if ratio.estimate is not None:
        assert ratio.lower <= ratio.estimate * (1 + 1e-12)
        assert ratio.upper is None or ratio.estimate <= ratio.upper * (1 + 1e-12)
    assert (ratio.upper is None) == (x0 == 0)
    assert (ratio.lower == 0.0) == (x1 == 0)
    if other.upper is not None:
        assert ratio.lower == pytest.approx(1.0 / other.upper, **SAME)
    strengths = e_value(ratio)
    assert strengths.limit >= 1.0
    assert strengths.estimate is None or strengths.estimate >= strengths.limit * (1 - 1e-9)


def test_standardised_differences_as_in_r():
    """MatchIt (mean of both variances) for values and for yes or no; MASS::ginv for categories."""
    balance, data = ORACLE["balance"], ORACLE["balance"]["data"]

    def split(name):
        return ([row[name] for row in data if row["given"] == side] for side in (1, 0))

    for name in ("age", "ratio"):
        found = differences.of_values(*split(name))
        assert found.value == pytest.approx(balance["matchit"][name], **SAME)
        assert found.interval[0] < found.value < found.interval[1]
    with_, without = split("liver")
    found = differences.of_shares(sum(with_), len(with_), sum(without), len(without))
    assert found.value == pytest.approx(balance["matchit"]["liver"], **SAME)
    with_, without = split("ecog")
    tallies = [[side.count(level) for level in range(5)] for side in (with_, without)]
    assert differences.of_categories(*tallies).value == pytest.approx(balance["multinomial"], **SAME)
    # Which category is left out, and in which order they come, does not matter.
    assert differences.of_categories(*[side[::-1] for side in tallies]).value == pytest.approx(
        balance["multinomial"], **SAME
    )


def test_two_categories_are_a_yes_or_no():
    binary = differences.of_shares(3, 10, 12, 30).value
    assert differences.of_categories([3, 7], [12, 18]).value == pytest.approx(abs(binary), **SAME)


@pytest.mark.parametrize(
    ("found", "value"),
    [
        (differences.of_values([], [1.0, 2.0]), None),
        (differences.of_values([1.0], [1.0, 2.0]), None),
        (differences.of_values([1.0, 1.0], [2.0, 2.0]), None),
        (differences.of_values([2.0, 2.0], [2.0, 2.0]), 0.0),
        (differences.of_shares(0, 0, 3, 4), None),
        (differences.of_shares(5, 5, 0, 4), None),
        (differences.of_shares(5, 5, 4, 4), 0.0),
        (differences.of_categories([0, 0], [3, 4]), None),
        (differences.of_categories([3, 0, 0], [0, 3, 4]), None),
        (differences.of_categories([3, 0], [4, 0]), 0.0),
    ],
)
def test_differences_that_do_not_exist(found, value):
    """No variation, or nobody: said in words, never a division by nothing."""
    assert found.value == value
    assert (found.why is None) == (value is not None)


def test_size_of_chance_differences():
    """sqrt(1/10 + 1/30) = 0.365 is the standard deviation of a difference between groups of 10 and 30 that is none."""
    assert differences.by_chance(10_000, 30_000) == pytest.approx(1.96 * 0.3651484 / 1_000**0.5, rel=1e-3)
    # 4 / (1/9 + 1/29) = 27.47 degrees of freedom, of which the 97.5 % point of t is 2.050.
    assert differences.by_chance(10, 30) == pytest.approx(2.050 * 0.3651484, rel=1e-3)
    assert differences.by_chance(10, 30, 4) > differences.by_chance(10, 30, 2) > differences.by_chance(10, 30)
    assert [differences.by_chance(*sizes) for sizes in ((0, 30), (1, 30), (2, 2, 4))] == [None] * 3


@pytest.mark.parametrize(("n1", "n0"), [(10, 30), (60, 120)])
def test_95_in_100_differences_by_chance_stay_below_their_bound(n1, n0):
    """Groups drawn from one population: measured values, shares, and three categories, which reach further."""
    random = np.random.default_rng(1)
    shares, below = [0.4, 0.35, 0.25], {"values": [], "shares": [], "categories": []}
    for _ in range(2_000):
        for kind, found in (
            ("values", differences.of_values(random.normal(size=n1).tolist(), random.normal(size=n0).tolist())),
            ("shares", differences.of_shares(random.binomial(n1, 0.4), n1, random.binomial(n0, 0.4), n0)),
            ("categories", differences.of_categories(random.multinomial(n1, shares), random.multinomial(n0, shares))),
        ):
            below[kind].append(abs(found.value) < found.by_chance)
    for kind, held in below.items():
        assert 0.92 < np.mean(held) < 0.975, kind


def test_quartiles_as_in_r():
    balance = ORACLE["balance"]
    found = summary([row["ratio"] for row in balance["data"]] + [None])
    assert (found.q1, found.median, found.q3) == pytest.approx(balance["quantiles"], **SAME)
    assert (found.mean, found.sd) == pytest.approx((balance["mean"], balance["sd"]), **SAME)
    assert (found.n, found.known) == (41, 40)
    assert summary([None]).median is None
    assert summary([3.0]).sd is None
