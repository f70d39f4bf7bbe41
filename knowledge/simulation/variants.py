"""What the sensitivity analysis changes, one thing at a time, and the patients it looks at."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.factors import LdhCategory, LdhMultiple, PatientFactors, Presence
from knowledge.simulation.results import SensitivityPatient
from knowledge.simulation.scenarios import Scenario
from knowledge.synthesis.spec import CODINGS, POOLS, CentreCohort, Pool, Spec

NO, YES = Presence.NO, Presence.YES

PATIENTS: tuple[tuple[SensitivityPatient, PatientFactors], ...] = tuple(
    (SensitivityPatient(id=identity, description=description), factors)
    for identity, description, factors in (
        ("A", "nothing known", PatientFactors()),
        ("B", "LDH 0.8 x ULN, no other factor", PatientFactors(
            ldh=LdhMultiple(multiple=0.8), liver_metastases=NO, diabetes=NO, cardiovascular_disease=NO)),
        ("C", "LDH 1.5 x ULN, no other factor", PatientFactors(
            ldh=LdhMultiple(multiple=1.5), liver_metastases=NO, diabetes=NO, cardiovascular_disease=NO)),
        ("D", "LDH 0.8 x ULN, liver metastases, diabetes", PatientFactors(
            ldh=LdhMultiple(multiple=0.8), liver_metastases=YES, diabetes=YES, cardiovascular_disease=NO)),
        ("E", "LDH 1.9 x ULN, liver metastases, CVD", PatientFactors(
            ldh=LdhMultiple(multiple=1.92), liver_metastases=YES, diabetes=NO, cardiovascular_disease=YES)),
        ("F", "LDH 3 x ULN, diabetes, CVD", PatientFactors(
            ldh=LdhMultiple(multiple=3.0), liver_metastases=NO, diabetes=YES, cardiovascular_disease=YES)),
        ("G", "LDH 4 x ULN, liver metastases, diabetes, CVD", PatientFactors(
            ldh=LdhMultiple(multiple=4.0), liver_metastases=YES, diabetes=YES, cardiovascular_disease=YES)),
        ("H", "LDH high without a figure, no diabetes, the rest unknown", PatientFactors(
            ldh=LdhCategory(category="high"), diabetes=NO)),
    )
)  # fmt: skip

# Trials' ICANS over all doses: the narrow term (inc.eu473.icans_any), and about 10 % in the broad sense
# (inc.label473.icans_broad prints no count; 47 is the nearest of 473).
TRIAL_ICANS_NARROW = CentreCohort(fact="inc.eu473.icans_any", events=22, n=473)
TRIAL_ICANS_BROAD = CentreCohort(fact="inc.label473.icans_broad", events=47, n=473)


@dataclass(frozen=True)
class Part:
    """A variant that is a part of the model's own draws: one tau (by its place), or one coding."""

    id: str
    title: str
    change: str
    pools: tuple[Pool, ...]
    tau: int | None = None
    coding: int | None = None


def parts(spec: Spec) -> tuple[Part, ...]:
    """Variants that need no new simulation."""
    names = ("narrowest", "middle", "widest")
    taus = tuple(
        Part(
            f"tau_{name}",
            f"{name} tau alone",
            f"tau {spec.tau_crs[index]:g} for CRS, {spec.tau_icans[index]:g} for ICANS",
            POOLS,
            tau=index,
        )
        for index, name in enumerate(names)
    )
    codings = (
        Part(
            "coding_elevated", "LDH only as above its limit", "one coding", ("crs",), coding=CODINGS.index("elevated")
        ),
        Part("coding_log2", "LDH only as log2 multiple", "one coding", ("crs",), coding=CODINGS.index("log2_ratio")),
    )
    return (*taus, *codings)


def rebuilt(spec: Spec) -> tuple[Scenario, ...]:
    """Variants that are simulated anew; the first changes nothing but the seed and shows the noise."""
    cvd = spec.cvd_prevalence
    half = cvd[0] / 2.0  # the two parameters keep their sum: as certain, half as common
    return (
        _variant("seed", "another seed", "nothing: Monte Carlo noise alone", POOLS),
        counts_only(POOLS),
        _variant(
            "no_grade2",
            "grade >= 2 condition dropped",
            "CRS grade >= 2 on LDH need not be significant",
            ("crs",),
            grade2_significance=False,
        ),
        _variant(
            "wald", "Wald tests", "significance by Wald instead of the penalised likelihood ratio", POOLS, test="wald"
        ),
        _variant(
            "larger_model",
            "larger analysis model",
            "the regressions of any grade also held the other pair of covariates",
            POOLS,
            other_covariates=True,
        ),
        _variant(
            "no_correlation",
            "correlations off",
            "LDH with liver metastases, diabetes with CVD: independent",
            POOLS,
            ldh_liver_correlation=(0.0, 0.0),
            diabetes_cvd_correlation=(0.0, 0.0),
        ),
        _variant(
            "cvd_half",
            "CVD half as common",
            f"prevalence Beta({half:g}, {sum(cvd) - half:g})",
            ("icans",),
            cvd_prevalence=(half, sum(cvd) - half),
        ),
        _variant("centre_0.3", "centres closer", "sd between centres half-normal(0.3)", POOLS, centre_sd_scale=0.3),
        _variant("centre_1", "centres further apart", "sd half-normal(1.0)", POOLS, centre_sd_scale=1.0),
        _variant(
            "icans_trials_narrow",
            "trial ICANS included, narrow",
            "22/473 over all doses joins the real-world cohorts",
            ("icans",),
            icans_centres=(*spec.icans_centres, TRIAL_ICANS_NARROW),
        ),
        _variant(
            "icans_trials_broad",
            "trial ICANS included, broad",
            "10 % of 473 over all doses joins the real-world cohorts",
            ("icans",),
            icans_centres=(*spec.icans_centres, TRIAL_ICANS_BROAD),
        ),
    )


def counts_only(pools: tuple[Pool, ...]) -> Scenario:
    """The engine without the significances."""
    return _variant(
        "counts_only", "counts only", "nothing is known of significance: the counts alone", pools, significances=False
    )


def _variant(identity: str, title: str, change: str, pools: tuple[Pool, ...], **fields: object) -> Scenario:
    return Scenario(identity, title, change, pools, fields)
