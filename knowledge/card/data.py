"""What the model rests on, read from the evidence."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.card.records import Absence, CitedSource, Cohort, Data, Finding
from knowledge.evidence import Association, Evidence, Fact, Source
from knowledge.exact import clopper_pearson
from knowledge.synthesis.facts import model_fact_ids
from knowledge.synthesis.spec import CentreCohort, Spec

STUDY_SOURCE = "joshi2025_hmp"
STUDY_SIZE = "inc.joshi.n"
AGE, MALE, ECOG = "inc.joshi.age", "inc.joshi.male", "inc.joshi.ecog01"
# What the study's summary does print, in the order in which the card tells it.
PUBLISHED = (
    (STUDY_SIZE, "Patients"),
    (AGE, "Median age, years"),
    (MALE, "Male"),
    (ECOG, "ECOG 0 or 1"),
    ("inc.joshi.crs_any", "CRS, any grade, without prophylactic tocilizumab"),
    ("inc.joshi.crs_g3plus", "CRS, grade 3 or higher, without"),
    ("inc.joshi.icans_any", "ICANS, any grade, without"),
    ("inc.joshi.icans_g3plus", "ICANS, grade 3 or higher, without"),
    ("inc.joshi.toci_crs", "CRS, any grade, with prophylactic tocilizumab"),
    ("inc.joshi.toci_icans", "ICANS, any grade, with"),
)
# How the card calls what was not found, by endpoint.
_ABSENT = {
    "crs_grade2plus": "Number of patients with CRS of grade 2 or higher",
    "odds_ratio": "Odds ratios",
    "ldh_distribution": "LDH of patients on tarlatamab",
    "liver_metastases": "Share with liver metastases",
    "diabetes": "Share with diabetes",
    "cardiovascular_disease": "Share with cardiovascular disease",
}
_SEEN = {
    "label_text": "text of the label",
    "abstract": "abstract",
    "table": "one table",
    "guideline_card": "guideline card",
    "lab_catalogue": "laboratory catalogue",
    "software_readme": "the software's description",
    "secondary_report": "a report of it, not the source itself",
}


def data_section(evidence: Evidence, spec: Spec) -> Data:
    """The founding study, the cohorts behind the centre term, and every source the model rests on."""
    study = evidence.source(STUDY_SOURCE)
    cohorts = [("CRS, any grade", each) for each in spec.crs_centres]
    cohorts += [("ICANS, any grade", each) for each in spec.icans_centres]
    ids = (*model_fact_ids(spec), *(fact for fact, _ in PUBLISHED))
    return Data(
        study=study.citation,
        study_period=evidence.fact(STUDY_SIZE).setting,
        published=tuple(Finding(fact=fact, what=what, value=_value(evidence.fact(fact))) for fact, what in PUBLISHED),
        not_published=_absences(evidence),
        cohorts=tuple(_cohort(evidence, outcome, each) for outcome, each in cohorts),
        cohorts_excluded=sum(not term.use for term in evidence.centre_terms.values()),
        sources=tuple(_cited(evidence.source(each)) for each in _sources(evidence, ids)),
    )


def read_of(source: Source) -> str:
    """What of a source was read, in words."""
    return _SEEN[source.seen] + ("" if source.seen_complete else ", in part")


def _value(fact: Fact) -> str:
    """A figure as counts where there are counts, else as printed."""
    if fact.count is not None and fact.denominator is not None:
        share = f" ({fact.percent})" if fact.percent else ""
        return f"{fact.count}/{fact.denominator}{share.replace('%', ' %')}"
    if fact.endpoint == "cohort_size" and fact.n is not None:
        return f"{fact.n}: {fact.value}"
    return f"{fact.value}"


def _absences(evidence: Evidence) -> tuple[Absence, ...]:
    """What was looked for in the study and not found; entries with the same words become one."""
    by_text: dict[str, list[str]] = {}
    for record in evidence:
        if record.source == STUDY_SOURCE and record.absent and record.note:
            by_text.setdefault(_absent_what(record), []).append(record.id)
    return tuple(Absence(facts=tuple(ids), text=text) for text, ids in by_text.items())


def _absent_what(record: Fact | Association) -> str:
    if isinstance(record, Association):
        return "Odds ratio, confidence interval and p value of each link"
    return f"{_ABSENT[record.endpoint]}. {record.note}"


def _cohort(evidence: Evidence, outcome: str, cohort: CentreCohort) -> Cohort:
    fact = evidence.fact(cohort.fact)
    return Cohort.model_validate(
        {
            "outcome": outcome,
            "fact": cohort.fact,
            "events": cohort.events,
            "n": cohort.n,
            "interval": clopper_pearson(cohort.events, cohort.n),
            "setting": fact.setting,
            "window": fact.window,
            "source": fact.source,
            "worked_out": None if fact.derived is None else fact.derived.how,
        }
    )


def _sources(evidence: Evidence, ids: Iterable[str]) -> tuple[str, ...]:
    records = (evidence.facts.get(each) or evidence.association(each) for each in ids)
    return tuple(dict.fromkeys(record.source for record in records))


def _cited(source: Source) -> CitedSource:
    return CitedSource(
        id=source.id,
        citation=source.citation,
        read=read_of(source),
        doi=source.doi,
        pmid=source.pmid,
        url=source.url,
    )
