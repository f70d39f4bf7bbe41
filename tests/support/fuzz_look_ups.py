"""Questions for the look-ups: from their own words outwards, as ``fuzz_text`` does for findings."""

from __future__ import annotations

from handlers.evidence.topics import BY_WORD
from handlers.lookup.registry import EXAMPLES
from knowledge.evidence import load as load_evidence
from tests.support.fuzz_choices import Choices
from tests.support.fuzz_text import BAD_NUMBERS, CANARIES, LOOK_ALIKES, MARKUP, MISCHIEF, near_miss

_TOPICS = sorted(BY_WORD)
_RECORDS = sorted(record.id.lower() for record in load_evidence())[::7]
_WORDS = (
    *("c1d1", "c1d8", "c1d15", "c2d1", "cycle 2 day 15", "c1 d8", "c9d9", "d8", "day 15", "1 mg", "10mg", "7 mg"),
    *(
        "23",
        "23 days",
        "0",
        "28d",
        "9999",
        "3 weeks",
        "later",
        "or later",
        "late",
        "label",
        "indication",
        "last",
        "ago",
    ),
    *("82kg", "82 kg", "7.5 kg", "300 kg", "180 lb", "30", "warnings", "dose", "repeat", "dosing", "max", "80.25 kg"),
    *("crs", "icans", "crs 2", "icans 4", "grade 3", "g2", "crs5", "crs-1", "1", "2", "fever", "ich", "neutropenia"),
    *("c1", "c3", "cycle 5", "first", "outpatient", "next", "page 2", "icans page 2", "crs 999", "hypoxia"),
)


# Words that fit together, one of each group.
_FITTING = {
    "dose": (("c1d1", "c1d8", "cycle 1 day 15", "c2d1", "c6 d15", "day 8"), ("", "7", "23 days", "28d", "400")),
    "monitor": (("c1d1", "c1d8", "c2d1", "cycle 3", "c5", "d15", "first", "outpatient"),),
    "manage": (("crs", "icans"), ("", "1", "2", "grade 3", "g4")),
    "toci": (("82kg", "82 kg", "30", "29.5 kg", "120kg", "warnings", "7 kg", "301 kg"),),
    "grade": (("", "crs", "icans"),),
    "evidence": ((*_TOPICS, *_RECORDS), ("", "", "2", "page 2", "99")),
}


def question(choose: Choices) -> str:
    """One line that begins with a look-up's word, or nearly."""
    name = choose.pick(tuple(EXAMPLES))
    words = [name, *(_word(choose) for _ in range(choose.below(5)))]
    if choose.below(2) == 0:
        words = [name, *(choose.pick(group) for group in _FITTING[name])]
    if choose.one_in(4):
        words[choose.below(len(words))] = _bad(choose, choose.pick(words))
    return choose.pick((" ", " ", " ", " ", ", ", "  ", "\t", "\n", ";")).join(words)


def _word(choose: Choices) -> str:
    way = choose.below(6)
    if way == 0:
        return choose.pick(_TOPICS)
    if way == 1:
        return choose.pick(_RECORDS)
    if way == 2:
        return str(choose.below(400))
    return choose.pick(_WORDS)


def _bad(choose: Choices, word: str) -> str:
    way = choose.below(6)
    if way == 0:
        return choose.pick(BAD_NUMBERS)
    if way == 1:
        return choose.pick(MISCHIEF) + word
    if way == 2:
        return choose.pick(MARKUP) + word
    if way == 3:
        return choose.pick(CANARIES)
    if way == 4:
        return word.translate(LOOK_ALIKES)
    return near_miss(choose, word)
