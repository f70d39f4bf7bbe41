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
_RATE = re.compile(r"^(crs|icans)_(any|grade\w+)$")
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
    text = " and ".join(_one_outcome(part) for part in endpoint.split(" and "))
    return capital(text)


def _one_outcome(endpoint: str) -> str:
    if found := _RATE.match(endpoint):
        rest = "any grade" if found[2] == "any" else _words(found[2])
        return f"{_TERMS[found[1]]}, {rest}"
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
