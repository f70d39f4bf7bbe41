"""``tarla model study``: run the evidence study and the sensitivity analysis, and write what they found."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Never

from pydantic import BaseModel
from tqdm import tqdm

from bot.simulation_report import study_report
from knowledge.model import load as load_model
from knowledge.simulation.results import SENSITIVITY_FILE, STUDY_FILE, Sensitivity, StudyResults
from knowledge.simulation.run import Progress, Size, run_study
from knowledge.simulation.sensitivity import run_sensitivity

DEFAULT_SEED = 20261124
REPORT = "study.md"
# Share of the time that the study proper takes; the rest is the sensitivity analysis.
STUDY_SHARE = 0.7
_ESTIMATE = re.compile(r'\{\n +"value": ([^,\n]+),\n +"se": ([^,\n]+)\n +\}')


def run_to(folder: Path, docs: Path | None, *, seed: int, cohorts: int, draws: int, workers: int | None) -> list[Path]:
    """Run both and write the results into ``folder`` and, where given, the report into ``docs``.

    Args:
        folder: for the two JSON files.
        docs: for the report; its pictures are drawn from the results by the pictures' own command.
        seed: of all randomness.
        cohorts: least effective number of cohorts a truth.
        draws: least effective size of each simulated variant of the sensitivity analysis.
        workers: processes; None means one a core.
    """
    model = load_model()
    with tqdm(
        total=100, unit="%", bar_format="{desc:<44} {bar} {percentage:3.0f} % · {elapsed}", mininterval=0.3
    ) as bar:
        first, second = _progress(bar, 0.0, STUDY_SHARE), _progress(bar, STUDY_SHARE, 1.0 - STUDY_SHARE)
        study = run_study(model, seed, Size(effective=cohorts), workers=workers, progress=first)
        sensitivity = run_sensitivity(model, seed, draws, workers=workers, progress=second)
    folder.mkdir(parents=True, exist_ok=True)
    written = [_write(folder / STUDY_FILE, study), _write(folder / SENSITIVITY_FILE, sensitivity)]
    if docs is not None:
        written.append(write_report(docs, study, sensitivity))
    return written


def write_report(docs: Path, study: StudyResults, sensitivity: Sensitivity) -> Path:
    """The report into ``docs``; returns its path."""
    path = docs / REPORT
    path.write_text(study_report(study, sensitivity), encoding="utf-8")
    return path


def _write(path: Path, record: BaseModel) -> Path:
    text = record.model_dump_json(indent=1, exclude_defaults=True)
    # An estimate and its error belong on one line; the file is half as long for it.
    path.write_text(_ESTIMATE.sub(r'{"value": \1, "se": \2}', text) + "\n", encoding="utf-8")
    return path


def _progress(bar: tqdm[Never], start: float, share: float) -> Progress:
    def show(title: str, done: float) -> None:
        bar.set_description_str(title, refresh=False)
        bar.update(max(0.0, 100 * (start + share * done) - bar.n))

    return show
