"""Every view of the evidence, and what they may show: addresses of the data, and the record behind an id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

from handlers.evidence.topics import TOPICS
from handlers.evidence.view import evidence_look_up, topic_pages
from handlers.lookup import LookUp
from knowledge.evidence import Association, Evidence, Source, load

TODAY = "2026-11-24"
LATER = "2027-06-01"


def allowed_links() -> frozenset[str]:
    """The addresses in the data and nothing else, escaped as mrkdwn writes them."""
    sources = load().sources.values()
    known = {address for source in sources for address in (source.url, source.account_url) if address}
    known |= {f"https://doi.org/{source.doi}" for source in sources if source.doi}
    return frozenset(address.replace("&", "&amp;") for address in known)


@cache
def topic_look_ups(today: str = TODAY) -> tuple[tuple[str, int, LookUp], ...]:
    """Every page of every topic, as it is asked for."""
    return tuple(
        (topic.id, page.number, evidence_look_up([topic.id, str(page.number)], today))
        for topic in TOPICS
        for page in topic_pages(topic, today)
    )


def every_id(evidence: Evidence) -> tuple[str, ...]:
    """The ids of all facts, associations, sources, conflicts and gaps."""
    return (*(record.id for record in evidence), *evidence.sources, *evidence.conflicts, *evidence.gaps)


@cache
def record_behind(name: str) -> Any:
    """The record of an id as plain data; None where there is none.

    With the year of a source's date, the level that the name of the field ``ci95`` gives, and what the data say
    elsewhere of its part in the model.
    """
    evidence = load()
    held: tuple[Mapping[str, Any], ...] = (evidence.facts, evidence.associations, evidence.sources)
    held += (evidence.conflicts, evidence.gaps)
    record = next((records[name] for records in held if name in records), None)
    if record is None:
        return None
    year = {"year": record.year} if isinstance(record, Source) else {}
    level = {"level": "95 %"} if getattr(record, "ci95", None) else {}
    term = {"term": evidence.centre_terms[name].reason} if name in evidence.centre_terms else {}
    return {**record.model_dump(), **year, **level, **term}


def counted(topic: str, number: int) -> list[str]:
    """What the first and the last block of a topic's page count: entries, pages and days; no record holds those."""
    evidence = load()
    records = evidence.on(topic)
    links = Counter(record.direction for record in records if isinstance(record, Association))
    second_hand = sum(not evidence.is_primary(record) for record in records)
    counts = [len(records), len({record.source for record in records}), second_hand, *links.values()]
    counts += [len(evidence.conflicts_on(topic)), len(evidence.gaps_on(topic))]
    pages = [number, number + 1, sum(name == topic for name, _, _ in topic_look_ups())]
    return [*map(str, (*counts, *pages)), evidence.compiled, "2 days ago", "2027-05-22"]


def texts_of(blocks: Any) -> list[str]:
    """The text of each block, spaces all alike."""
    found = []
    for block in blocks:
        small = block["elements"] if block["type"] == "context" else []
        parts = [block["text"]["text"]] if "text" in block else [each["text"] for each in small]
        found.append("\n".join(parts).replace("\N{NO-BREAK SPACE}", " "))
    return found
