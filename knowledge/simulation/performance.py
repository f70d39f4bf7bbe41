"""One scenario judged: true risks of new patients against what each method says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.assessment import Outcome
from knowledge.engine import assess
from knowledge.factors import LdhMultiple, PatientFactors, Presence
from knowledge.logistic import expit_of_any
from knowledge.model import Model
from knowledge.simulation.cohorts import Cohorts, ldh_table, new_crs_patients, new_icans_patients
from knowledge.simulation.methods import Predicted, firth, flic, plain_rate
from knowledge.simulation.metrics import UNDEFINED, curve, measures
from knowledge.simulation.pooled import PooledRate, pooled_rates
from knowledge.simulation.results import CENTRES, METHODS, Centre, CodingGroup, Method, Performance
from knowledge.synthesis.cohorts import CrsPatients, IcansPatients
from knowledge.synthesis.spec import CODINGS

Floats = NDArray[np.float64]
Table = dict[tuple[Outcome, Centre], Floats]
# Methods that say nearly the same for everybody: a slope on their differences would be of Monte Carlo noise.
ALIKE: tuple[Method, ...] = ("pooled", "counts")
# Methods whose calibration curves the pictures show.
DRAWN: tuple[Method, ...] = ("firth", "flic", "engine")
_STATUS = (Presence.NO, Presence.YES)


@dataclass(frozen=True)
class Tables:
    """Every answer that is the same for all cohorts.

    Of the engine, and of the engine without the significances: risk, low, high first, then for CRS (cells, liver)
    and for ICANS (diabetes, cvd). ``pooled``: what other cohorts' rates say.
    """

    engine: Table
    counts: Table
    pooled: dict[Outcome, PooledRate]


def tables_of(model: Model, counts_only: Model) -> Tables:
    """Every answer the study will need, from ``assess``."""
    return Tables(engine_table(model), engine_table(counts_only), pooled_rates(model.spec))


def engine_table(model: Model) -> Table:
    """One model's answers."""
    crs = _tabulate(
        model,
        [
            [PatientFactors(ldh=LdhMultiple(multiple=float(2.0**x)), liver_metastases=liver) for liver in _STATUS]
            for x in ldh_table()
        ],
        (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS),
    )
    icans = _tabulate(
        model,
        [[PatientFactors(diabetes=dm, cardiovascular_disease=cvd) for cvd in _STATUS] for dm in _STATUS],
        (Outcome.ICANS_ANY,),
    )
    return crs | icans


def _tabulate(model: Model, patients: list[list[PatientFactors]], outcomes: tuple[Outcome, ...]) -> Table:
    answers = [[assess(factors, model) for factors in row] for row in patients]
    table: Table = {}
    for outcome in outcomes:
        risks = [[answer.risk_of(outcome) for answer in row] for row in answers]
        new = [[(risk.risk, *risk.interval) for risk in row] for row in risks]
        study = [[(risk.risk_study_centre, *risk.interval_study_centre) for risk in row] for row in risks]
        table[outcome, "new"], table[outcome, "study"] = (np.moveaxis(np.array(each), 2, 0) for each in (new, study))
    return table


@dataclass(frozen=True)
class Judged:
    """What all methods say (by centre for the engine) and what is true (by centre), for one outcome."""

    outcome: Outcome
    predicted: dict[tuple[Method, Centre], Predicted]
    true: dict[Centre, Floats]


def judge_crs(cohorts: Cohorts, tables: Tables) -> list[Judged]:
    """CRS of any grade and of grade 2 or higher."""
    new = new_crs_patients(cohorts)
    p = {name: value[:, None] for name, value in cohorts.columns.items()}
    liver = new.liver - p["liver_prevalence"]
    effect = p["b_ldh"] * new.ldh_centred + p["b_liver"] * liver
    if cohorts.structure.interaction:
        effect += p["b_interaction"] * new.ldh_centred * liver
    severe = {
        "study": expit_of_any(p["c_grade2"] + p["d_ldh"] * new.ldh_centred),
        "new": expit_of_any(p["c_grade2"] + cohorts.severity_shift[:, None] + p["d_ldh"] * new.ldh_centred),
    }
    any_grade: dict[Centre, Floats] = {centre: expit_of_any(p[f"a_{centre}"] + effect) for centre in CENTRES}
    grade2: dict[Centre, Floats] = {centre: any_grade[centre] * severe[centre] for centre in CENTRES}
    data = cohorts.patients
    if not isinstance(data, CrsPatients):
        raise TypeError("these are not CRS cohorts")
    ones, new_ones = np.ones_like(data.ldh), np.ones_like(new.ldh)
    where = (new.cell, new.liver.astype(np.int64))
    return [
        _judged(Outcome.CRS_ANY, np.stack([ones, data.ldh, data.liver]), data.any_grade,
                np.stack([new_ones, new.ldh, new.liver]), any_grade, tables, where),
        _judged(Outcome.CRS_GRADE2PLUS, np.stack([ones, data.ldh]), data.grade2,
                np.stack([new_ones, new.ldh]), grade2, tables, where),
    ]  # fmt: skip


