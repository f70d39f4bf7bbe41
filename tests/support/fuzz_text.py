"""Texts as clinicians might type them, and worse: from the closed vocabulary outwards.

A generator that knows nothing of the grammar hardly ever reaches an answer. This one writes whole clauses first and
spoils some of them: near misses, numbers of every bad form, other scripts' letters, markup, names of patients.
"""

from __future__ import annotations

from dataclasses import dataclass

from handlers.parsing.asked import ASKED_WORDS
from handlers.parsing.symptoms import SYMPTOM_WORDS
from handlers.parsing.terms import Meaning, Name, Side, Subject, Value
from handlers.parsing.vocabulary import KNOWN_WORDS, PHRASES, SYNONYMS
from tests.support.fuzz_choices import Choices

# Parts of them stand in no message, example or code of Tarla's.
CANARIES = ("Quibblezax", "MRN77130442", "77130442", "quib@zax.example", "1931-08-29", "555-0188-442", "Кибблзакс")
# Letters that look like ASCII ones and are none.
LOOK_ALIKES = str.maketrans("acdehiklmnopstuvxy", "аϲԁеһіκӏмпорѕтυνху")
# Control, zero-width and bidirectional characters, marks that join letters, odd spaces.
MISCHIEF = (
    *("\u200b", "\u200c", "\u200d", "\ufeff", "\u2060", "\u00ad", "\u034f", "\u202e", "\u202d", "\u2066", "\u2069"),
    *("\u200e", "\u200f", "\u061c", "\u0301", "\u0338", "\u20e3", "\ufe0f", "\x00", "\x07", "\x1b[31m", "\x7f", "\x85"),
    *("\u2028", "\u2029", "\u2003", "\u3000", "\u202f", "\u180e", "\ud83d", "\U000e0041", "😀", "ﷺ", "İ", "ß", "ﬁ"),
)
BAD_NUMBERS = (
    *("07805", "4e2", "1_000", "1,000", "1.000,5", "480,5", "1'000", "nan", "inf", "-480", "+480", "−480", "0x1e0"),
    *(
        "٤١٢",
        "４８０",
        "४८०",
        "𝟒𝟖𝟎",
        "⁴⁸⁰",
        "½",
        "Ⅳ",
        "四百",
        "4\u200b80",
        "48\u00ad0",
        "480.",
        ".5",
        "4.8.0",
        "480..5",
    ),
    *("99999999999", "0", "00", "-0", "1e309", "480%", "480#", "480-500", "~480", "<480", ">=480", "480/", "/250"),
    *(
        "480//250",
        "480/250/100",
        "480\\250",
        "480 250",
        "12/03/1961",
        "555-0188",
        "480x250",
        "1.9xx",
        "480u/lx",
        "True",
    ),
)
MARKUP = (
    *("*", "_", "`", "~", "```", "> ", "&lt;", "&gt;", "&amp;", "&amp;lt;", "&#108;", "<!channel>", "<@U77130442>"),
    *("<http://x|y>", "<#C1|x>", "<!date^1^{date}|x>", ":fire:", "%s", "{0}", "{}", "%n", "$(id)", "'", '"', ";--"),
    *("'; DROP TABLE event;--", "\\", "\r\n", "\n", "\t", "|", "<", ">", "()", "[", "]", "@tarla", "<@U0TARLABOT>"),
)
PARTING = (", ", "; ", "\n", ". ", " and ", " • ", ",", " & ", "\n• ", " but ")
_SPACES = (" ", "  ", "\u00a0", "\t")
_VALUES = {
    meaning: [
        word
        for term, words in SYNONYMS.items()
        if isinstance(term, Value) and term.meaning is meaning and term.side is Side.EITHER
        for word in words
    ]
    for meaning in (Meaning.YES, Meaning.NO, Meaning.UNKNOWN)
}
_NAMES = {
    subject: [w for t, words in SYNONYMS.items() if isinstance(t, Name) and t.subject is subject for w in words]
    for subject in Subject
}
_LITTLE_WORDS = ("or", "no", "without", "-", "+", "?")
_PLAIN_VALUES = ("yes", "no", "unknown")
_WORDS = sorted(KNOWN_WORDS)
_PHRASES = sorted(" ".join(phrase) for phrase in PHRASES)
_ASKED = sorted(ASKED_WORDS)
_SYMPTOMS = sorted(SYMPTOM_WORDS)
_LDH_WORDS = ("ldh high", "ldh normal", "ldh unknown", "elevated ldh", "normal ldh", "ldh wnl", "ldh pending")


@dataclass(frozen=True)
class Typed:
    """A text; ``clauses`` are those of a well-formed one, each with its own value, and empty where it was spoilt."""

    text: str
    clauses: tuple[str, ...] = ()


