"""How many patients the model's draws bear in an update: Pareto k and effective size by number of patients.

``python -m benchmarks.site_capacity`` takes a few minutes and writes ``results/site_capacity.json``. With the folder
of a larger build (``tarla model build --draws N --keep N --out FOLDER``) as its argument it tries that too. ``shift``
is by how much CRS and ICANS are more frequent at the centre than the model expects, in log odds. Medians of cohorts.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.cohort.update.patients import site_patients
from knowledge.cohort.update.redraw import LEVELS
from knowledge.cohort.update.site import SEED
from knowledge.cohort.update.weighing import weigh
from knowledge.model import load, load_from
from tests.support.centre import Truth, simulated_centre

RESULT = Path(__file__).parent / "results" / "site_capacity.json"
PATIENTS = (20, 50, 100, 200, 500, 1_000)
SHIFTS = (0.0, 1.0)
COHORTS = 3
LARGEST = 200  # patients put to a larger build: more takes minutes each


def run(larger: Path | None) -> list[dict[str, Any]]:
    """One line for each model, number of levels, shift, number of patients and toxicity."""
    tried = [("shipped", load(), count, COHORTS) for count in (1, LEVELS)]
    if larger is not None:
        tried.append(("larger", load_from(larger), LEVELS, 1))
    found = []
    for name, model, count, cohorts in tried:
        for shift in SHIFTS:
            for number in PATIENTS:
                if name == "larger" and number > LARGEST:
                    continue
                truth = Truth(crs=shift, icans=-1.2 + shift)
                centres = [site_patients(simulated_centre(number, seed, truth)) for seed in range(cohorts)]
                for pool in ("crs", "icans"):
                    weighed = [weigh(model, pool, each, SEED, count=count) for each in centres]
                    line = {
                        "model": name,
                        "draws": len(model.draws(pool).weight),
                        "levels": count,
                        "shift": shift,
                        "patients": number,
                        "pool": pool,
                        "khat": round(float(np.median([each.khat for each in weighed])), 2),
                        "effective": round(float(np.median([each.effective for each in weighed]))),
                        "bears": sum(each.bears for each in weighed),
                        "cohorts": cohorts,
                    }
                    found.append(line)
                    print(line, flush=True)  # noqa: T201 - how far it is
    return found


def main() -> None:
    """Run and write, a line each."""
    lines = run(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    RESULT.write_text("[\n" + ",\n".join(json.dumps(line) for line in lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
