"""The pooled rate against numerical integration over the centre term's posterior."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from knowledge import Outcome
from knowledge.evidence import load as load_evidence
from knowledge.simulation.pooled import pooled_rates
from knowledge.synthesis.centre import centre_posterior
from knowledge.synthesis.facts import published_spec
from knowledge.synthesis.spec import Pool

SPEC = published_spec(load_evidence())
NODES = stats.norm.ppf((np.arange(100) + 0.5) / 100)


@pytest.mark.parametrize(("outcome", "pool"), [(Outcome.CRS_ANY, "crs"), (Outcome.ICANS_ANY, "icans")])
def test_pooled_rate_is_the_centre_terms(outcome: Outcome, pool: Pool) -> None:
    posterior = centre_posterior(SPEC.centres(pool), SPEC.centre_mean_sd, SPEC.centre_sd_scale)
    mass = posterior.probability[:, :, None] / len(NODES)
    rate = special.expit(posterior.mu[:, None, None] + posterior.t[None, :, None] * NODES)
    found = pooled_rates(SPEC)[outcome]
    assert found.risk == pytest.approx(float((mass * rate).sum()), abs=0.001)
    assert float((mass * (rate < found.low)).sum()) == pytest.approx(0.025, abs=0.002)
    assert float((mass * (rate > found.high)).sum()) == pytest.approx(0.025, abs=0.002)


def test_grade_two_is_any_grade_times_the_published_share() -> None:
    rates = pooled_rates(SPEC)
    mean, sd = SPEC.grade2_given_any
    share = special.expit(special.logit(mean) + sd * NODES).mean()
    assert rates[Outcome.CRS_GRADE2PLUS].risk == pytest.approx(rates[Outcome.CRS_ANY].risk * share, abs=0.001)
    assert rates[Outcome.CRS_GRADE2PLUS].low < rates[Outcome.CRS_ANY].low


def test_it_is_the_same_for_everybody() -> None:
    rate = pooled_rates(SPEC)[Outcome.ICANS_ANY]
    predicted = rate.predict((3, 2))
    assert predicted.risk.tolist() == [[rate.risk] * 2] * 3
    assert (predicted.low < predicted.risk).all()
    assert (predicted.risk < predicted.high).all()