def typed(choose: Choices) -> Typed:
    """One text: well-formed, spoilt in one place, or put together at random."""
    way = choose.below(8)
    if way >= 6:
        return Typed("".join(_piece(choose) + choose.pick((" ", " ", "", *PARTING)) for _ in range(choose.below(9))))
    clauses = _clauses(choose)
    if way < 3:
        return Typed(choose.pick(PARTING[:5]).join(clauses), tuple(clauses))
    text = choose.pick(PARTING).join(clauses)
    for _ in range(1 + choose.below(2)):
        text = _spoilt(choose, text)
    return Typed(text)


def figure(choose: Choices) -> str:
    """An LDH with its limit, in and near the accepted ranges."""
    ldh = str(choose.pick((480, 250, 50, 9999, 49, 10000, 200, 251, choose.below(12_000), choose.below(900))))
    uln = str(choose.pick((250, 100, 600, 99, 601, 199, 480, choose.below(800))))
    unit = choose.pick(("", "", " U/L", "u/l", " IU/L"))
    way = choose.below(6)
    if way == 0:
        return f"ldh {ldh}{unit}/{uln}"
    if way == 1:
        return f"ldh {ldh}{unit} uln {uln}{unit}"
    if way == 2:
        return f"ldh {choose.below(170)}.{choose.below(100)} µkat/L uln {choose.below(11)}.{choose.below(100)}"
    if way == 3:
        return f"ldh {choose.below(45)}.{choose.below(100)}x"
    if way == 4:
        return choose.pick(_LDH_WORDS)
    return f"ldh {ldh}"


def _clauses(choose: Choices) -> list[str]:
    subjects = choose.shuffled((Subject.LDH, Subject.LIVER, Subject.DIABETES, Subject.CVD))[: 1 + choose.below(4)]
    return [figure(choose) if subject is Subject.LDH else _finding(choose, subject) for subject in subjects]


def _finding(choose: Choices, subject: Subject) -> str:
    name = choose.pick((_NAMES[subject][0], choose.pick(_NAMES[subject])))
    if choose.one_in(3):
        meaning = choose.pick((Meaning.YES, Meaning.NO, Meaning.UNKNOWN))
        word = choose.pick(_VALUES[meaning])
        return choose.pick((f"{name} {word}", f"{word} {name}", f"{name}: {word}"))
    value = choose.pick(_PLAIN_VALUES)
    return choose.pick((f"{name} {value}", f"{name}={value}", f"{name}: {value}", f"{value} {name}"))


def _spoilt(choose: Choices, text: str) -> str:
    words = text.split(" ")
    at = choose.below(len(words))
    way = choose.below(9)
    if way == 0:
        words[at] = near_miss(choose, words[at])
    elif way == 1:
        words[at] = choose.pick(BAD_NUMBERS)
    elif way == 2:
        words[at] = words[at].translate(LOOK_ALIKES)
    elif way == 3:
        place = choose.below(len(words[at]) + 1)
        words[at] = words[at][:place] + choose.pick(MISCHIEF) + words[at][place:]
    elif way == 4:
        mark = choose.pick(MARKUP)
        words[at] = choose.pick((f"{mark}{words[at]}{mark}", f"{mark}{words[at]}", f"{words[at]}{mark}"))
    elif way == 5:
        words.insert(at, choose.pick(CANARIES))
    elif way == 6:
        words.insert(at, choose.pick(_PHRASES))
    elif way == 7:
        words.insert(
            at, choose.pick((choose.pick(_ASKED), choose.pick(_SYMPTOMS), "or", "no", "without", "-", "+", "?"))
        )
    else:
        del words[at]
    return choose.pick((" ", " ", " ", *_SPACES)).join(words)


def near_miss(choose: Choices, word: str) -> str:
    """The word with one slip of the finger."""
    at = choose.below(len(word) + 1)
    way = choose.below(4)
    if way == 0:
        return word[:at] + word[at + 1 :]
    if way == 1:
        return word[:at] + choose.pick("abcdefghijklmnopqrstuvwxyz0123456789/-.") + word[at:]
    if way == 2 and 0 < at < len(word):
        return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
    return word[:at] + choose.pick("aeiouxz0") + word[at + 1 :]


def _piece(choose: Choices) -> str:
    way = choose.below(11)
    if way == 0:
        return choose.pick(_PHRASES)
    if way == 1:
        return choose.pick(_WORDS)
    if way == 2:
        return _finding(choose, choose.pick((Subject.LIVER, Subject.DIABETES, Subject.CVD)))
    if way == 3:
        return figure(choose)
    if way == 4:
        return choose.pick(BAD_NUMBERS)
    if way == 5:
        return choose.pick(MARKUP)
    if way == 6:
        return choose.pick(MISCHIEF)
    if way == 7:
        return choose.pick(CANARIES)
    if way == 8:
        return choose.pick((choose.pick(_ASKED), choose.pick(_SYMPTOMS)))
    if way == 9:
        return near_miss(choose, choose.pick(_WORDS))
    return "".join(chr(choose.below(0x3000)) for _ in range(choose.below(6)))
