"""Firth regression as others offer it: firthmodels, plain batched numpy, and R where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from firthmodels import FirthLogisticRegression
from numpy.typing import NDArray

from benchmarks import plain_batch
from benchmarks.cohorts import Cohorts
from knowledge.penalised.batch import CHUNK

Floats = NDArray[np.float64]

SCRIPT = Path(__file__).with_name("rivals.R")
# Tightened to ours; with its step halving left on, firthmodels 0.8.2 returns NaN at such tolerances.
TIGHT = {"gtol": 1e-8, "xtol": 1e-8, "max_iter": 1_000, "max_halfstep": 0}
TIGHT_LIMITS = {"tol": 1e-8, "max_iter": 1_000}


@dataclass(frozen=True)
class Answers:
    """``coef`` (B, k) and, of a full answer, ``pvalues`` (B, k) and ``ci`` (B, k, 2); NaN where there is none."""

    coef: Floats
    pvalues: Floats | None = None
    ci: Floats | None = None


@dataclass(frozen=True)
class Timed:
    """Answers with the processor and wall seconds they took."""

    answers: Answers
    processor: float
    wall: float


Taker = Callable[[Cohorts], Timed]


def timed(solve: Callable[[Cohorts], Answers]) -> Taker:
    """Times a function of this process."""

    def take(cohorts: Cohorts) -> Timed:
        processor, wall = time.process_time(), time.perf_counter()
        answers = solve(cohorts)
        return Timed(answers, time.process_time() - processor, time.perf_counter() - wall)

    return take


def firthmodels(backend: str, *, full: bool, tight: bool) -> Taker:
    """firthmodels, one data set after another, at its own tolerances or at ours."""

    def one(x: Floats, y: Floats) -> list[Floats]:
        model = FirthLogisticRegression(backend=backend, **(TIGHT if tight else {})).fit(x, y)
        coef = np.r_[model.intercept_, model.coef_] if model.converged_ else np.full(x.shape[1] + 1, np.nan)
        if not full:
            return [coef]
        try:
            ci = model.lrt().conf_int(method="pl", **(TIGHT_LIMITS if tight else {}))
        except np.linalg.LinAlgError:  # the search ran to where the information is singular
            ci = np.full((x.shape[1] + 1, 2), np.nan)
        return [coef, np.roll(model.lrt_pvalues_, 1), np.roll(ci, 1, axis=0)]  # its intercept comes last

    def solve(cohorts: Cohorts) -> Answers:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = [one(x[:, 1:], y) for x, y in zip(cohorts.design, cohorts.y, strict=True)]
        return Answers(*(np.array(part) for part in zip(*found, strict=True)))

    return timed(solve)


def plain(*, full: bool) -> Taker:
    """``plain_batch``, so many data sets at once as ours."""

    def part(x: Floats, y: Floats) -> tuple[Floats, ...]:
        return plain_batch.full(x, y) if full else plain_batch.fit(x, y, np.zeros((len(y), x.shape[2])))[:1]

    def solve(cohorts: Cohorts) -> Answers:
        with np.errstate(all="ignore"):
            found = [
                part(cohorts.design[first : first + CHUNK], cohorts.y[first : first + CHUNK])
                for first in range(0, len(cohorts), CHUNK)
            ]
        return Answers(*(np.concatenate(parts) for parts in zip(*found, strict=True)))

    return timed(solve)


def r_version(package: str) -> str | None:
    """The package's and R's version, None where either is not installed."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    asked = f'cat(as.character(packageVersion("{package}")), "on R", as.character(getRversion()))'
    said = subprocess.run([rscript, "-e", asked], capture_output=True, text=True, check=False)  # noqa: S603
    return said.stdout.strip() if said.returncode == 0 else None


def r(package: str, *, full: bool) -> Taker:
    """brglm2 or logistf, timed within R once it is running and warm."""

    def take(cohorts: Cohorts) -> Timed:
        count, patients, k = cohorts.design.shape
        which = np.repeat(np.arange(count), patients)
        rows = np.column_stack([which, cohorts.y.ravel(), cohorts.design[:, :, 1:].reshape(-1, k - 1)])
        with tempfile.TemporaryDirectory(prefix="tarla-benchmark-") as place:
            data, answers = Path(place) / "data.csv", Path(place) / "answers.txt"
            np.savetxt(data, rows, delimiter=",", header="set,y,x1,x2,x3", comments="", fmt="%.17g")
            command = ["Rscript", str(SCRIPT), package, "full" if full else "fit", str(data), str(answers)]
            said = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
            found = np.genfromtxt(answers, missing_values="NA", filling_values=np.nan, ndmin=2)
        processor, wall = (float(word) for word in said.stdout.split())
        if not full:
            return Timed(Answers(found), processor, wall)
        coef, pvalues, lower, upper = (found[:, first : first + k] for first in range(0, 4 * k, k))
        return Timed(Answers(coef, pvalues, np.stack([lower, upper], axis=2)), processor, wall)

    return take
