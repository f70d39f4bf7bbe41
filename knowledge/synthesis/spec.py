"""What the synthesis assumes: every prior, every condition, with its reason.

The founding study's patients are not public. The synthesis therefore keeps
those parameter values under which a cohort of 30 shows exactly the published
counts and significances. A prior or fact changed here is another model.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Coding = Literal["elevated", "log2_ratio"]
CODINGS: tuple[Coding, ...] = ("elevated", "log2_ratio")
TestName = Literal["penalised_likelihood_ratio", "wald"]
Pool = Literal["crs", "icans"]
POOLS: tuple[Pool, ...] = ("crs", "icans")


class CentreCohort(BaseModel):
    """Events among n in one published cohort, by the id of the fact that says so."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    fact: str
    events: int
    n: int


class Spec(BaseModel):
    """Priors and conditions; N takes mean and sd, and log odds ratios are per unit of the coding."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # The cohort and what was published of it.
    n: int = 30
    crs_any: int = 16
    crs_grade2_least: int = 3  # the count itself is not published; 3 had grade 3 or higher
    crs_grade3: int = 3
    icans_any: int = 7
    # 5 % point of chi-square with one degree of freedom: "significant" in a penalised
    # likelihood ratio test.
    lr_threshold: float = 3.841459

    # What the sensitivity analysis varies; the model that ships uses what stands here.
    codings: tuple[Coding, ...] = CODINGS  # how LDH may enter; the study does not say
    significances: bool = True  # False: the published counts alone are conditions
    grade2_significance: bool = True  # False: the count of grade >= 2 and 3 alone are conditions of severity
    test: TestName = "penalised_likelihood_ratio"
    # True: the study's regression of any grade also held the other pool's covariates, which
    # have no effect of their own; only its own predictors need be significant.
    other_covariates: bool = False

    # log2(LDH/ULN) = m + s z: about 54 % above the limit, strongly right-skewed.
    ldh_mean: tuple[float, float] = (0.10, 0.15)
    ldh_sd: tuple[float, float] = (0.8, 1.4)
    # Share with liver metastases about 35 %; both follow tumour burden, hence the correlation (judgement).
    liver_prevalence: tuple[float, float] = (14.0, 26.0)
    ldh_liver_correlation: tuple[float, float] = (0.0, 0.6)
    diabetes_prevalence: tuple[float, float] = (8.0, 32.0)
    cvd_prevalence: tuple[float, float] = (9.0, 21.0)
    diabetes_cvd_correlation: tuple[float, float] = (0.0, 0.4)

    # sd of the log odds ratios: weakly informative; more sceptical for diabetes and CVD,
    # which no other study has replicated. Weighted in equal thirds, never updated.
    tau_crs: tuple[float, ...] = (0.75, 1.0, 1.5)
    tau_icans: tuple[float, ...] = (0.5, 0.75, 1.0)

    # Grade >= 2 given any: 13.7 of 41.4 % (inc.eu473.crs_g2plus_day1); >= 3 given >= 2: 9 of 82.
    grade2_given_any: tuple[float, float] = (0.33, 0.6)  # probability whose logit is the mean; sd
    grade3_given_grade2: tuple[float, float] = (0.11, 0.8)

    # Centres: mu ~ N(0, sd), between-centre sd t ~ half-normal(scale).
    centre_mean_sd: float = 2.5
    centre_sd_scale: float = 0.5
    crs_centres: tuple[CentreCohort, ...]
    icans_centres: tuple[CentreCohort, ...]

    # The log2 ratio is held within m +- this many s of each draw: beyond it no cohort of 30 informs.
    ldh_hold: float = 2.33

    def taus(self, pool: Pool) -> tuple[float, ...]:
        """The prior sds of one pool, narrowest first."""
        return self.tau_crs if pool == "crs" else self.tau_icans

    def centres(self, pool: Pool) -> tuple[CentreCohort, ...]:
        """The cohorts behind one pool's centre term."""
        return self.crs_centres if pool == "crs" else self.icans_centres
