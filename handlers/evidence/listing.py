"""``/tarla evidence``: every topic in plain words, how much there is, how old it is and what is missing."""

from __future__ import annotations

from itertools import groupby

from handlers.blockkit import Block, context
from handlers.evidence.contents import conflicts_on, gaps_on, records_on
from handlers.evidence.drawing import age, whole
from handlers.evidence.markup import MRKDWN, PLAIN, Markup
from handlers.evidence.topics import TOPICS, Topic, title
from handlers.lookup.reply import LookUp
from knowledge.evidence import Evidence

_HOW = "Ask for one: "
_EXAMPLE = "/tarla evidence icans"


def index_look_up(evidence: Evidence, today: str) -> LookUp:
    """The list of topics."""
    trust = f"Order of trust. {evidence.order_of_trust}"
    text = "\n\n".join([*_parts(evidence, today, PLAIN), trust])
    blocks: list[Block] = [whole(part) for part in _parts(evidence, today, MRKDWN)]
    blocks.append(context(MRKDWN.text(trust)))
    return LookUp(code="evidence", text=text, blocks=tuple(blocks), records=(), long_text=text)


def _parts(evidence: Evidence, today: str, m: Markup) -> list[str]:
    total, sources = len(list(evidence)), evidence.sources.values()
    second_hand = sum(not source.primary for source in sources)
    head = (
        f"{m.bold('What is published on CRS and ICANS after tarlatamab')} {m.name('evidence')}\n"
        + m.text(
            f"{total} entries from {len(sources)} sources, {second_hand} of which are known second-hand only; "
            f"{len(evidence.conflicts)} conflicts."
        )
        + f"\n{age(evidence, today, m)} · {m.text(_HOW)}{m.command(_EXAMPLE)}"
    )
    groups = [
        "\n".join([m.bold(name), *(topic_line(evidence, topic, m) for topic in topics)])
        for name, topics in groupby(TOPICS, lambda topic: topic.group)
    ]
    missing = "\n".join(
        [
            f"{m.bold('What is missing on the whole')} {m.command('/tarla evidence gaps')}",
            *(f"• {m.text(gap.title)} {m.name(gap.id)}" for gap in evidence.gaps.values()),
        ]
    )
    return [head, *groups, missing]


def topic_line(evidence: Evidence, topic: Topic, m: Markup) -> str:
    """A topic by the word to ask for, in plain words, with how much there is."""
    return f"• {m.name(topic.id)} {m.text(title(evidence, topic))} · {m.text(_count(evidence, topic))}"


def _count(evidence: Evidence, topic: Topic) -> str:
    if topic.id == "sources":
        return f"{len(evidence.sources)} sources"
    parts = []
    if records := records_on(evidence, topic):
        parts.append(f"{len(records)} entries")
    for count, word in ((len(conflicts_on(evidence, topic)), "conflict"), (len(gaps_on(evidence, topic)), "gap")):
        if count:
            parts.append(f"{count} {word}{'s' * (count > 1)}")
    return ", ".join(parts)