def judge_icans(cohorts: Cohorts, tables: Tables) -> list[Judged]:
    """ICANS of any grade."""
    diabetes, cvd = new_icans_patients(cohorts)
    p = {name: value[:, None] for name, value in cohorts.columns.items()}
    one, other = diabetes - p["diabetes_prevalence"], cvd - p["cvd_prevalence"]
    effect = p["b_diabetes"] * one + p["b_cvd"] * other
    if cohorts.structure.interaction:
        effect += p["b_interaction"] * one * other
    true: dict[Centre, Floats] = {centre: expit_of_any(p[f"a_{centre}"] + effect) for centre in CENTRES}
    data = cohorts.patients
    if not isinstance(data, IcansPatients):
        raise TypeError("these are not ICANS cohorts")
    columns = np.stack([np.ones_like(data.diabetes), data.diabetes, data.cvd])
    new_columns = np.stack([np.ones_like(diabetes), diabetes, cvd])
    where = (diabetes.astype(np.int64), cvd.astype(np.int64))
    return [_judged(Outcome.ICANS_ANY, columns, data.icans, new_columns, true, tables, where)]


def _judged(
    outcome: Outcome, columns: Floats, y: Floats, new_columns: Floats, true: dict[Centre, Floats],
    tables: Tables, where: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> Judged:  # fmt: skip
    shape = new_columns.shape[1:]
    # A calculator knows one centre only, and the pooled rate none: the same figures are held against both.
    alike: dict[Method, Predicted] = {
        "firth": firth(columns, y).predict(new_columns),
        "flic": flic(columns, y).predict(new_columns),
        "rate": plain_rate(y, new_columns.shape[2]),
        "pooled": tables.pooled[outcome].predict(shape),
    }
    predicted: dict[tuple[Method, Centre], Predicted] = {
        (method, centre): value for method, value in alike.items() for centre in CENTRES
    }
    for centre in CENTRES:
        predicted["engine", centre] = Predicted(*(figure[where] for figure in tables.engine[outcome, centre]))
        predicted["counts", centre] = Predicted(*(figure[where] for figure in tables.counts[outcome, centre]))
    return Judged(outcome, predicted, true)


def performance(
    judged: Judged, cohorts: Cohorts, *, crs: bool, by_coding: bool, curves: bool, own_again: dict[Centre, bool]
) -> list[Performance]:
    """Rows of results.

    Args:
        judged: predictions and true risks of one outcome.
        cohorts: their cohorts.
        crs: whether the outcome is one of CRS.
        by_coding: add each coding of LDH alone.
        curves: add the calibration curves.
        own_again: by centre, whether this truth is the engine's own prior again.
    """
    groups: list[tuple[CodingGroup, NDArray[np.int64]]] = [("both" if crs else "none", np.arange(len(cohorts)))]
    if crs and by_coding:
        groups += [(coding, np.flatnonzero(cohorts.coding == index)) for index, coding in enumerate(CODINGS)]
    rows = []
    for coding, members in groups:
        weight = cohorts.weight[members]
        for centre in CENTRES:
            true = judged.true[centre][members]
            engine = _of(judged.predicted["engine", centre], members)
            for method in METHODS:
                chosen = _of(judged.predicted[method, centre], members)
                found = measures(chosen, true, weight, engine)
                if method in ALIKE:
                    found = found.model_copy(update={"slope": UNDEFINED, "slope_median": UNDEFINED})
                drawn = curves and coding in ("both", "none") and method in DRAWN
                rows.append(
                    Performance(
                        outcome=judged.outcome,
                        centre=centre,
                        coding=coding,
                        method=method,
                        measures=found,
                        curve=curve(chosen.risk, true, weight) if drawn else (),
                        own_prior_again=own_again[centre],
                    )
                )
    return rows


def _of(predicted: Predicted, members: NDArray[np.int64]) -> Predicted:
    return Predicted(predicted.risk[members], predicted.low[members], predicted.high[members])
