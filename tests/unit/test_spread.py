"""Shares of an interval's width against Shapley values taken one ordering at a time, over every draw and branch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given

from knowledge import LdhMultiple, Outcome, PatientFactors, Presence
from knowledge.factors import LdhCategory
from knowledge.model import Draws, Model, load
from knowledge.spread import IntervalSources, interval_sources
from knowledge.synthesis.spec import POOLS
from tests.support import engine_factors as patients
from tests.support import engine_plain as plain
from tests.support.engine_factors import LAW

PRESENCE = {True: Presence.YES, False: Presence.NO, None: Presence.UNKNOWN}
NAMES = ("study", "centre", "findings")


@pytest.fixture(scope="module")
def small() -> Model:
    return plain.thinned(load(), 40)


def split_of(factors: PatientFactors, model: Model, outcome: Outcome) -> IntervalSources:
    (found,) = (each for each in interval_sources(factors, model) if each.outcome is outcome)
    return found


def plain_split(draws: Draws, rows_of_draw: Iterable[list[list[float]]]) -> tuple[float, dict[str, float]]:
    """Variance of the log odds, and Shapley shares of it by name."""
    weight, parts = [], []
    for i, rows in enumerate(rows_of_draw):
        level = float(draws["a_new"][i])
        share = [row[0] for row in rows]
        effect = [math.log(row[1] / (1.0 - row[1])) - level for row in rows]
        mean = sum(w * x for w, x in zip(share, effect, strict=True)) / sum(share)
        weight += share
        parts += [(mean, level, x - mean) for x in effect]
    terms = dict(zip(NAMES, np.array(parts).T, strict=True))
    mass = np.array(weight) / sum(weight)

    def variance(names: Iterable[str]) -> float:
        total = sum((terms[name] for name in names), np.zeros(len(mass)))
        return float(np.average((total - np.average(total, weights=mass)) ** 2, weights=mass))

    whole = variance(NAMES)
    shares = dict.fromkeys(NAMES, 0.0)
    orders = list(permutations(NAMES))
    for order in orders:
        for position, name in enumerate(order):
            gained = variance(order[: position + 1]) - variance(order[:position])
            shares[name] += gained / whole / len(orders)
    return whole, shares


def agree(ours: IntervalSources, theirs: tuple[float, dict[str, float]]) -> None:
    variance, shares = theirs
    # Below zero a share is set to zero: Monte Carlo error where the effect averages out.
    slack = max(0.0, -min(shares.values()))
    assert slack < 1e-3
    assert ours.variance == pytest.approx(variance, rel=1e-8 + 2 * slack)
    for name in NAMES:
        assert getattr(ours, name) == pytest.approx(max(0.0, shares[name]), abs=1e-8 + 2 * slack), name


@pytest.mark.parametrize(("ldh", "liver"), list(product((None, "high", 0.6, 1.0, 1.92, 40.0), (True, False, None))))
def test_crs_against_every_ordering(small: Model, ldh: float | str | None, liver: bool | None) -> None:
    draws = small.draws("crs")
    rows = (list(plain._crs_rows(draw, ldh, liver, plain.LDH_POINTS)) for draw in plain._each(draws))
    given_ldh = LdhMultiple(multiple=ldh) if isinstance(ldh, float) else ldh and LdhCategory(category="high")
    factors = PatientFactors(ldh=given_ldh or None, liver_metastases=PRESENCE[liver])
    agree(split_of(factors, small, Outcome.CRS_ANY), plain_split(draws, rows))


@pytest.mark.parametrize(("diabetes", "cvd"), list(product((True, False, None), repeat=2)))
def test_icans_against_every_ordering(small: Model, diabetes: bool | None, cvd: bool | None) -> None:
    draws = small.draws("icans")
    rows = (list(plain._icans_rows(draw, diabetes, cvd)) for draw in plain._each(draws))
    factors = PatientFactors(diabetes=PRESENCE[diabetes], cardiovascular_disease=PRESENCE[cvd])
    agree(split_of(factors, small, Outcome.ICANS_ANY), plain_split(draws, rows))


@given(patients.factors)
@LAW
def test_what_is_shared_out_equally_is_next_to_nothing(factors: PatientFactors) -> None:
    """The level and the effects hardly go together, so another rule would move a share by some two per cent at most."""
    for split, pool in zip(interval_sources(factors), POOLS, strict=True):
        draws = load().draws(pool)
        level = np.average(
            (draws["a_new"] - np.average(draws["a_new"], weights=draws.weight)) ** 2, weights=draws.weight
        )
        assert split.centre * split.variance == pytest.approx(level, abs=0.02 * split.variance)


@given(patients.factors)
@LAW
def test_shares_are_a_whole_and_the_known_takes_none(factors: PatientFactors) -> None:
    crs, icans = interval_sources(factors)
    for split in (crs, icans):
        assert split.study + split.centre + split.findings == pytest.approx(1.0, abs=1e-12)
        assert min(split.study, split.centre, split.findings) >= 0.0
        assert split.variance > 0.0
    # An LDH known only as high or normal leaves something open, as does a finding not known.
    assert (crs.findings > 0) == (factors.ldh_ratio is None or factors.liver_metastases is Presence.UNKNOWN)
    assert (icans.findings > 0) == (Presence.UNKNOWN in (factors.diabetes, factors.cardiovascular_disease))


def changed(**rows: float) -> Model:
    """The shipped model with some parameters the same in every draw."""

    def draws(old: Draws) -> Draws:
        matrix = old.matrix.copy()
        for name, value in rows.items():
            if name in old.names:
                matrix[old.names.index(name)] = value
        return replace(old, matrix=matrix)

    shipped = load()
    content = replace(shipped.content, crs=draws(shipped.content.crs), icans=draws(shipped.content.icans))
    return Model(shipped.version, content, shipped.facts_sha256, shipped.description)


PATIENT = PatientFactors(
    ldh=LdhMultiple(multiple=1.92),
    liver_metastases=Presence.YES,
    diabetes=Presence.NO,
    cardiovascular_disease=Presence.YES,
)


def test_a_centre_that_is_known_takes_no_share() -> None:
    for split in interval_sources(PATIENT, changed(a_new=-0.4)):
        assert (split.study, split.centre, split.findings) == (1.0, pytest.approx(0.0, abs=1e-12), 0.0)


@pytest.mark.parametrize("factors", [PATIENT, PatientFactors()], ids=["all known", "nothing known"])
def test_effects_that_are_known_to_be_none_leave_the_centre_alone(factors: PatientFactors) -> None:
    for split in interval_sources(factors, changed(b_ldh=0.0, b_liver=0.0, b_diabetes=0.0, b_cvd=0.0)):
        assert (split.study, split.centre, split.findings) == (0.0, 1.0, 0.0)


def test_the_whole_is_the_variance_of_the_log_odds_shown() -> None:
    """For a known patient: the level and the effect of each draw, added up."""
    draws = load().draws("icans")
    odds = draws["a_new"] - draws["b_diabetes"] * draws["diabetes_prevalence"]
    odds += draws["b_cvd"] * (1.0 - draws["cvd_prevalence"])
    mean = np.average(odds, weights=draws.weight)
    expected = np.average((odds - mean) ** 2, weights=draws.weight)
    assert split_of(PATIENT, load(), Outcome.ICANS_ANY).variance == pytest.approx(expected, rel=1e-10)
