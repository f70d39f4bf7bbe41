"""Patients to ask the engine about: hypothesis strategies, and the population as a weighted grid."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from scipy import stats

from knowledge import Assessment, LdhCategory, LdhMeasured, LdhMultiple, PatientFactors, Presence, UpperLimit
from knowledge.assessment import OutcomeRisk
from knowledge.factors import RATIO_MAX, RATIO_MIN, Ldh

# The same examples every time: a law that fails here fails everywhere.
LAW = settings(max_examples=60, deadline=None, derandomize=True)

YES, NO, UNKNOWN = Presence.YES, Presence.NO, Presence.UNKNOWN
HIGH, NORMAL = LdhCategory(category="high"), LdhCategory(category="normal")

presences = st.sampled_from(Presence)
# The limit and its neighbourhood, where the estimate jumps, as well as the whole range.
multiples = st.one_of(
    st.sampled_from([RATIO_MIN, 0.9, 1.0, 1.0 + 1e-9, 1.1, RATIO_MAX]),
    st.floats(0.8, 1.25),
    st.floats(np.log(RATIO_MIN), np.log(RATIO_MAX)).map(lambda x: float(np.clip(np.exp(x), RATIO_MIN, RATIO_MAX))),
)
measured = st.tuples(st.integers(50, 9_999), st.integers(100, 600)).filter(
    lambda pair: RATIO_MIN <= pair[0] / pair[1] <= RATIO_MAX
)
ldhs: st.SearchStrategy[Ldh | None] = st.one_of(
    st.none(),
    st.sampled_from([HIGH, NORMAL]),
    multiples.map(lambda multiple: LdhMultiple(multiple=multiple)),
    measured.map(lambda pair: LdhMeasured(value=pair[0], uln=UpperLimit(value=pair[1]))),
)
factors: st.SearchStrategy[PatientFactors] = st.builds(
    PatientFactors, ldh=ldhs, liver_metastases=presences, diabetes=presences, cardiovascular_disease=presences
)


def figures(outcome: OutcomeRisk) -> dict[str, float]:
    """The estimate and both limits, at a new centre and at the study's own."""
    return {
        "risk": outcome.risk,
        "lower limit": outcome.interval[0],
        "upper limit": outcome.interval[1],
        "risk at the study's centre": outcome.risk_study_centre,
        "lower limit at the study's centre": outcome.interval_study_centre[0],
        "upper limit at the study's centre": outcome.interval_study_centre[1],
    }


def outside(mixed: Assessment, one: Assessment, other: Assessment) -> list[str]:
    """Each figure of an averaged answer that does not lie between those of its two branches, and by how much."""
    found = []
    for between, first, second in zip(mixed.outcomes, one.outcomes, other.outcomes, strict=True):
        ends = zip(figures(first).values(), figures(second).values(), strict=True)
        for (name, value), (a, b) in zip(figures(between).items(), ends, strict=True):
            excess = max(min(a, b) - value, value - max(a, b))
            if excess > 1e-12:
                found.append(f"{between.outcome} {name}: {value:.6f} is {excess:.2e} outside {a:.6f} to {b:.6f}")
    return found


def population() -> Iterator[tuple[PatientFactors, float]]:
    """Patients of whom everything is known, with their share, at the middle of every prior."""
    m, s, liver, rho = 0.10, 1.1, 14 / 40, 0.3
    diabetes, cvd = 8 / 40, 9 / 30
    points = 12
    threshold = stats.norm.isf(liver)
    for z in stats.norm.ppf((np.arange(points) + 0.5) / points):
        p = float(stats.norm.sf((threshold - rho * z) / np.sqrt(1 - rho**2)))
        for has_liver, has_diabetes, has_cvd in product((True, False), repeat=3):
            share = 1.0 / points
            for has, chance in ((has_liver, p), (has_diabetes, diabetes), (has_cvd, cvd)):
                share *= chance if has else 1 - chance
            patient = PatientFactors(
                ldh=LdhMultiple(multiple=float(2 ** (m + s * z))),
                liver_metastases=YES if has_liver else NO,
                diabetes=YES if has_diabetes else NO,
                cardiovascular_disease=YES if has_cvd else NO,
            )
            yield patient, share
