"""What the build and the simulation study found, read from the artefact and the committed results."""

from __future__ import annotations

from typing import Any

from knowledge.card.found import (
    BuildFindings,
    Change,
    Figure,
    MethodResult,
    Move,
    OutsideRate,
    ParameterSummary,
    PoolSummary,
    RankCheck,
    Reached,
    SampleSize,
    SensitivityTable,
    Simulation,
    SizeRow,
    Stratum,
    Truth,
)
from knowledge.model import Model
from knowledge.sample_size import (
    DEFAULT_NAGELKERKE,
    expected_shrinkage,
    maximum_cox_snell,
    minimum_sample_size,
    shrinkage_from_apparent,
)
from knowledge.simulation.results import Estimate, Measures, Sensitivity, StudyResults
from knowledge.synthesis.spec import POOLS, Spec

PREDICTORS = (2, 3, 4)
_POOL_NAMES = {"crs": "CRS", "icans": "ICANS"}
# The steps of the filter and the parameters, as the artefact names them.
_CONDITIONS = {
    "crs_count": "number with CRS",
    "crs_any": "significances for CRS",
    "crs_grade2_count": "least number of grade 2 or higher",
    "crs_grade2": "significance for grade 2 or higher",
    "crs_grade3_count": "number of grade 3 or higher",
    "icans_count": "number with ICANS",
    "icans_any": "significances for ICANS",
}
_PARAMETERS = {
    "ldh_mean": "mean of log2 LDH multiple",
    "ldh_sd": "sd of log2 LDH multiple",
    "liver_prevalence": "share with liver metastases",
    "ldh_liver_correlation": "correlation of LDH and liver metastases",
    "diabetes_prevalence": "share with diabetes",
    "cvd_prevalence": "share with cardiovascular disease",
    "diabetes_cvd_correlation": "correlation of diabetes and cardiovascular disease",
    "mu": "average logit over centres",
    "t": "sd between centres",
    "a_study": "logit at the study's centre",
    "a_new": "logit at a new centre",
    "b_ldh": "log odds ratio of LDH for CRS",
    "b_liver": "log odds ratio of liver metastases for CRS",
    "c_grade2": "logit of grade 2 or higher among CRS",
    "d_ldh": "log odds ratio of LDH for grade 2 or higher among CRS",
    "logit_grade3": "logit of grade 3 or higher among grade 2 or higher",
    "b_diabetes": "log odds ratio of diabetes for ICANS",
    "b_cvd": "log odds ratio of cardiovascular disease for ICANS",
}
_CODINGS = {"elevated": "above the limit", "log2_ratio": "log2 multiple", "none": "none"}


def build_findings(model: Model) -> BuildFindings:
    """Effective sizes and probabilities of the facts, as the artefact's diagnostics hold them."""
    diagnostics: dict[str, Any] = model.content.diagnostics
    parameters = [
        ParameterSummary(
            outcome=_POOL_NAMES[pool],
            name=name,
            label=_parameter_label(name),
            prior=_points(each["prior"]),
            posterior=_points(each["posterior"]),
        )
        for pool in POOLS
        for name, each in sorted(diagnostics[pool]["parameters"].items(), key=_order_of_parameter)
    ]
    return BuildFindings(
        pools=tuple(
            PoolSummary(
                outcome=_POOL_NAMES[pool],
                draws=diagnostics[pool]["draws"],
                effective_size=diagnostics[pool]["effective_size"],
            )
            for pool in POOLS
        ),
        strata=tuple(
            Stratum(
                outcome=_POOL_NAMES[pool],
                tau=each["tau"],
                coding=_CODINGS[each["coding"]],
                simulated=each["simulated"],
                probability_of_facts=each["probability_of_facts"],
                standard_error=each["standard_error"],
                effective_size=each["effective_size"],
                share_within_tau=each["share_within_tau"],
                # In the order in which they are met: the artefact keeps its keys sorted.
                reached=tuple(
                    Reached(condition=words, probability=each["probability"][name])
                    for name, words in _CONDITIONS.items()
                    if name in each["probability"]
                ),
            )
            for pool in POOLS
            for each in diagnostics[pool]["strata"]
        ),
        parameters=tuple(parameters),
    )


