"""Parameters and covariates of simulated cohorts, drawn from their priors or from a proposal near the facts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from knowledge.logistic import logit
from knowledge.normal import cdf, quantile
from knowledge.synthesis.centre import CentrePosterior
from knowledge.synthesis.proposal import SHIFTED, Proposal
from knowledge.synthesis.spec import Coding, Spec

Floats = NDArray[np.float64]

CRS_COLUMNS = (
    "ldh_mean", "ldh_sd", "liver_prevalence", "ldh_liver_correlation", "mu", "t", "a_study", "a_new",
    "b_ldh", "b_liver", "c_grade2", "d_ldh", "logit_grade3",
)  # fmt: skip
ICANS_COLUMNS = (
    "diabetes_prevalence", "cvd_prevalence", "diabetes_cvd_correlation", "mu", "t", "a_study", "a_new",
    "b_diabetes", "b_cvd",
)  # fmt: skip


def prior_draws(
    spec: Spec, centre: CentrePosterior, tau: float, coding: Coding | None, size: int, rng: np.random.Generator
) -> dict[str, Floats]:
    """The parameters as they are before any fact: of CRS under one coding of LDH, of ICANS if it is None."""
    if coding is None:
        return icans_parameters(spec, centre, tau, size, SHIFTED.icans.off(), rng)[0]
    parameters, scale, _ = crs_parameters(spec, centre, tau, coding, size, SHIFTED.crs.off(), rng)
    parameters["c_grade2"] = rng.normal(logit(spec.grade2_given_any[0]), spec.grade2_given_any[1], size)
    parameters["d_ldh"] = scale * rng.standard_normal(size)
    parameters["logit_grade3"] = rng.normal(logit(spec.grade3_given_grade2[0]), spec.grade3_given_grade2[1], size)
    return {name: parameters[name] for name in CRS_COLUMNS}


def crs_parameters(
    spec: Spec,
    centre: CentrePosterior,
    tau: float,
    coding: Coding,
    size: int,
    proposal: Proposal,
    rng: np.random.Generator,
) -> tuple[dict[str, Floats], Floats, Floats]:
    """Parameters of CRS of any grade, the scale of slopes on LDH (size,) and the weight of the proposal (size,)."""
    parameters = _ldh_and_liver_parameters(spec, size, rng)
    # tau is the scale of a 2-sd difference; the elevated coding is one unit wide as it stands.
    scale = np.full(size, tau) if coding == "elevated" else tau / (2.0 * parameters["ldh_sd"])
    (e1, ldh, liver), importance = proposal.draw(size, rng)
    parameters |= _centre(centre, e1, rng)
    parameters |= {"b_ldh": scale * ldh, "b_liver": tau * liver}
    return parameters, scale, importance


def icans_parameters(
    spec: Spec, centre: CentrePosterior, tau: float, size: int, proposal: Proposal, rng: np.random.Generator
) -> tuple[dict[str, Floats], Floats]:
    """Parameters of ICANS and the weight of the proposal (size,)."""
    parameters = _diabetes_and_cvd_parameters(spec, size, rng)
    (e1, diabetes, cvd), importance = proposal.draw(size, rng)
    parameters |= _centre(centre, e1, rng)
    parameters |= {"b_diabetes": tau * diabetes, "b_cvd": tau * cvd}
    return parameters, importance


def _ldh_and_liver_parameters(spec: Spec, size: int, rng: np.random.Generator) -> dict[str, Floats]:
    return {
        "ldh_mean": rng.normal(*spec.ldh_mean, size),
        "ldh_sd": rng.uniform(*spec.ldh_sd, size),
        "liver_prevalence": rng.beta(*spec.liver_prevalence, size),
        "ldh_liver_correlation": rng.uniform(*spec.ldh_liver_correlation, size),
    }


def _diabetes_and_cvd_parameters(spec: Spec, size: int, rng: np.random.Generator) -> dict[str, Floats]:
    return {
        "diabetes_prevalence": rng.beta(*spec.diabetes_prevalence, size),
        "cvd_prevalence": rng.beta(*spec.cvd_prevalence, size),
        "diabetes_cvd_correlation": rng.uniform(*spec.diabetes_cvd_correlation, size),
    }


def _centre(centre: CentrePosterior, e1: Floats, rng: np.random.Generator) -> dict[str, Floats]:
    """The study's centre, ``e1`` between-centre sds from the average, and a new one."""
    mu, t = centre.draw(len(e1), rng)
    return {"mu": mu, "t": t, "a_study": mu + t * e1, "a_new": mu + t * rng.standard_normal(len(e1))}


def correlated(size: int, n: int, correlation: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Two latent normals (B, n) with the given correlation (B,)."""
    first = rng.standard_normal((size, n))
    rho = correlation[:, None]
    return first, rho * first + np.sqrt(1.0 - rho * rho) * rng.standard_normal((size, n))


def present(
    n: int, parameters: dict[str, Floats], names: tuple[str, ...], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Two binary findings (B, n) from their prevalences and correlation, named in that order."""
    first, second, correlation = (parameters[name] for name in names)
    z1, z2 = correlated(len(first), n, correlation, rng)
    one, other = (z > quantile(1.0 - p)[:, None] for z, p in ((z1, first), (z2, second)))
    return one.astype(float), other.astype(float)


def diabetes_and_cvd(spec: Spec, size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Findings without effect on CRS (B, n), for the larger analysis."""
    return present(spec.n, _diabetes_and_cvd_parameters(spec, size, rng), ICANS_COLUMNS[:3], rng)


def ldh_and_liver(spec: Spec, size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """LDH above its limit and liver metastases without effect on ICANS (B, n), for the larger analysis."""
    parameters = _ldh_and_liver_parameters(spec, size, rng)
    parameters["elevated"] = cdf(parameters["ldh_mean"] / parameters["ldh_sd"])
    return present(spec.n, parameters, ("elevated", "liver_prevalence", "ldh_liver_correlation"), rng)
