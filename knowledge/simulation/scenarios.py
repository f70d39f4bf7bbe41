"""The truths of the study: the engine's own prior, parts of it, wrong priors and wrong structures.

Every truth is a prior of its own; its cohorts show the same published counts
and significances, so the engine's answer is the same under all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from knowledge.assessment import Outcome
from knowledge.simulation.results import Centre, Kind
from knowledge.synthesis.cohorts import Batch
from knowledge.synthesis.spec import POOLS, Pool, Spec
from knowledge.synthesis.structure import AS_MODELLED, Structure

Floats = NDArray[np.float64]

_TAUS = {"tau_crs", "tau_icans"}

OWN_PRIOR = "own_prior"
NEAR_ZERO_SD = 0.05
# Chance that an effect is practically none, in the scenario of half the effects near zero.
NEAR_ZERO_SHARE = 0.5
SEVERITY_CENTRE_SD = 0.5


@dataclass(frozen=True)
class Scenario:
    """One truth: the engine's specification with ``changes``, in words ``truth``.

    ``half_null`` reweighs its cohorts by ``half_near_zero``, which no specification can express;
    ``severity_sd`` is how much the logit of grade >= 2 given any differs at a new centre; ``structure`` is
    how covariates act where that is not as modelled.
    """

    id: str
    title: str
    truth: str
    pools: tuple[Pool, ...]
    changes: Mapping[str, object] = field(default_factory=dict)
    half_null: bool = False
    severity_sd: float = 0.0
    structure: Structure = AS_MODELLED

    def __post_init__(self) -> None:
        """Refuse a change that ``model_copy`` would take without effect.

        Raises:
            ValueError: the specification has no such field.
        """
        unknown = self.changes.keys() - Spec.model_fields.keys()
        if unknown:
            raise ValueError(f"the specification has no {', '.join(sorted(unknown))}")

    def spec(self, engine: Spec) -> Spec:
        """The truth's own specification, ``engine`` being the model's."""
        return engine.model_copy(update=dict(self.changes))

    def kind(self, engine: Spec, pool: Pool) -> Kind:
        """What sort of truth it is for a pool."""
        if self.id == OWN_PRIOR:
            return "own"
        if self.structure != AS_MODELLED:
            return "structure"
        taus = self.spec(engine).taus(pool)
        narrowed = self.changes.keys() == _TAUS and not self.half_null
        return "part" if narrowed and set(taus) <= set(engine.taus(pool)) else "prior"

    def is_own_prior(self, outcome: Outcome, centre: Centre) -> bool:
        """Whether nothing that this outcome at this centre depends on differs from the engine's own prior."""
        if self.changes or self.half_null or self.structure != AS_MODELLED:
            return False
        return not self.severity_sd or (outcome, centre) != (Outcome.CRS_GRADE2PLUS, "new")


