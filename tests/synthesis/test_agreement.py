"""The model as built against a second, plain implementation, and with its proposals against the prior itself."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge.evidence import load as load_evidence
from knowledge.model import Model, decode, encode
from knowledge.synthesis.build import build_model
from knowledge.synthesis.centre import centre_posterior
from knowledge.synthesis.cohorts import Batch, crs_batch, icans_batch
from knowledge.synthesis.facts import published_spec
from knowledge.synthesis.pooling import Stratum
from knowledge.synthesis.proposal import SHIFTED, Proposals
from knowledge.synthesis.spec import CODINGS, POOLS, Coding, Pool
from tests.support import engine_firth
from tests.support.engine_agreement import compare, plain_stratum
from tests.support.engine_rejection import firth

# Small cohorts, wide priors, a low threshold: plain rejection keeps a few cohorts in a thousand, not in a million.
LOOSE = published_spec(load_evidence()).model_copy(
    update={
        "n": 12,
        "crs_any": 6,
        "crs_grade2_least": 2,
        "crs_grade3": 1,
        "icans_any": 4,
        "lr_threshold": 0.3,
        "tau_crs": (1.5, 2.5),
        "tau_icans": (1.5, 2.5),
        "grade2_given_any": (0.5, 0.6),
        "grade3_given_grade2": (0.3, 0.8),
    }
)
PLAIN = {"crs": 40_000, "icans": 20_000}


@pytest.fixture(scope="module")
def built() -> Model:
    return decode(encode(build_model(LOOSE, 5, effective_draws=1_500, workers=1), "test"))


@pytest.mark.parametrize("pool", POOLS)
def test_agrees_with_a_plain_implementation(built: Model, pool: Pool) -> None:
    """P(facts), every parameter's mean, and risks and limits of a few patients, within four standard errors."""
    codings: tuple[Coding | None, ...] = CODINGS if pool == "crs" else (None,)
    plain = [
        [plain_stratum(LOOSE, pool, tau, coding, PLAIN[pool], 10 * i + j) for j, coding in enumerate(codings)]
        for i, tau in enumerate(LOOSE.taus(pool))
    ]
    assert min(kept.accepted for by_coding in plain for kept in by_coding) > 100
    comparisons = compare(built, pool, plain)
    assert len(comparisons) >= 20
    wrong = [f"{c.name}: {c.built:.4g} against {c.plain:.4g}, z {c.z:.1f}" for c in comparisons if abs(c.z) > 4]
    assert wrong == []
    # Not within error because the errors are vast: most figures are known to a few per cent.
    assert np.median([c.error / max(abs(c.plain), 0.1) for c in comparisons]) < 0.15


def test_the_plain_regression_is_right() -> None:
    """Against the reference solutions, so that agreement with it means something."""
    for reference in engine_firth.references():
        coef, loglik = firth(reference.X[None], reference.y[None], None)
        assert loglik[0] == pytest.approx(reference.loglik, abs=1e-8)
        assert coef[0] == pytest.approx(reference.coef, abs=1e-4)
        for j, chi2 in enumerate(reference.chi2, start=reference.X.shape[1] - len(reference.chi2)):
            _, held = firth(reference.X[None], reference.y[None], j)
            assert 2 * (loglik[0] - held[0]) == pytest.approx(chi2, abs=1e-6)


@pytest.mark.parametrize("coding", [*CODINGS, None])
def test_proposals_change_neither_the_probability_of_the_facts_nor_the_means(coding: Coding | None) -> None:
    """The real conditions, from the proposals and from the prior alone."""
    spec = published_spec(load_evidence())
    pool: Pool = "icans" if coding is None else "crs"
    centre = centre_posterior(spec.centres(pool), spec.centre_mean_sd, spec.centre_sd_scale)

    def simulated(proposals: Proposals, seed: int) -> Stratum:
        rng = np.random.default_rng(seed)
        batches: list[Batch] = [
            icans_batch(spec, centre, 1.0, 4_000, rng, proposals=proposals)
            if coding is None
            else crs_batch(spec, centre, 1.5, coding, 2_000, rng, proposals=proposals)
            for _ in range(3)
        ]
        return Stratum(1.5, coding or "none", batches)

    on, off = simulated(SHIFTED, 31), simulated(SHIFTED.off(), 32)
    difference = on.probability_of_facts - off.probability_of_facts
    assert abs(difference) < 4 * np.hypot(on.standard_error, off.standard_error)
    names = tuple(on.batches[0].columns)
    for a, b, name in zip(on.matrix(names), off.matrix(names), names, strict=True):
        means, errors = [], []
        for value, weight in ((a, on.weight), (b, off.weight)):
            share = weight / weight.sum()
            means.append((share * value).sum())
            errors.append(np.sqrt((share**2 * (value - means[-1]) ** 2).sum()))
        assert abs(means[0] - means[1]) < 4 * np.hypot(*errors), name
    # And they pay: the prior alone needs several times the cohorts for the same standard error.
    assert off.standard_error > 1.2 * on.standard_error
