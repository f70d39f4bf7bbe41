"""``/tarla evidence``: what there is, and ``/tarla evidence TOPIC [page]`` or an id: what it says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from handlers.evidence.contents import pieces_of
from handlers.evidence.drawing import page_blocks, page_text, whole_text
from handlers.evidence.label_record import find_label_record, label_record_look_up
from handlers.evidence.listing import index_look_up
from handlers.evidence.pages import Page, paged
from handlers.evidence.single import find_record, record_look_up
from handlers.evidence.topics import TOPICS, Topic, find_topic
from handlers.lookup.reply import LookUp, LookUpCode, LookUpRefusal
from knowledge.evidence import Evidence, load

EXAMPLE = "/tarla evidence icans"
# The first word after the command is the look-up's own.
_FIRST_POSITION = 2


def evidence_look_up(words: Sequence[str], today: str) -> LookUp:
    """What the evidence says on a topic, a page of it, or one record; records of the labels too.

    Args:
        words: what follows ``evidence``, in ASCII lower case.
        today: ISO 8601; decides what is past its review date.

    Raises:
        LookUpRefusal: no such topic, record or page.
    """
    evidence = load()
    if not words:
        return index_look_up(evidence, today)
    name, number = _split(words)
    topic = find_topic(name)
    if topic is not None:
        return topic_look_up(evidence, topic, number, today, position=len(words) + 1)
    record = find_record(evidence, words[0]) if len(words) == 1 else None
    if record is not None:
        return record_look_up(evidence, record, today)
    labelled = find_label_record(words[0]) if len(words) == 1 else None
    if labelled is not None:
        return label_record_look_up(evidence, labelled, today)
    known = ", ".join(topic.id for topic in TOPICS)
    raise LookUpRefusal(
        LookUpCode.UNKNOWN_TOPIC,
        f"There is no such topic or id in the evidence. Topics: {known}.",
        EXAMPLE,
        _FIRST_POSITION,
    )


def topic_look_up(evidence: Evidence, topic: Topic, number: int | None, today: str, position: int = 0) -> LookUp:
    """One page of a topic; without a number the first.

    Raises:
        LookUpRefusal: the topic has no such page.
    """
    pages = topic_pages(topic, today)
    shown = number or 1
    if shown > len(pages):
        last = f" {len(pages)}" if len(pages) > 1 else ""
        count = "1 page" if len(pages) == 1 else f"{len(pages)} pages"
        raise LookUpRefusal(
            LookUpCode.OUT_OF_RANGE, f"This topic has {count}.", f"/tarla evidence {topic.id}{last}", position
        )
    page = pages[shown - 1]
    return LookUp(
        code=f"evidence.{topic.id}",
        text=page_text(evidence, topic, page, today),
        blocks=tuple(page_blocks(evidence, topic, page, today)),
        records=page.records,
        arguments={"topic": topic.id, "page": shown},
        long_text=whole_text(evidence, topic, pages if number is None else [page], today),
    )


@lru_cache(maxsize=2 * len(TOPICS))
def topic_pages(topic: Topic, today: str) -> tuple[Page, ...]:
    """All pages of a topic; made once a day, since every page needs the division into all."""
    evidence = load()
    return paged(evidence, pieces_of(evidence, topic, today))


def _split(words: Sequence[str]) -> tuple[Sequence[str], int | None]:
    """The words of the topic, and the number of the page if the last word is one written plainly."""
    *name, last = words
    if not name or not (last.isascii() and last.isdigit()) or last.startswith("0") or len(last) > 3:
        return words, None
    if len(name) > 1 and name[-1] == "page":
        del name[-1]
    return name, int(last)
