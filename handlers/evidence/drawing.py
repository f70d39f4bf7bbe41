"""A page of a topic as blocks and as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from handlers.blockkit import Block, context, escape, section
from handlers.evidence.citation import citation
from handlers.evidence.contents import conflicts_on, gaps_on, records_on
from handlers.evidence.groups import Piece
from handlers.evidence.markup import MRKDWN, PLAIN, Markup
from handlers.evidence.pages import Page
from handlers.evidence.topics import Topic, title
from knowledge.evidence import Association, Evidence
from knowledge.evidence.days import add_months
from knowledge.evidence.marks import REVIEW_MONTHS

# A context element with more is folded or hard to read.
CITATIONS_TOGETHER = 1_800
# Slack's limit for a fallback text is 4,000 characters after escaping; the rest is for where to read on.
FALLBACK_TARGET = 3_700
LEGEND = (
    "Figures stand as printed; what is called derived is arithmetic on them. Rates with different definitions or time "
    "windows are not to be compared."
)


def page_blocks(evidence: Evidence, topic: Topic, page: Page, today: str, *, commands: bool = True) -> list[Block]:
    """A page as Slack draws it; ``commands`` says how to read on by typing, which a modal does with buttons."""
    m = MRKDWN
    blocks = [whole(gist(evidence, topic, page, today, m))]
    blocks += piece_blocks(page.pieces)
    blocks += citation_blocks(evidence, page.sources)
    blocks.append(context("\n".join(foot(topic, page, m, commands=commands))))
    return blocks


def piece_blocks(pieces: Sequence[Piece]) -> Iterator[Block]:
    """A section for each piece; the first of each part of the topic has its heading above it, in the same block."""
    heading = ""
    for piece in pieces:
        if piece.heading == heading:
            yield whole(piece.mrkdwn)
        else:
            heading = piece.heading
            yield {"type": "divider"}
            yield whole(f"{MRKDWN.bold(heading.upper())}\n\n{piece.mrkdwn}")


def whole(mrkdwn: str) -> Block:
    """A section that Slack does not fold."""
    return {**section(mrkdwn), "expand": True}


def citation_blocks(evidence: Evidence, names: Sequence[str]) -> list[Block]:
    """The full citations, in small print."""
    if not names:
        return []
    texts = ["*Sources*"]
    for name in names:
        text = "• " + citation(evidence.source(name), MRKDWN)
        if len(texts[-1]) + len(text) > CITATIONS_TOGETHER:
            texts.append(text)
        else:
            texts[-1] += f"\n{text}"
    return [{"type": "divider"}, *(context(text) for text in texts)]


def gist(evidence: Evidence, topic: Topic, page: Page, today: str, m: Markup) -> str:
    """Two lines: what the topic is about, and how much there is and how old."""
    place = f" · page {page.number} of {page.of}" if page.of > 1 else ""
    lines = [f"{m.bold(title(evidence, topic))} {m.name(topic.id)}{m.text(place)}"]
    if page.number == 1:
        lines += [m.text(topic.about), m.text(tally(evidence, topic))]
    lines.append(age(evidence, today, m))
    return "\n".join(lines)


def tally(evidence: Evidence, topic: Topic) -> str:
    """How many entries there are, how many of them second-hand, and which way the links point."""
    if topic.id == "sources":
        read = sum(source.primary for source in evidence.sources.values())
        return f"{len(evidence.sources)} sources: {read} read, {len(evidence.sources) - read} known second-hand only."
    parts = []
    if records := records_on(evidence, topic):
        sources = {record.source for record in records}
        second_hand = sum(not evidence.is_primary(record) for record in records)
        origin = f"{len(records)} entries from {len(sources)} source{'s' * (len(sources) > 1)}"
        parts.append(f"{origin}, {second_hand} of them second-hand")
        links = [record for record in records if isinstance(record, Association)]
        if links:
            named = (("higher", "higher"), ("lower", "lower"), ("none", "no link"), ("unclear", "unclear"))
            counts = [(sum(link.direction == value for link in links), word) for value, word in named]
            parts.append("links: " + ", ".join(f"{count} {word}" for count, word in counts if count))
    conflicts, gaps = len(conflicts_on(evidence, topic)), len(gaps_on(evidence, topic))
    parts += [f"{conflicts} conflict{'s' * (conflicts > 1)}"] if conflicts else []
    parts += [f"{gaps} gap{'s' * (gaps > 1)}"] if gaps else []
    return f"{'; '.join(parts)}."


def age(evidence: Evidence, today: str, m: Markup) -> str:
    """When the evidence was compiled, how long ago, and when it is due for review."""
    days = (date.fromisoformat(today) - date.fromisoformat(evidence.compiled)).days
    due = add_months(evidence.compiled, REVIEW_MONTHS)
    ago = f" ({days} day{'s' * (days != 1)} ago)" if days >= 0 else ""
    late = f" · {m.bold('past review date')}" if today > due else ""
    return m.text(f"Compiled {evidence.compiled}{ago}, review due {due}") + late


def foot(topic: Topic, page: Page, m: Markup, *, commands: bool) -> Iterator[str]:
    """The legend, and how to read on."""
    yield m.text(LEGEND)
    if not commands:
        return
    parts = []
    if page.number < page.of:
        parts.append(m.text(f"page {page.number} of {page.of} · more: ") + m.command(command(topic, page.number + 1)))
    elif page.of > 1:
        parts.append(m.text(f"page {page.number} of {page.of} · from the start: ") + m.command(command(topic)))
    parts.append(m.text("one entry whole: ") + m.command("/tarla evidence") + m.text(" and its id"))
    yield " · ".join(parts)


def command(topic: Topic, page: int = 1) -> str:
    """What to type for a page of a topic."""
    return f"/tarla evidence {topic.id}" + (f" {page}" if page > 1 else "")


def page_text(evidence: Evidence, topic: Topic, page: Page, today: str) -> str:
    """A page for notifications and screen readers: gist, entries as far as they fit, where to read on."""
    lines = gist(evidence, topic, page, today, PLAIN).split("\n")
    text = fitting([*lines, *plain_lines(page.pieces)], "The rest of this page stands in the message itself.")
    return f"{text}\nRead on with {command(topic, page.number + 1)}" if page.number < page.of else text


def fitting(lines: Sequence[str], otherwise: str) -> str:
    """Lines as one fallback text; where Slack would refuse all of them the first ones, and then ``otherwise``."""
    length = 0
    for number, line in enumerate(lines):
        length += len(escape(line)) + 1
        if length > FALLBACK_TARGET:
            return "\n".join([*lines[:number], otherwise])
    return "\n".join(lines)


def whole_text(evidence: Evidence, topic: Topic, pages: Sequence[Page], today: str) -> str:
    """These pages of a topic as plain lines, with the citations at the end; for a terminal."""
    lines = gist(evidence, topic, Page(1, 1, ()), today, PLAIN).split("\n")
    lines += plain_lines([piece for page in pages for piece in page.pieces], apart=[""])
    if names := dict.fromkeys(name for page in pages for name in page.sources):
        lines += ["", "Sources:", "", *(f"• {citation(evidence.source(name), PLAIN)}" for name in names)]
    return "\n".join([*lines, "", LEGEND])


def plain_lines(pieces: Sequence[Piece], apart: Sequence[str] = ()) -> Iterator[str]:
    """The lines of pieces, each part of the topic under its heading; ``apart`` goes between pieces."""
    heading = ""
    for piece in pieces:
        if piece.heading != heading:
            heading = piece.heading
            yield from (*apart, f"{heading}:")
        yield from (*apart, *piece.plain.split("\n"))