def scenarios() -> tuple[Scenario, ...]:
    """All truths, the engine's own prior first."""
    return (
        Scenario(OWN_PRIOR, "engine's own prior", "the engine's priors: self-consistency, not evidence", POOLS),
        *(_one_tau(tau) for tau in (0.5, 0.75, 1.0, 1.5)),
        Scenario(
            "half_null",
            "half the effects near zero",
            f"each log odds ratio is N(0, {NEAR_ZERO_SD:g}) with probability 1/2, else as the engine's prior",
            POOLS,
            half_null=True,
        ),
        _changed("liver_20", "liver metastases 20 %", "prevalence Beta(8, 32)", "crs", liver_prevalence=(8.0, 32.0)),
        _changed("liver_55", "liver metastases 55 %", "prevalence Beta(22, 18)", "crs", liver_prevalence=(22.0, 18.0)),
        _changed("ldh_35", "LDH high in 35 %", "m ~ N(-0.42, 0.15)", "crs", ldh_mean=(-0.42, 0.15)),
        _changed("ldh_75", "LDH high in 75 %", "m ~ N(0.74, 0.15)", "crs", ldh_mean=(0.74, 0.15)),
        _changed("diabetes_10", "diabetes 10 %", "prevalence Beta(4, 36)", "icans", diabetes_prevalence=(4.0, 36.0)),
        _changed("diabetes_35", "diabetes 35 %", "prevalence Beta(14, 26)", "icans", diabetes_prevalence=(14.0, 26.0)),
        _changed("cvd_15", "CVD 15 %", "prevalence Beta(6, 34)", "icans", cvd_prevalence=(6.0, 34.0)),
        _changed("cvd_50", "CVD 50 %", "prevalence Beta(20, 20)", "icans", cvd_prevalence=(20.0, 20.0)),
        Scenario(
            "centres_apart",
            "centres further apart",
            "sd between centres half-normal(1.0) instead of half-normal(0.5)",
            POOLS,
            {"centre_sd_scale": 1.0},
        ),
        Scenario(
            "severity_apart",
            "severity differs by centre",
            f"at a new centre the logit of grade >= 2 given any CRS is off by N(0, {SEVERITY_CENTRE_SD:g})",
            ("crs",),
            severity_sd=SEVERITY_CENTRE_SD,
        ),
        *_structures(),
    )


def _structures() -> tuple[Scenario, ...]:
    """Truths that act otherwise than any prior of the engine allows."""
    return (
        Scenario(
            "ldh_2uln",
            "LDH acts above 2 x ULN",
            "LDH acts only above 2 x ULN; the study analyses it as above 1 x ULN",
            ("crs",),
            {"codings": ("elevated",)},
            structure=Structure(ldh_limit=1.0),
        ),
        Scenario(
            "ldh_log2_as_high",
            "log2 LDH analysed as high",
            "LDH acts by its log2 multiple; the study analyses it as above 1 x ULN",
            ("crs",),
            {"codings": ("log2_ratio",)},
            structure=Structure(analysed="elevated"),
        ),
        Scenario(
            "ldh_high_as_log2",
            "high LDH analysed as log2",
            "LDH acts above 1 x ULN; the study analyses its log2 multiple",
            ("crs",),
            {"codings": ("elevated",)},
            structure=Structure(analysed="log2_ratio"),
        ),
        Scenario(
            "interaction_crs",
            "LDH and liver interact",
            "log odds ratio of any CRS on the product of the centred covariates, N(0, tau) as LDH's own",
            ("crs",),
            structure=Structure(interaction=1.0),
        ),
        Scenario(
            "interaction_icans",
            "diabetes and CVD interact",
            "log odds ratio on the product of the centred covariates, N(0, tau)",
            ("icans",),
            structure=Structure(interaction=1.0),
        ),
    )


def half_near_zero(batch: Batch, tau: float, per_doubling: bool) -> Floats:
    """Weights (A,) that turn N(0, tau) log odds ratios into halves of N(0, 0.05) and N(0, tau).

    ``per_doubling``: the LDH effects stand per doubling and are brought to a 2-sd difference first.
    """
    ratio = np.ones(len(batch.weight))
    for name, value in batch.columns.items():
        if name.startswith(("b_", "d_")):
            effect = value * 2.0 * batch.columns["ldh_sd"] if per_doubling and name.endswith("_ldh") else value
            narrow = np.exp(-0.5 * effect**2 * (NEAR_ZERO_SD**-2 - tau**-2)) * tau / NEAR_ZERO_SD
            ratio *= NEAR_ZERO_SHARE * narrow + 1.0 - NEAR_ZERO_SHARE
    return ratio


def _one_tau(tau: float) -> Scenario:
    return Scenario(
        f"tau_{tau:g}",
        f"tau {tau:g}",
        f"every log odds ratio N(0, {tau:g})",
        POOLS,
        {"tau_crs": (tau,), "tau_icans": (tau,)},
    )


def _changed(identity: str, title: str, truth: str, pool: Pool, **change: tuple[float, float]) -> Scenario:
    return Scenario(identity, title, truth, (pool,), change)
