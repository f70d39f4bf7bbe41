"""A question that names the outcome: `what's the risk of CRS with ...`.

CRS and ICANS are symptom words: whoever has them gets no risk. In a question at
the head of the text they are the outcome asked about, and only there, in a few
closed forms that have one reading. `CRS risk of ICANS` may be a patient with CRS,
so the short form needs `what's the` before it, and so does a second outcome.
Every further mention is a symptom again.
"""

from __future__ import annotations

from dataclasses import replace

from handlers.parsing.codes import RefusalCode, Topic
from handlers.parsing.refusals import Refusal
from handlers.parsing.vocabulary import NAME_WORDS
from handlers.parsing.words import Word

CALLED = "@tarla"
_WHAT_IS = (("what's",), ("whats",), ("what", "is"))
_OUTCOMES = frozenset({"crs", "icans"})
_BOTH = frozenset({"crs/icans", "icans/crs"})
_LED_BY = ("of", "for")
_LEADING_ON = frozenset({"with", "w/", "in", "for", "given", "if"})
_MARK = "?"


def without_question(words: list[Word]) -> tuple[list[Word], bool]:
    """The words after a leading `@Tarla` and a leading question, and whether there was such a question."""
    if words and words[0].text == CALLED:
        words = _opened(words[1:])
    after = _after_question(words)
    return (words, False) if after is None else (_opened(words[after:]), True)


def without_question_mark(words: list[Word]) -> list[Word]:
    """``words`` of a question without the mark that ends it.

    Raises:
        Refusal: the mark stands after a name, where it also says that the finding is unknown.
    """
    if not words or not words[-1].text.endswith(_MARK):
        return words
    last = words[-1]
    bare = last.text.removesuffix(_MARK)
    if not bare or bare in NAME_WORDS:
        raise Refusal(RefusalCode.AMBIGUOUS, last.position, about=Topic.QUESTION_MARK)
    return [*words[:-1], replace(last, text=bare)]


def _opened(words: list[Word]) -> list[Word]:
    return [replace(words[0], opens=True, linked=False, breaks=True), *words[1:]] if words else []


def _after_question(words: list[Word]) -> int | None:
    """Index of the first word after the question; None when the text does not begin with one."""
    what = next((len(form) for form in _WHAT_IS if _stand(words, 0, *form)), 0)
    i = what + (1 if what and _stand(words, what, "the") else 0)
    if _stand(words, i, "risk") and i + 1 < len(words) and words[i + 1].text in _LED_BY and not words[i + 1].opens:
        after = _after_outcomes(words, i + 2, with_second=what > 0)
    elif what and (after := _after_outcomes(words, i, with_second=True)) is not None:
        after = after + 1 if _stand(words, after, "risk", marked=True) else None
    else:
        return None
    if after is None or after >= len(words) or words[after - 1].text.endswith(_MARK):
        return after
    following = words[after]
    if following.opens or following.linked:
        return None if following.joined else after
    return after + 1 if following.text in _LEADING_ON else None


def _after_outcomes(words: list[Word], i: int, *, with_second: bool) -> int | None:
    if i >= len(words) or (i > 0 and (words[i].opens or words[i].linked)):
        return None
    first = words[i].text.removesuffix(_MARK)
    if first in _BOTH:
        return i + 1
    if first not in _OUTCOMES:
        return None
    if with_second and first == words[i].text and i + 1 < len(words):
        second = i + 2 if _stand(words, i + 1, "or") else i + 1
        there = words[second] if second < len(words) else None
        if there is not None and there.text.removesuffix(_MARK) in _OUTCOMES - {first}:
            by_and = second == i + 1 and there.joined and not there.breaks and not there.linked
            by_or = second == i + 2 and not there.opens and not there.linked
            if by_and or by_or:
                return second + 1
    return i + 1


def _stand(words: list[Word], start: int, *texts: str, marked: bool = False) -> bool:
    """Whether ``texts`` stand at ``start``, with no boundary or link among or (but at the head) before them."""
    there = words[start : start + len(texts)]
    return len(there) == len(texts) and all(
        (word.text.removesuffix(_MARK) if marked else word.text) == text and (i == 0 or not (word.opens or word.linked))
        for i, (word, text) in enumerate(zip(there, texts, strict=True), start=start)
    )
