"""The sensitivity analysis: parts of the model's own draws, and movements by hand."""

from __future__ import annotations

from math import erf, sqrt

import numpy as np
import pytest

from knowledge import Outcome, assess
from knowledge.evidence import load as load_evidence
from knowledge.model import load as load_model
from knowledge.simulation.results import Sensitivity, Shown, ShownRisk, load_sensitivity
from knowledge.simulation.sensitivity import moves
from knowledge.simulation.variants import PATIENTS, TRIAL_ICANS_BROAD, TRIAL_ICANS_NARROW, rebuilt
from knowledge.synthesis.spec import CODINGS, CentreCohort


def committed() -> Sensitivity:
    return load_sensitivity()


def shown_by(variant_id: str, outcome: Outcome) -> tuple[ShownRisk, ...]:
    (variant,) = [variant for variant in committed().variants if variant.id == variant_id]
    (move,) = [move for move in variant.moves if move.outcome is outcome]
    return move.shown


@pytest.mark.parametrize(("variant", "place"), [("tau_narrowest", 0), ("tau_widest", 1)])
@pytest.mark.parametrize("outcome", [Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS, Outcome.ICANS_ANY])
def test_one_tau_alone_is_what_the_answer_calls_its_prior(variant: str, place: int, outcome: Outcome) -> None:
    """Every answer states its risk under the narrowest and the widest prior."""
    for (_, factors), shown in zip(PATIENTS, shown_by(variant, outcome), strict=True):
        assert shown.risk == pytest.approx(assess(factors).risk_of(outcome).risk_by_prior[place], abs=2e-6)


@pytest.mark.parametrize(("variant", "coding"), [("coding_elevated", "elevated"), ("coding_log2", "log2_ratio")])
def test_one_coding_alone_by_hand(variant: str, coding: str) -> None:
    """Patient E, CRS of any grade: each tau's draws of one coding, the taus weighing the same."""
    draws = load_model().draws("crs")
    of_coding = draws.coding == CODINGS.index(coding)  # type: ignore[arg-type]
    log2_ratio = np.log2(1.92)
    elevated = np.array([_share_above(m / s) for m, s in zip(draws["ldh_mean"], draws["ldh_sd"], strict=True)])
    x = 1.0 - elevated if coding == "elevated" else log2_ratio - draws["ldh_mean"]
    eta = draws["a_new"] + draws["b_ldh"] * x + draws["b_liver"] * (1.0 - draws["liver_prevalence"])
    risk = 1 / (1 + np.exp(-eta))
    by_tau = [
        np.average(risk[of_coding & (draws.tau == tau)], weights=draws.weight[of_coding & (draws.tau == tau)])
        for tau in range(3)
    ]
    place = [patient.id for patient, _ in PATIENTS].index("E")
    assert shown_by(variant, Outcome.CRS_ANY)[place].risk == pytest.approx(np.mean(by_tau), abs=2e-6)


def _share_above(ratio: float) -> float:
    return 0.5 * (1.0 + erf(ratio / sqrt(2.0)))


def test_moves_by_hand() -> None:
    def of(*rows: tuple[float, float, float]) -> Shown:
        wide = (*rows, *[(0.5, 0.4, 0.6)] * (len(PATIENTS) - len(rows)))
        return Shown(outcome=Outcome.CRS_ANY, shown=tuple(ShownRisk(risk=a, low=b, high=c) for a, b, c in wide))

    found = moves(of((0.2, 0.1, 0.3), (0.5, 0.4, 0.6)), of((0.1, 0.1, 0.35), (0.53, 0.2, 0.6)))
    count = len(PATIENTS)
    assert found.largest_risk == pytest.approx(0.1)
    assert found.largest_risk_patient == PATIENTS[0][0].id
    assert found.mean_risk == pytest.approx(0.13 / count, abs=1e-6)
    assert found.mean_shift == pytest.approx(-0.07 / count, abs=1e-6)
    assert found.largest_limit == pytest.approx(0.2)
    assert found.mean_limit == pytest.approx(0.25 / (2 * count), abs=1e-6)


def test_trial_rates_of_the_variants_are_published() -> None:
    """The narrow rate by its count, the broad one by the only figure printed, a per cent."""
    evidence = load_evidence()
    narrow = evidence.fact(TRIAL_ICANS_NARROW.fact)
    assert CentreCohort(fact=narrow.id, events=narrow.count or 0, n=narrow.denominator or 0) == TRIAL_ICANS_NARROW
    broad = evidence.fact(TRIAL_ICANS_BROAD.fact)
    assert broad.denominator == TRIAL_ICANS_BROAD.n
    assert f"{100 * TRIAL_ICANS_BROAD.events / TRIAL_ICANS_BROAD.n:.0f}%" == str(broad.percent)


def test_every_variant_changes_what_it_says() -> None:
    spec = load_model().spec
    for variant in rebuilt(spec):
        assert (variant.spec(spec) == spec) == (variant.id == "seed")


def test_noise_is_smaller_than_what_matters() -> None:
    """Another seed moves an estimate by less than 1.5 points; the priors move it by several."""
    (noise,) = [variant for variant in committed().variants if variant.id == "seed"]
    assert all(move.largest_risk < 0.015 for move in noise.moves)