def _order_of_parameter(item: tuple[str, object]) -> tuple[int, str]:
    base = item[0].partition(" (")[0]
    return list(_PARAMETERS).index(base), item[0]


def _parameter_label(name: str) -> str:
    """Plain words for a parameter; slopes of LDH name their coding in brackets."""
    base, _, coding = name.partition(" (")
    words = _PARAMETERS[base]
    return f"{words}, LDH as {_CODINGS[coding.removesuffix(')')]}" if coding else words


def _points(summary: dict[str, float]) -> tuple[float, float, float]:
    return summary["median"], summary["low"], summary["high"]


def sample_size(spec: Spec) -> SampleSize:
    """Riley's criteria at the study's event rates, and what its size implies."""
    rows = []
    for outcome, events in (("CRS, any grade", spec.crs_any), ("ICANS, any grade", spec.icans_any)):
        prevalence = events / spec.n
        cox_snell = DEFAULT_NAGELKERKE * maximum_cox_snell(prevalence)
        for parameters in PREDICTORS:
            least = minimum_sample_size(parameters, prevalence, cox_snell)
            rows.append(
                SizeRow(
                    outcome=outcome,
                    parameters=parameters,
                    cox_snell=cox_snell,
                    by_shrinkage=least.by_shrinkage,
                    by_optimism=least.by_optimism,
                    by_overall_risk=least.by_overall_risk,
                    needed=least.needed,
                    expected_shrinkage=expected_shrinkage(spec.n, parameters, cox_snell),
                    heuristic_shrinkage=shrinkage_from_apparent(spec.n, parameters, cox_snell),
                )
            )
    return SampleSize(n=spec.n, nagelkerke=DEFAULT_NAGELKERKE, rows=tuple(rows))


def simulation(study: StudyResults, model: Model) -> Simulation:
    """The study's results with both codings of LDH pooled."""
    return Simulation(
        model=study.model.id,
        model_sha256=study.model.sha256,
        same_model=study.model == model.version,
        seed=study.seed,
        truths=tuple(
            Truth(
                id=each.id,
                title=each.title,
                text=each.truth,
                kind=each.kind,
                outcomes=each.pool,
                cohorts=each.cohorts,
                effective_cohorts=each.effective_cohorts,
            )
            for each in study.scenarios
        ),
        results=tuple(
            MethodResult(
                truth_id=scenario.id,
                truth=scenario.title,
                outcome=row.outcome,
                centre=row.centre,
                method=row.method,
                own_prior_again=row.own_prior_again,
                **_measures(row.measures),
            )
            for scenario in study.scenarios
            for row in scenario.performance
            if row.coding in ("both", "none")
        ),
        ranks=tuple(
            RankCheck(outcome=each.outcome, centre=each.centre, patient=each.patient, pvalue=each.pvalue)
            for each in study.ranks
        ),
        outside_outcome=study.external.outcome,
        outside_risk=study.external.risk,
        outside_interval=study.external.interval,
        outside_rates=tuple(OutsideRate.model_validate(each.model_dump()) for each in study.external.rates),
    )


def sensitivity_table(results: Sensitivity, model: Model) -> SensitivityTable:
    """How far the shown estimates move, by change and outcome."""
    return SensitivityTable(
        model=results.model.id,
        model_sha256=results.model.sha256,
        same_model=results.model == model.version,
        patients=tuple(each.description for each in results.patients),
        changes=tuple(
            Change(
                id=each.id,
                title=each.title,
                change=each.change,
                moves=tuple(
                    Move(
                        outcome=move.outcome,
                        largest_risk=move.largest_risk,
                        mean_risk=move.mean_risk,
                        largest_limit=move.largest_limit,
                        mean_shift=move.mean_shift,
                    )
                    for move in each.moves
                ),
            )
            for each in results.variants
        ),
    )


def _measures(measures: Measures) -> dict[str, Figure]:
    names = ("intercept", "slope", "mean_difference", "coverage", "width", "brier", "brier_excess")
    return {name: _figure(getattr(measures, name)) for name in (*names, "brier_excess_over_engine")}


def _figure(estimate: Estimate) -> Figure:
    return Figure(value=estimate.value, se=estimate.se)
