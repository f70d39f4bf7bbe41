"""An update as one record: what the page and ``update.json`` show, before and after."""

from __future__ import annotations

from typing import Literal

import numpy as np

from knowledge.assessment import Fraction, Interval, ModelVersion, Outcome, OutcomeRisk
from knowledge.cohort.repeated import written_twice
from knowledge.cohort.update.expected import Calibration, Surprise, calibration, outside, surprise
from knowledge.cohort.update.site import NAMES, SiteUpdate
from knowledge.engine import assess
from knowledge.factors import LdhMultiple, PatientFactors, Presence
from knowledge.frozen import FrozenModel
from knowledge.logistic import probability
from knowledge.model import Draws, Model
from knowledge.site_origin import SiteOrigin
from knowledge.synthesis.diagnostics import summarise
from knowledge.synthesis.spec import POOLS, Pool

SIMULATED = (
    "Simulated patients: no such people exist, and the model made of them describes nobody. Nothing here may guide "
    "treatment."
)
FEW = 10  # patients, below which it is said how little they can change

YES, NO = Presence.YES, Presence.NO
# Typical patients: what enters CRS, then what enters ICANS; the other toxicity's findings are not known.
CRS_PATIENTS = tuple((multiple, liver) for multiple in (0.8, 1.9, 5.0) for liver in (NO, YES))
ICANS_PATIENTS = tuple((diabetes, cvd) for diabetes in (NO, YES) for cvd in (NO, YES))


class Change(FrozenModel):
    """One risk of a typical patient before and after."""

    patient: str
    outcome: Outcome
    before: OutcomeRisk
    after: OutcomeRisk


class Rate(FrozenModel):
    """A centre's risk at the means of the findings: median and 95 % interval."""

    median: Fraction
    interval: Interval


class PoolChange(FrozenModel):
    """What the update did to one toxicity.

    ``tau`` are the widths of the prior, ``tau_before`` and ``tau_after`` their weights. ``khat`` and ``effective`` are
    None where no patient entered.
    """

    pool: Pool
    centre_before: Rate
    centre_after: Rate
    tau: tuple[float, ...]
    tau_before: tuple[Fraction, ...]
    tau_after: tuple[Fraction, ...]
    khat: float | None
    largest_khat: float | None
    effective: float | None


class UpdateReport(FrozenModel):
    """Everything that is said of an update; fractions of 1. ``notice`` stands exactly where patients are simulated.

    ``calibration_before`` is of patients the model had not seen, ``calibration_after`` of those it has learnt from.
    """

    format: Literal["tarla-study-update/1"] = "tarla-study-update/1"
    simulated: bool
    notice: str | None
    model: ModelVersion
    parent: ModelVersion
    origin: SiteOrigin
    program: str
    remarks: tuple[str, ...]
    pools: tuple[PoolChange, ...]
    changes: tuple[Change, ...]
    surprise: tuple[Surprise, ...]
    calibration_before: tuple[Calibration, ...]
    calibration_after: tuple[Calibration, ...]


def update_report(update: SiteUpdate, program: str) -> UpdateReport:
    """The record; the same update gives the same record."""
    parent, model, origin = update.parent, update.model, update.origin
    changes = tuple(_changes(parent, model))
    surprises = surprise(parent, update.patients, origin.seed)
    return UpdateReport(
        simulated=origin.simulated,
        notice=SIMULATED if origin.simulated else None,
        model=model.version,
        parent=parent.version,
        origin=origin,
        program=program,
        remarks=(*written_twice(update.patients.repeated), *_of_number(update, changes), *outside(surprises)),
        pools=tuple(_pool_change(update, pool) for pool in POOLS),
        changes=changes,
        surprise=surprises,
        calibration_before=calibration(parent, update.patients),
        calibration_after=calibration(model, update.patients),
    )


def _changes(parent: Model, model: Model) -> list[Change]:
    patients: list[tuple[str, PatientFactors, tuple[Outcome, ...]]] = [
        (
            f"LDH {multiple:g} × ULN, liver metastases {liver}",
            PatientFactors(ldh=LdhMultiple(multiple=multiple), liver_metastases=liver),
            (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS),
        )
        for multiple, liver in CRS_PATIENTS
    ]
    patients += [
        (
            f"diabetes {diabetes}, CVD {cvd}",
            PatientFactors(diabetes=diabetes, cardiovascular_disease=cvd),
            (Outcome.ICANS_ANY,),
        )
        for diabetes, cvd in ICANS_PATIENTS
    ]
    found = []
    for name, factors, outcomes in patients:
        before, after = assess(factors, parent), assess(factors, model)
        found += [
            Change(patient=name, outcome=each, before=before.risk_of(each), after=after.risk_of(each))
            for each in outcomes
        ]
    return found


def _pool_change(update: SiteUpdate, pool: Pool) -> PoolChange:
    before, after = update.parent.draws(pool), update.model.draws(pool)
    weighed = next((each for each in update.weighed if each.pool == pool), None)
    return PoolChange(
        pool=pool,
        centre_before=_rate(before),
        centre_after=_rate(after),
        tau=update.parent.spec.taus(pool),
        tau_before=_tau_weights(before),
        tau_after=_tau_weights(after),
        khat=None if weighed is None else float(weighed.khat),
        largest_khat=None if weighed is None else weighed.largest_khat,
        effective=None if weighed is None else weighed.effective,
    )


def _rate(draws: Draws) -> Rate:
    level = summarise(draws["a_new"], draws.weight)
    return Rate(median=probability(level["median"]), interval=(probability(level["low"]), probability(level["high"])))


def _tau_weights(draws: Draws) -> tuple[float, ...]:
    shares = [float(draws.weight[part].sum()) for part in draws.tau_slices]
    return tuple(share / sum(shares) for share in shares)


def _of_number(update: SiteUpdate, changes: tuple[Change, ...]) -> list[str]:
    """What few patients, or patients all with the same outcome, can say."""
    found = []
    counts: dict[Pool, tuple[int, ...]] = {"crs": update.patients.crs_counts, "icans": update.patients.icans_counts}
    for pool, (none, *some) in counts.items():
        patients, events = none + sum(some), sum(some)
        name = NAMES[pool]
        if not patients:
            found.append(f"{name}: no patient without prophylaxis has a known outcome, so nothing has changed.")
            continue
        moved = max(abs(each.after.risk - each.before.risk) for each in changes if each.outcome.value.startswith(pool))
        if patients < FEW:
            found.append(
                f"{name}: only {patients} of your patients entered. Risks in the table move by up to {_points(moved)}; "
                "as many other patients of the same centre might move them the other way."
            )
        if events in (0, patients):
            how = "none" if not events else "every one"
            found.append(
                f"{name}: {how} of {patients} had it. That speaks of how often, and hardly of which patients; what the "
                "findings add rests on the parent model."
            )
    return found


def _points(difference: float) -> str:
    whole = int(np.ceil(100 * difference - 1e-9))
    return "1 point" if whole <= 1 else f"{whole} points"
