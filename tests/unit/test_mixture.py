"""Estimates and limits against a plain second computation, and the points that stand for an unknown LDH."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from knowledge import mixture
from knowledge.assessment import OutcomeRisk
from knowledge.factors import Ldh, LdhCategory, LdhMultiple, Presence
from knowledge.model import Model, load
from knowledge.predict import crs_risks, icans_risk
from tests.support import engine_plain as plain

TOLERANCE = 1e-9

PRESENCE = {True: Presence.YES, False: Presence.NO, None: Presence.UNKNOWN}
KNOWN_OR_NOT = (True, False, None)
# None, the two categories, below and above the limit, at it, and beyond the range of every draw.
LDHS: tuple[float | str | None, ...] = (None, "high", "normal", 0.1, 0.6, 1.0, 1.92, 7.5, 40.0)


def as_ldh(ldh: float | str | None) -> Ldh | None:
    """The plain computation's word for an LDH in the engine's."""
    if isinstance(ldh, float):
        return LdhMultiple(multiple=ldh)
    return None if ldh is None else LdhCategory.model_validate({"category": ldh})


@pytest.fixture(scope="module")
def small() -> Model:
    return plain.thinned(load(), 25)


def check(ours: OutcomeRisk, theirs: plain.PlainRisk) -> None:
    assert ours.risk == pytest.approx(theirs.risk, abs=TOLERANCE)
    assert ours.interval == pytest.approx((theirs.low, theirs.high), abs=TOLERANCE)


@pytest.mark.parametrize(("ldh", "liver"), list(product(LDHS, KNOWN_OR_NOT)))
def test_crs_against_the_plain_way(small: Model, ldh: float | str | None, liver: bool | None) -> None:
    ours, theirs = crs_risks(small, as_ldh(ldh), PRESENCE[liver]), plain.crs_risks(small, ldh, liver)
    for outcome, name in ((ours.any_grade, "any"), (ours.grade2plus, "grade2")):
        check(outcome, theirs[name])
        study = theirs[f"study_{name}"]
        assert outcome.risk_study_centre == pytest.approx(study.risk, abs=TOLERANCE)
        assert outcome.interval_study_centre == pytest.approx((study.low, study.high), abs=TOLERANCE)


@pytest.mark.parametrize(("diabetes", "cvd"), list(product(KNOWN_OR_NOT, KNOWN_OR_NOT)))
def test_icans_against_the_plain_way(small: Model, diabetes: bool | None, cvd: bool | None) -> None:
    check(icans_risk(small, PRESENCE[diabetes], PRESENCE[cvd]), plain.icans_risk(small, diabetes, cvd))


@pytest.mark.parametrize(("ldh", "liver"), [(1.92, True), (0.8, None)])
def test_crs_on_all_draws(ldh: float, liver: bool | None) -> None:
    """The shipped model itself, every draw."""
    ours, theirs = crs_risks(load(), as_ldh(ldh), PRESENCE[liver]), plain.crs_risks(load(), ldh, liver)
    check(ours.any_grade, theirs["any"])
    check(ours.grade2plus, theirs["grade2"])


@pytest.mark.parametrize(
    ("ldh", "liver"), [(None, True), (None, False), (None, None), ("high", None), ("normal", None)]
)
def test_sixteen_points_stand_for_the_distribution_of_an_unknown_ldh(
    monkeypatch: pytest.MonkeyPatch, ldh: str | None, liver: bool | None
) -> None:
    """Against 200 points, on every draw. The answer prints whole percentages."""
    points = 200
    uncached = crs_risks.__wrapped__
    coarse = uncached(load(), as_ldh(ldh), PRESENCE[liver])
    monkeypatch.setattr(mixture, "LDH_POINTS", points)
    monkeypatch.setattr(mixture, "_MID", (np.arange(points)[:, None] + 0.5) / points)
    fine = uncached(load(), as_ldh(ldh), PRESENCE[liver])
    for few, many in ((coarse.any_grade, fine.any_grade), (coarse.grade2plus, fine.grade2plus)):
        assert few.risk == pytest.approx(many.risk, abs=0.002)
        # The worst is the upper limit of grade >= 2 with liver metastases, about 0.005.
        assert few.interval == pytest.approx(many.interval, abs=0.006)


def test_every_branch_carries_its_draws_own_weight() -> None:
    """An unknown factor splits a draw; it never makes one draw count more than another."""
    crs, icans = load().draws("crs"), load().draws("icans")
    for ldh, liver in product((None, "high", "normal", 1.92), KNOWN_OR_NOT):
        branches = mixture.crs_branches(crs, as_ldh(ldh), PRESENCE[liver], hold=plain.HELD)
        np.testing.assert_allclose(branches.weight.sum(axis=0), crs.weight, rtol=1e-12)
        assert (branches.weight >= 0).all()
    for diabetes, cvd in product(KNOWN_OR_NOT, KNOWN_OR_NOT):
        weight = mixture.icans_branches(icans, PRESENCE[diabetes], PRESENCE[cvd]).weight
        assert len(weight) == (1 if diabetes is not None else 2) * (1 if cvd is not None else 2)
        np.testing.assert_allclose(weight.sum(axis=0), icans.weight, rtol=1e-12)
        assert (weight >= 0).all()


@pytest.mark.parametrize(("multiple", "held"), [(1.0, (0.0, 0.0)), (40.0, (0.999, 1.0)), (0.1, (0.9, 1.0))])
def test_held_share(multiple: float, held: tuple[float, float]) -> None:
    """The weight of the draws at whose limit the LDH is held, counted by hand."""
    draws = load().draws("crs")
    share = mixture.crs_branches(draws, LdhMultiple(multiple=multiple), Presence.YES, hold=plain.HELD).held_share
    beyond = np.abs(np.log2(multiple) - draws["ldh_mean"]) > plain.HELD * draws["ldh_sd"]
    expected = draws.weight[beyond].sum()
    assert share == pytest.approx(expected, abs=1e-12)
    assert held[0] <= share <= held[1]


def test_beyond_the_range_the_risk_stands_still() -> None:
    model = load()
    far, farther = (crs_risks(model, LdhMultiple(multiple=m), Presence.YES) for m in (39.0, 40.0))
    assert far.any_grade.risk == pytest.approx(farther.any_grade.risk, abs=1e-6)
