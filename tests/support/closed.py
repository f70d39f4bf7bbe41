"""What a text may bring forth: findings within their ranges, or sentences that were written before it was."""

from __future__ import annotations

import re

from handlers.parsing import Refusal, Understood
from handlers.parsing.parse import (
    CARDIAC_DIAGNOSIS_NOTE,
    high_limit_note,
    low_limit_note,
    site_limit_note,
    unvalued_note,
)
from handlers.parsing.refusal_texts import TEXTS
from handlers.parsing.terms import Subject
from handlers.parsing.vocabulary import SUGGESTIONS
from knowledge.factors import UpperLimit

SITE_LIMIT = UpperLimit(value=231)
SENTENCES = {message for message, _ in TEXTS.values()}
EXAMPLES = {example for _, example in TEXTS.values()}
_NOTES = {
    CARDIAC_DIAGNOSIS_NOTE,
    site_limit_note(SITE_LIMIT),
    *(unvalued_note(subject) for subject in (Subject.LIVER, Subject.DIABETES, Subject.CVD)),
}
_ODD_LIMIT = re.compile(
    "|".join(note(UpperLimit(value=480)) for note in (high_limit_note, low_limit_note)).replace(
        "480", r"[0-9]+(\.[0-9]+)?"
    )
)
TOKEN = re.compile(r"E_[A-Z0-9_]+@[0-9]+")


def assert_closed(outcome: Understood | Refusal) -> None:
    """Everything that can be shown was written before the text was."""
    if isinstance(outcome, Understood):
        assert all(note in _NOTES or _ODD_LIMIT.fullmatch(note.replace("µkat/L", "U/L")) for note in outcome.notes)
        return
    assert outcome.message in SENTENCES
    assert outcome.example in EXAMPLES
    assert outcome.suggestion is None or outcome.suggestion in SUGGESTIONS
    assert TOKEN.fullmatch(outcome.token)
    assert str(outcome) == outcome.token
    assert outcome.args == (outcome.token,)
    assert outcome.__cause__ is None
    assert outcome.__context__ is None
