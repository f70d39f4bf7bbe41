"""Do a site model's intervals hold the truth? Many centres whose truths are draws of the model, left out of it.

``python -m benchmarks.site_coverage`` takes five to ten minutes and writes ``results/site_coverage.json``. If the
update is right, a 95 % interval holds the truth in 95 % of centres, whatever their number of patients, and the truth's
rank among the draws is uniform (Talts et al., arXiv:1804.06788). ``by_chance`` is the range of a share in which 95 of
100 such runs would end.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.cohort.update.patients import site_patients
from knowledge.cohort.update.site import SEED
from knowledge.cohort.update.weighing import Weighed, weigh
from knowledge.logistic import expit
from knowledge.model import load
from knowledge.normal import cdf
from knowledge.synthesis.spec import CODINGS
from tests.support.own_centres import own_centre

RESULT = Path(__file__).parent / "results" / "site_coverage.json"
CENTRES = 200
PATIENTS = (30, 80)
BINS = 10


def run() -> dict[str, Any]:
    """Coverage, ranks and widths by number of patients."""
    model = load()
    found: dict[str, Any] = {"model": model.version.id, "centres": CENTRES, "by_chance": _by_chance(), "patients": {}}
    before: dict[str, float] = {}
    for patients in PATIENTS:
        rng = np.random.default_rng(patients)
        below: dict[str, list[float]] = {}
        width: dict[str, list[float]] = {}
        refused = {"crs": 0, "icans": 0}
        for _ in range(CENTRES):
            centre = own_centre(model, patients, rng)
            entered = site_patients(centre.rows)
            for pool in ("crs", "icans"):
                weighed = weigh(centre.model, pool, entered, SEED)
                refused[pool] += not weighed.bears
                for name, (values, true) in _quantities(weighed, centre.truth[pool]).items():
                    # Refused ones count too: leaving them out would pick centres by their truth.
                    below.setdefault(name, []).append(float(weighed.weight[values <= true].sum()))
                    if name not in before:
                        before[name] = _width(values, np.broadcast_to(weighed.draws.weight, values.shape))
                    width.setdefault(name, []).append(_width(values, weighed.weight))
        found["patients"][str(patients)] = {
            "refused": refused,
            **{name: _summary(np.array(below[name]), before[name], np.mean(width[name])) for name in below},
        }
    return found


def _quantities(weighed: Weighed, truth: dict[str, float]) -> dict[str, tuple[NDArray[np.float64], float]]:
    """The centre's level and risks of a patient with every finding: values (R, N) and the truth."""
    draws = weighed.draws
    columns = {name: draws[name] for name in draws.names}
    if weighed.pool == "crs":
        by_ratio = draws.coding == CODINGS.index("log2_ratio")
        effect, ldh = _crs_effect(columns, by_ratio)
        true_effect, true_ldh = _crs_effect(truth, truth["coding"] == CODINGS.index("log2_ratio"))
        grade2 = expit(draws["c_grade2"] + draws["d_ldh"] * ldh)
        true2 = expit(truth["c_grade2"] + truth["d_ldh"] * true_ldh)
        risk = expit(weighed.level + effect)
        true_risk = float(expit(truth["a_new"] + true_effect))
        return {
            "crs_level": (weighed.level, truth["a_new"]),
            "crs_any": (risk, true_risk),
            "crs_grade2plus": (risk * grade2, true_risk * float(true2)),
        }
    effect, true_effect = (
        each["b_diabetes"] * (1.0 - each["diabetes_prevalence"]) + each["b_cvd"] * (1.0 - each["cvd_prevalence"])
        for each in (columns, truth)
    )
    risk = expit(weighed.level + effect)
    return {
        "icans_level": (weighed.level, truth["a_new"]),
        "icans_any": (risk, float(expit(truth["a_new"] + true_effect))),
    }


def _crs_effect(columns: dict[str, Any], by_ratio: Any) -> tuple[Any, Any]:
    """LDH twice its limit, with liver metastases."""
    ldh = np.where(by_ratio, 1.0 - columns["ldh_mean"], 1.0 - cdf(columns["ldh_mean"] / columns["ldh_sd"]))
    return columns["b_ldh"] * ldh + columns["b_liver"] * (1.0 - columns["liver_prevalence"]), ldh


def _width(values: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    flat, mass = values.ravel(), weight.ravel()
    order = np.argsort(flat)
    cumulative = np.cumsum(mass[order])
    low, high = (flat[order][np.searchsorted(cumulative, at * cumulative[-1])] for at in (0.025, 0.975))
    return float(high - low)


def _summary(ranks: NDArray[np.float64], before: float, after: np.floating[Any]) -> dict[str, Any]:
    counts, _ = np.histogram(ranks, bins=BINS, range=(0.0, 1.0))
    expected = len(ranks) / BINS
    return {
        "within_95": float(((ranks > 0.025) & (ranks < 0.975)).mean()),
        "within_50": float(((ranks > 0.25) & (ranks < 0.75)).mean()),
        "ranks": counts.tolist(),
        "chi_square": float(((counts - expected) ** 2 / expected).sum()),
        "mean_width_before": before,
        "mean_width_after": float(after),
    }


def _by_chance() -> dict[str, list[float]]:
    error = {share: 1.96 * np.sqrt(share * (1 - share) / CENTRES) for share in (0.95, 0.5)}
    return {f"within_{100 * share:.0f}": [share - each, share + each] for share, each in error.items()}


def main() -> None:
    """Run and write."""
    RESULT.write_text(json.dumps(run(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
