"""The STROBE checklist for cohort studies: where the report answers an item, and what only its author can write.

Labels are ours and short; the statement's own wording is in von Elm et al., Lancet 2007;370:1453-1457,
doi 10.1016/S0140-6736(07)61602-X.
"""

from __future__ import annotations

from typing import Literal

from knowledge.frozen import FrozenModel

Status = Literal["answered", "partly", "for you to write"]


class StrobeItem(FrozenModel):
    """One of the 22 items: where the report answers it, and what is left to write."""

    number: int
    topic: str
    status: Status
    where: str | None = None
    to_write: str | None = None


class Known(FrozenModel):
    """What of the report bears on the checklist; ``imputed``: whether a multiple imputation was done at all."""

    patients: int
    simulated: bool
    follow_up_known: int
    models: bool
    imputed: bool = False


def strobe(known: Known) -> tuple[StrobeItem, ...]:
    """The checklist, filled from what the report holds."""
    size = ", Is the cohort large enough for regressions?" if known.models else ""
    models = ", How the regressions were made" if known.models else ""
    predictors = ", Predictors of each outcome" if known.models else ""
    followed = f"Flow of patients (known in {known.follow_up_known} of {known.patients})"
    follow_up = None if known.follow_up_known == known.patients else "How long the other patients were followed"
    adjust = "Estimates adjusted for confounders, and for which: the comparison with prophylaxis is adjusted for none"
    answered: list[tuple[str, str | None, str | None]] = [
        (
            "Title and abstract",
            "The title names the design",
            "An abstract" + (", which must say that the data are simulated" if known.simulated else ""),
        ),
        ("Background", None, "Why the question matters at your centre; published rates: Beside the founding study"),
        ("Objectives", None, "Your questions, and which of them were set before the data were seen"),
        ("Study design", "The title", "Whether patients were followed forwards or found in records"),
        ("Setting", None, "Place and dates of recruitment, treatment, follow-up and data collection"),
        (
            "Participants",
            "Flow of patients gives the numbers",
            "Who was eligible, and how patients were found and followed",
        ),
        (
            "Variables",
            "Definitions",
            "Which grading was used, how CVD and diabetes were established, what prophylaxis was given",
        ),
        (
            "Data sources and measurement",
            "LDH is taken by its own laboratory's upper limit",
            "Where each variable came from, who graded, and when LDH was taken",
        ),
        (
            "Bias",
            "Prophylaxis against none names confounding by indication",
            "How patients were chosen for prophylaxis, and what was done against other bias",
        ),
        (
            "Study size",
            "Flow of patients" + size,
            "Why the cohort has this size",
        ),
        ("Quantitative variables", "Definitions and methods" + models, None),
        (
            "Statistical methods",
            "Definitions and methods" + models,
            "Whether anything was decided after the data were seen",
        ),
        ("Participants' numbers", "Flow of patients", "How many were eligible, and why patients were not included"),
        ("Descriptive data", "Table 1, Missing data; " + followed, follow_up),
        ("Outcome data", "Toxicity by grade", None),
        ("Main results", "Toxicity by grade, Prophylaxis against none" + predictors, adjust),
        (
            "Other analyses",
            "Missing data: multiple imputation" if known.imputed else None,
            "Any analysis of your own",
        ),
        ("Key results", "The result, at the top", "The answer to your own questions"),
        (
            "Limitations",
            "Prophylaxis against none, Missing data",
            "Sources and direction of bias that only you can know",
        ),
        ("Interpretation", None, "A cautious reading in the light of the evidence; the report makes none"),
        ("Generalisability", "Beside the founding study", "To whom the results apply"),
        ("Funding", None, "Source of funding and its part in the study; interests"),
    ]
    return tuple(
        StrobeItem(
            number=number,
            topic=topic,
            status="for you to write" if where is None else "answered" if to_write is None else "partly",
            where=where,
            to_write=to_write,
        )
        for number, (topic, where, to_write) in enumerate(answered, 1)
    )
