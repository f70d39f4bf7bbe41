"""Validating 100,000 patients: time, and the most memory held: ``python -m benchmarks.cohort_validation``.

The cohort is simulated, written to a temporary file and given to the real command in a process of its own.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from benchmarks.measure import Line, report
from knowledge.cohort.file import csv_lines
from knowledge.cohort.record import CohortRow
from knowledge.factors import LdhMeasured, Presence, UpperLimit

PATIENTS = (1_000, 10_000, 100_000)
SEED = 20_261_124
MEGABYTE = 1_000_000.0
# What a hospital's machine has to spare; and the time in which someone waits without going away.
BUDGET_MB, BUDGET_S = 1_000.0, 300.0


def patients(n: int) -> Iterator[CohortRow]:
    """Patients with LDH in tenths of U/L, so that nearly all of them differ; a tenth of findings not known."""
    rng = np.random.default_rng(SEED)
    for _ in range(n):
        log2_ratio, known = rng.normal(0.1, 1.1), rng.random(4) > 0.1
        liver, diabetes, cvd, given = rng.random(4) < (0.35, 0.2, 0.3, 0.1)
        had = rng.random(3) < (0.3 + 0.1 * liver, 0.3, 0.2 + 0.1 * diabetes)
        ldh = LdhMeasured(value=float(np.clip(round(250.0 * 2.0**log2_ratio, 1), 50, 9_000)), uln=UpperLimit(value=250))
        yield CohortRow(
            ldh=ldh if known[0] else None,
            liver_metastases=_presence(liver, known[1]),
            diabetes=_presence(diabetes, known[2]),
            cardiovascular_disease=_presence(cvd, known[3]),
            tocilizumab_prophylaxis=_presence(given, True),
            crs_grade_dose1=int(had[0]) + int(had[0] and had[1]),
            icans_grade=int(had[2]),
            simulated=True,
        )


def validated(path: Path, folder: Path) -> tuple[float, float, float]:
    """Seconds of the command, processor seconds, and the most megabytes that it and its processes held at one time."""
    command = [sys.executable, "-m", "bot", "study", "validate", str(path), "--shipped", "--out", str(folder)]
    before, started = _processor(), time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - ours
        most = 0.0
        while process.poll() is None:
            most = max(most, sum(_resident(each) for each in _family(process.pid)))
            time.sleep(0.1)
        took = time.perf_counter() - started
    if process.returncode != 0:
        raise click.ClickException(f"the command ended with {process.returncode}")
    return took, _processor() - before, most / MEGABYTE


@click.command()
def main() -> None:
    """Measure and write benchmarks/results/cohort_validation.json."""
    lines = []
    for n in PATIENTS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "cohort.csv"
            with path.open("w", encoding="utf-8") as stream:
                stream.writelines(f"{line}\n" for line in csv_lines(patients(n)))
            took, processor, most = validated(path, Path(folder))
        largest = n == max(PATIENTS)
        lines.append(Line(f"{n:,} patients: time", took, "s", BUDGET_S if largest else None))
        lines.append(Line(f"{n:,} patients: processor time, all processes", processor, "s"))
        lines.append(Line(f"{n:,} patients: most memory, all processes", most, "MB", BUDGET_MB if largest else None))
    report("cohort_validation", lines, {"patients": PATIENTS, "seed": SEED, "processes": os.cpu_count()})


def _processor() -> float:
    """Processor seconds of all processes that this one has waited for, theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _presence(present: np.bool_ | bool, known: np.bool_ | bool) -> Presence:
    return Presence.UNKNOWN if not known else Presence.YES if present else Presence.NO


def _family(pid: int) -> list[int]:
    """A process and its descendants (Linux)."""
    found = [pid]
    for each in found:
        try:
            for task in Path(f"/proc/{each}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def _resident(pid: int) -> float:
    """Proportional set size in bytes: memory shared between processes counts once (Linux)."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return 1024.0 * int(line.split()[1])
    except OSError:
        pass
    return 0.0


if __name__ == "__main__":
    main()
