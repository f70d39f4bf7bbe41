"""Which regressions the cohort study fits: the founding study's, and each predictor by itself."""

from __future__ import annotations

from typing import Literal

from knowledge.assessment import Outcome
from knowledge.cohort.report.predictors import LDH_CODINGS, Predictor
from knowledge.frozen import FrozenModel

# "published": outcome and predictors as the founding study reports them (rf.joshi.*). "exploratory": not there.
Standing = Literal["univariable", "published", "exploratory"]
OUTCOMES = (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS, Outcome.ICANS_ANY)
NAMES: dict[Outcome, str] = {
    Outcome.CRS_ANY: "CRS of any grade",
    Outcome.CRS_GRADE2PLUS: "CRS of grade 2 or more",
    Outcome.ICANS_ANY: "ICANS of any grade",
}


class Specification(FrozenModel):
    """One regression: an outcome and its predictors, in order."""

    outcome: Outcome
    predictors: tuple[Predictor, ...]
    standing: Standing

    @property
    def id(self) -> str:
        """A name for files and seeds, for example ``crs_any~ldh_elevated+liver_metastases``."""
        return f"{self.outcome.value}~{'+'.join(self.predictors)}"


def univariable(outcome: Outcome) -> tuple[Specification, ...]:
    """Every predictor by itself."""
    return tuple(Specification(outcome=outcome, predictors=(each,), standing="univariable") for each in Predictor)


def _study_models() -> tuple[Specification, ...]:
    found = []
    for coding in LDH_CODINGS:
        for outcome, predictors, standing in (
            (Outcome.CRS_ANY, (coding, Predictor.LIVER), "published"),
            (Outcome.CRS_GRADE2PLUS, (coding,), "published"),
            (Outcome.CRS_GRADE2PLUS, (coding, Predictor.LIVER), "exploratory"),
        ):
            found.append(Specification(outcome=outcome, predictors=predictors, standing=standing))
    found.append(
        Specification(outcome=Outcome.ICANS_ANY, predictors=(Predictor.DIABETES, Predictor.CVD), standing="published")
    )
    return tuple(sorted(found, key=lambda each: OUTCOMES.index(each.outcome)))


STUDY_MODELS = _study_models()
