"""Closed words of the evidence's fields as a reader says them."""

from __future__ import annotations

import re

from handlers.evidence.markup import capital
from knowledge.evidence import Association, Source

_TERMS = {name: name.upper() for name in ("crs", "icans", "ldh", "ecog", "copd", "cns")}
_GRADES = (
    (re.compile(r"grade(\d)plus"), r"grade \1 or higher"),
    (re.compile(r"grade(\d)(or|to)(\d)"), r"grade \1 \2 \3"),
    (re.compile(r"grade(\d)"), r"grade \1"),
)
_RATE = re.compile(r"^(\w+)_(any|grade\w+)$")
# Endpoints whose parts do not make a phrase by themselves.
_WHOLE = {
    "authors_position": "authors' position",
    "chemotherapy_free_interval_below_90_days": "chemotherapy-free interval below 90 days",
    "crs_fatal": "fatal CRS",
    "crs_grade2plus_onset_median": "onset of CRS of grade 2 or higher, median",
    "crs_progression_time_grade1_to_grade2plus": "CRS, time from grade 1 to grade 2 or higher",
    "death_without_against_with_toxicity": "death, without against with toxicity",
    "diabetes_heart_failure_correlation": "correlation of diabetes and heart failure",
    "discontinuation_treatment_related": "discontinuation, treatment-related",
    "ecog_0_1": "ECOG 0 or 1",
    "grade3plus_crs_icans_neutropenia": "CRS, ICANS and neutropenia, grade 3 or higher",
    "icans_fatal": "fatal ICANS",
    "neutrophils_decreased_laboratory": "neutrophils decreased (laboratory)",
    "onset_median_in_reports": "onset in reports, median",
    "treatment_discontinued_any_reason": "treatment discontinued for any reason",
    "treatment_related_death": "treatment-related death",
    "treatment_related_events_including_icans": "treatment-related events, ICANS included",
    "treatment_related_serious_events": "treatment-related serious events",
}
_MEDIAN = re.compile(r"^(\w+)_median$")

DIRECTIONS = {"higher": "higher", "lower": "lower", "none": "no link found", "unclear": "named only as possible"}
# Labels of tarlatamab need no name of the product beside them.
_TARLATAMAB = frozenset({"IMDELLTRA", "IMDYLLTRA"})
READ = {
    "label_text": "label text read",
    "abstract": "abstract read",
    "table": "table read",
    "guideline_card": "summary card read",
    "lab_catalogue": "laboratory's or maker's page read",
    "software_readme": "the software's own description read",
}


def outcome(endpoint: str) -> str:
    """An endpoint in words: ``crs_grade2plus`` is ``CRS, grade 2 or higher``."""
    return " and ".join(_one_outcome(part) for part in endpoint.split(" and "))


def _one_outcome(endpoint: str) -> str:
    if endpoint in _WHOLE:
        return _WHOLE[endpoint]
    if found := _RATE.match(endpoint):
        graded = "any grade" if found[1] in _TERMS else "any"
        return f"{_words(found[1])}, {graded if found[2] == 'any' else _words(found[2])}"
    if found := _MEDIAN.match(endpoint):
        return f"{_words(found[1])}, median"
    return _words(endpoint)


def _words(name: str) -> str:
    for pattern, words in _GRADES:
        name = pattern.sub(words, name)
    return " ".join(_TERMS.get(word, word) for word in name.replace("_", " ").split())


def window(text: str) -> str:
    """The time window; one that the source does not state is said to be so."""
    return "time window not stated" if text == "not stated" else text


def direction(link: Association) -> str:
    """Whether the risk was higher, lower or not linked."""
    return DIRECTIONS[link.direction]


def short_name(source: Source) -> str:
    """A name for use beside a figure: first author, label or body, or what it is, and the year."""
    year = f" {source.year}" if source.year else ", undated"
    if source.authors is not None:
        return f"{source.authors.split(',')[0].rsplit(' ', 1)[0]}{year}"
    kind = re.split(r"[,(;]", source.study_type)[0].strip()
    if kind.startswith("regulatory label"):
        product = (source.title or "").split(" (")[0].split(",")[0]
        own = "" if product in _TARLATAMAB else f"{product} "
        return f"{own}{'US' if '(US)' in source.study_type else 'EU'} label{year}"
    return f"{source.issued_by or capital(kind)}{year}"


def how_seen(source: Source) -> str:
    """What of a source was read, and that the rest was not."""
    if source.primary:
        part = "" if source.seen_complete else ", in part"
        return f"{READ[source.seen]}{part}"
    through = source.read_through or "a report of it"
    return f"read in {through}; the text itself not seen"
