"""A centre with other rates than the model expects: calibration on its later patients, before and after an update.

``python -m benchmarks.site_recovery`` takes two minutes and writes ``results/site_recovery.json``. The centre
is simulated from a logistic model of its own, not from one of the model's draws; CRS is more frequent there by one log
odds and ICANS less by one than the model expects. Means over several such cohorts, each tested on the same later
patients.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.cohort.update.expected import Calibration, calibration
from knowledge.cohort.update.patients import site_patients
from knowledge.cohort.update.site import TooManyError, update
from knowledge.model import load
from tests.support.centre import Truth, simulated_centre

RESULT = Path(__file__).parent / "results" / "site_recovery.json"
TRUTH = Truth(crs=1.0, icans=-2.2)
COHORTS, LATER = 10, 2_500
PATIENTS = (20, 40, 80)


def run() -> dict[str, Any]:
    """Observed and expected shares and the calibration intercept, before and after, by number of patients."""
    model = load()
    later = site_patients(simulated_centre(LATER, 999, TRUTH))
    found: dict[str, Any] = {"model": model.version.id, "cohorts": COHORTS, "later_patients": LATER}
    found["before"] = {each.outcome.value: _figures([each]) for each in calibration(model, later)}
    found["after"] = {}
    for patients in PATIENTS:
        made: list[tuple[Calibration, ...]] = []
        refused = 0
        for seed in range(COHORTS):
            try:
                site = update(model, simulated_centre(patients, seed, TRUTH), "0" * 64)
            except TooManyError:
                refused += 1
                continue
            made.append(calibration(site.model, later))
        by_outcome = zip(*made, strict=True)
        found["after"][str(patients)] = {
            "refused": refused,
            **{same[0].outcome.value: _figures(list(same)) for same in by_outcome},
        }
    return found


def _figures(calibrations: list[Calibration]) -> dict[str, float]:
    intercepts = np.array([each.intercept for each in calibrations], dtype=float)
    return {
        "observed": calibrations[0].observed / calibrations[0].patients,
        "expected": float(np.mean([each.expected / each.patients for each in calibrations])),
        "intercept": float(intercepts.mean()),
        "intercept_worst": float(intercepts[np.abs(intercepts).argmax()]),
    }


def main() -> None:
    """Run and write."""
    RESULT.write_text(json.dumps(run(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
