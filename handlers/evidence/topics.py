"""What one may ask the evidence about: the data's own subjects, and a few views across all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.evidence import Evidence


@dataclass(frozen=True)
class Topic:
    """One topic by the word that is asked for; ``also`` are other words for it, ``about`` says what it holds."""

    id: str
    group: str
    about: str
    also: tuple[str, ...] = ()


_OUTCOMES = "What happens"
_FINDINGS = "Findings before infusion"
_CARE = "Prevention and care"
_ORIGIN = "Where it was seen"
_WHOLE = "All of it"

TOPICS: tuple[Topic, ...] = (
    Topic(
        "crs",
        _OUTCOMES,
        "How often CRS was seen, by cohort, dose and grade, and what was linked with it.",
        ("cytokine", "cytokine_release", "cytokine_release_syndrome"),
    ),
    Topic(
        "icans",
        _OUTCOMES,
        "How often ICANS and other neurologic events were seen, by definition, and what was linked with them.",
        ("neuro", "neurologic", "neurotoxicity", "neurotox"),
    ),
    Topic(
        "severity",
        _OUTCOMES,
        "Rates by grade, serious and fatal events, and the scales they were graded by.",
        ("grade", "grades", "grading", "severe"),
    ),
    Topic(
        "onset",
        _OUTCOMES,
        "When CRS and ICANS began, after which dose, and how long they lasted.",
        ("timing", "time", "when", "duration", "dose"),
    ),
    Topic("infection", _OUTCOMES, "Infections and low neutrophils.", ("infections", "neutropenia", "neutrophils")),
    Topic(
        "treatment",
        _OUTCOMES,
        "Treatment stopped, deaths and other outcomes.",
        ("death", "deaths", "discontinuation", "outcome", "outcomes"),
    ),
    Topic(
        "ldh",
        _FINDINGS,
        "LDH: links with CRS and ICANS, how it is measured, and upper limits of laboratories.",
        ("uln", "lactate_dehydrogenase", "lactate"),
    ),
    Topic(
        "liver",
        _FINDINGS,
        "Liver metastases: links with CRS, and how common they are.",
        ("liver_mets", "liver_metastases", "hepatic"),
    ),
    Topic(
        "diabetes",
        _FINDINGS,
        "Diabetes: one study's link with ICANS, no replication found, and how common it is.",
        ("dm", "t2dm", "t1dm", "diabetic"),
    ),
    Topic(
        "cvd",
        _FINDINGS,
        "Cardiovascular disease: one study's link with ICANS, no replication found, how common it is.",
        ("heart", "cardiac", "cardiovascular", "cardio", "hypertension"),
    ),
    Topic(
        "tumour",
        _FINDINGS,
        "Number of sites and lesions.",
        ("tumor", "burden", "tumour_burden", "tumor_burden", "sites", "lesions"),
    ),
    Topic(
        "brain",
        _FINDINGS,
        "Brain metastases: where they were linked with ICANS and where not.",
        ("cns", "brain_mets", "brain_metastases"),
    ),
    Topic("age", _FINDINGS, "Age: links that point both ways, and ages of the cohorts.", ()),
    Topic("sex", _FINDINGS, "Sex: links that point both ways.", ("gender", "female", "male")),
    Topic(
        "fitness",
        _FINDINGS,
        "Performance status, other disease, and who would have been eligible for the trials.",
        ("ecog", "ps", "performance", "eligibility", "comorbidity"),
    ),
    Topic(
        "covariates",
        _FINDINGS,
        "How common the model's findings are, on which its prior on the mix of patients rests.",
        ("covariate", "prevalence"),
    ),
    Topic(
        "tocilizumab",
        _CARE,
        "Tocilizumab beforehand and for CRS: what was seen, not randomised, and what speaks against.",
        ("toci", "tcz", "actemra", "prophylaxis"),
    ),
    Topic(
        "steroids",
        _CARE,
        "Corticosteroids, beforehand and for CRS.",
        ("steroid", "corticosteroid", "corticosteroids", "dex", "dexamethasone"),
    ),
    Topic(
        "monitoring",
        _CARE,
        "How long patients were observed, admissions and outpatient care.",
        ("monitor", "observation", "admission", "outpatient", "inpatient"),
    ),
    Topic(
        "founding_study",
        _ORIGIN,
        "The study of Joshi et al. that the model is built on, as far as it could be read.",
        ("joshi", "founding", "study", "moffitt"),
    ),
    Topic(
        "trials",
        _ORIGIN,
        "The trials of tarlatamab and the figures pooled in the labels.",
        ("trial", "dellphi", "label", "labels"),
    ),
    Topic("real_world", _ORIGIN, "Tarlatamab outside of trials.", ("realworld", "rwd", "rwe", "practice")),
    Topic(
        "reports",
        _ORIGIN,
        "Spontaneous reports, which cannot give a rate.",
        ("faers", "spontaneous", "pharmacovigilance"),
    ),
    Topic(
        "calculator",
        _ORIGIN,
        "The calculator of Guo et al.: coefficients, shrunken and not validated elsewhere.",
        ("guo",),
    ),
    Topic(
        "class",
        _ORIGIN,
        "Other bispecific antibodies and CAR-T cells: different drugs and diseases, for context only.",
        (
            "other",
            "others",
            "bispecific",
            "bispecifics",
            "other_bispecifics",
            "cart",
            "car_t",
            "teclistamab",
            "myeloma",
        ),
    ),
    Topic(
        "conflicts",
        _WHOLE,
        "Where published figures contradict each other, and which to trust.",
        ("conflict", "contradictions", "disagreement"),
    ),
    Topic(
        "gaps", _WHOLE, "What is missing: no figure found, or a text not read.", ("gap", "missing", "absent", "unknown")
    ),
    Topic(
        "sources",
        _WHOLE,
        "Every source, with how much of it was read.",
        ("source", "references", "reference", "citations", "citation", "literature"),
    ),
)

BY_WORD: dict[str, Topic] = {word: topic for topic in TOPICS for word in (topic.id, *topic.also)}


def find_topic(words: Sequence[str]) -> Topic | None:
    """The topic asked for in lower-case words; a near miss is none."""
    return BY_WORD.get("_".join(words).replace("-", "_"))


def title(evidence: Evidence, topic: Topic) -> str:
    """The topic's name in words."""
    if topic.id in evidence.subjects:
        return evidence.subjects[topic.id].title
    return {
        "covariates": "How common the findings are",
        "conflicts": "Conflicts, and which figure to trust",
        "gaps": "What is missing",
        "sources": "Sources",
    }[topic.id]
