"""The words of the grammar by what they are, and what a text is understood as."""

from __future__ import annotations

from handlers.parsing import Refusal, Understood, parse
from handlers.parsing.terms import Meaning, Name, Subject, Value
from handlers.parsing.vocabulary import SYNONYMS
from knowledge.factors import Presence

FIELD = {Subject.LIVER: "liver_metastases", Subject.DIABETES: "diabetes", Subject.CVD: "cardiovascular_disease"}
NAMES = [
    (term, word)
    for term, words in SYNONYMS.items()
    if isinstance(term, Name) and term.subject in FIELD
    for word in words
]
DIAGNOSES = [(term, word) for term, word in NAMES if term.diagnosis]
VALUES = [(term, word) for term, words in SYNONYMS.items() if isinstance(term, Value) for word in words]
DENIALS = [(term, word) for term, word in VALUES if term.meaning is Meaning.NO]


def outcome_of(text: str) -> Understood | Refusal:
    try:
        return parse(text)
    except Refusal as refusal:
        return refusal


def said_of(subject: Subject, outcome: Understood | Refusal) -> Presence | None:
    """What was understood of the subject; None when the text was refused."""
    return getattr(outcome.factors, FIELD[subject]) if isinstance(outcome, Understood) else None
