"""Risk of one patient from the model's draws: estimates, intervals, range over the priors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from knowledge.assessment import Outcome, OutcomeRisk
from knowledge.factors import Ldh, Presence
from knowledge.logistic import expit
from knowledge.mixture import CrsBranches, IcansBranches, crs_branches, icans_branches
from knowledge.model import Draws, Model
from knowledge.quantiles import weighted_quantiles

Floats = NDArray[np.float64]

INTERVAL = (0.025, 0.975)


@dataclass(frozen=True)
class CrsRisks:
    """CRS of any grade and of grade 2 or higher; ``held_share`` as in ``CrsBranches``."""

    any_grade: OutcomeRisk
    grade2plus: OutcomeRisk
    held_share: float


@lru_cache(maxsize=1024)
def crs_risks(model: Model, ldh: Ldh | None, liver: Presence) -> CrsRisks:
    """Risks of CRS given LDH and liver metastases, either of which may be unknown."""
    draws = model.draws("crs")
    branches, effect = crs_effect(model, ldh, liver)
    grade2_given_any = expit(draws["c_grade2"] + draws["d_ldh"] * branches.ldh)
    new, study = expit(draws["a_new"] + effect), expit(draws["a_study"] + effect)
    return CrsRisks(
        _summary(Outcome.CRS_ANY, draws, branches.weight, new, study),
        _summary(Outcome.CRS_GRADE2PLUS, draws, branches.weight, new * grade2_given_any, study * grade2_given_any),
        branches.held_share,
    )


@lru_cache(maxsize=64)
def icans_risk(model: Model, diabetes: Presence, cvd: Presence) -> OutcomeRisk:
    """Risk of ICANS of any grade given diabetes and CVD, either of which may be unknown."""
    draws = model.draws("icans")
    branches, effect = icans_effect(model, diabetes, cvd)
    new, study = expit(draws["a_new"] + effect), expit(draws["a_study"] + effect)
    return _summary(Outcome.ICANS_ANY, draws, branches.weight, new, study)


# The last patient's alone: large arrays, wanted again when the width of the same patient's interval is explained.
@lru_cache(maxsize=1)
def crs_effect(model: Model, ldh: Ldh | None, liver: Presence) -> tuple[CrsBranches, Floats]:
    """Branches of the mixture and the log odds that the findings add to a centre's level in each (K, N)."""
    draws = model.draws("crs")
    branches = crs_branches(draws, ldh, liver, model.spec.ldh_hold)
    return branches, draws["b_ldh"] * branches.ldh + draws["b_liver"] * branches.liver


@lru_cache(maxsize=1)
def icans_effect(model: Model, diabetes: Presence, cvd: Presence) -> tuple[IcansBranches, Floats]:
    """As ``crs_effect``, for ICANS."""
    draws = model.draws("icans")
    branches = icans_branches(draws, diabetes, cvd)
    return branches, draws["b_diabetes"] * branches.diabetes + draws["b_cvd"] * branches.cvd


def _summary(outcome: Outcome, draws: Draws, weight: Floats, new: Floats, study: Floats) -> OutcomeRisk:
    by_draw, total = (weight * new).sum(axis=0), weight.sum(axis=0)
    by_prior = [float(by_draw[part].sum() / total[part].sum()) for part in (draws.tau_slices[0], draws.tau_slices[-1])]
    low, high = weighted_quantiles(new, weight, INTERVAL)
    study_low, study_high = weighted_quantiles(study, weight, INTERVAL)
    return OutcomeRisk(
        outcome=outcome,
        risk=float(by_draw.sum() / total.sum()),
        interval=(low, high),
        risk_study_centre=float((weight * study).sum() / total.sum()),
        interval_study_centre=(study_low, study_high),
        risk_by_prior=(by_prior[0], by_prior[1]),
    )
