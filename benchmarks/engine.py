"""The engine alone: ``assess`` by kind of input, and building its model: ``python -m benchmarks.engine``."""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.measure import Line, median, percentile, report
from knowledge import LdhCategory, LdhMultiple, PatientFactors, Presence, assess
from knowledge.factors import Ldh
from knowledge.model import load_from
from knowledge.predict import crs_risks, icans_risk

ASSESSED = 1_000
ASSESSED_FROM_NOTHING = 60
EFFECTIVE_DRAWS = 4_000
BUDGET_ASSESS_MS, BUDGET_BUILD_S = 1.0, 120.0


def distinct_patients(liver: Sequence[Presence]) -> list[PatientFactors]:
    """Patients with an LDH in figures, all different, so that none comes from a cache."""
    states = itertools.cycle(itertools.product(liver, Presence, Presence))
    return [
        PatientFactors(
            ldh=LdhMultiple(multiple=0.3 + 0.005 * number),
            liver_metastases=liver_metastases,
            diabetes=diabetes,
            cardiovascular_disease=cvd,
        )
        for number, (liver_metastases, diabetes, cvd) in zip(range(ASSESSED), states, strict=False)
    ]


def patients_without_a_figure() -> list[PatientFactors]:
    """Patients whose LDH is known as high or normal only, or not at all."""
    ldh: tuple[Ldh | None, ...] = (None, LdhCategory(category="high"), LdhCategory(category="normal"))
    states = itertools.cycle(itertools.product(ldh, Presence))
    return [
        PatientFactors(ldh=value, liver_metastases=liver)
        for _, (value, liver) in zip(range(ASSESSED_FROM_NOTHING), states, strict=False)
    ]


def assessing(cases: Sequence[PatientFactors], before: Callable[[], None] = lambda: None) -> list[float]:
    """Seconds that ``assess`` takes for each; ``before`` is called, untimed, ahead of every one."""
    forget()
    assess(PatientFactors())
    took = []
    for factors in cases:
        before()
        started = time.perf_counter()
        assess(factors)
        took.append(time.perf_counter() - started)
    return took


def forget() -> None:
    """Empty the engine's caches of answers."""
    crs_risks.cache_clear()
    icans_risk.cache_clear()


def assess_lines() -> list[Line]:
    """Median and 99 % point of ``assess`` by kind of input, in milliseconds."""
    kinds = {
        "distinct patients": assessing(distinct_patients(tuple(Presence))),
        "liver metastases known": assessing(distinct_patients((Presence.YES, Presence.NO))),
        "liver metastases unknown": assessing(distinct_patients((Presence.UNKNOWN,))),
        # Nine such cases exist; each is computed once in a process and then remembered.
        "LDH without a figure, first time": assessing(patients_without_a_figure(), forget),
    }
    lines = []
    for kind, took in kinds.items():
        budget = BUDGET_ASSESS_MS if kind == "distinct patients" else None
        lines.append(Line(f"assess, {kind}, median", 1000 * median(took), "ms", budget))
        lines.append(Line(f"assess, {kind}, p99", 1000 * percentile(took, 0.99), "ms"))
    return lines


def build_lines(draws: int | None) -> list[Line]:
    """Wall seconds of ``tarla model build`` on all cores, its effective draws, and those a second.

    The budget is for 4,000 effective draws of each pool; more of them must keep it all the same.
    """
    wanted = [] if draws is None else ["--draws", str(draws)]
    with tempfile.TemporaryDirectory(prefix="tarla-benchmark-") as place:
        command = [sys.executable, "-m", "bot", "model", "build", "--out", place, *wanted]
        started = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)  # noqa: S603
        took = time.perf_counter() - started
        diagnostics: dict[str, Any] = dict(load_from(Path(place)).content.diagnostics)
    # As the build itself reports them: fewer draws are stored than it took.
    effective = {pool.upper(): float(figures["effective_size"]) for pool, figures in diagnostics.items()}

    fewest = min(effective.values())
    return [
        Line("model build", took, "s", BUDGET_BUILD_S if fewest >= EFFECTIVE_DRAWS else None),
        *(Line(f"model build, effective draws {pool}", size, "") for pool, size in effective.items()),
        Line("model build, effective draws a second, smaller pool", fewest / took, "/s"),
    ]


@click.command()
@click.option(
    "--draws", type=click.IntRange(min=30), default=None, help="Effective draws (default: the program's own)."
)
def run(draws: int | None) -> None:
    """Measure, print, write results/engine.json."""
    report("engine", [*assess_lines(), *build_lines(draws)], {"assessed": ASSESSED, "draws": draws or "default"})


if __name__ == "__main__":
    run()
