"""Dividing a topic into pages that Slack takes and a person reads; nothing is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from handlers.evidence.citation import citation
from handlers.evidence.groups import Piece
from handlers.evidence.markup import MRKDWN
from knowledge.evidence import Evidence

# Slack refuses a posted message whose texts come to about 12,000 characters together (slackapi/bolt-js issues 2509
# and 2867), though only the limits of single blocks are in its reference. Title, gist and small print need the rest.
PAGE_TEXT_MAX = 8_500


@dataclass(frozen=True)
class Page:
    """One page: its pieces in order and the sources they cite, by id, in the order of first use."""

    number: int
    of: int
    pieces: tuple[Piece, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources to cite under the page."""
        return tuple(dict.fromkeys(name for piece in self.pieces for name in piece.sources))

    @property
    def records(self) -> tuple[str, ...]:
        """The ids of everything quoted on the page, sources last."""
        quoted = (name for piece in self.pieces for name in piece.records)
        return tuple(dict.fromkeys((*quoted, *self.sources)))


def paged(evidence: Evidence, pieces: Iterable[Piece]) -> tuple[Page, ...]:
    """The pieces on as few pages as keep within the limit, in order; at least one page."""
    divided = tuple(_divided(evidence, tuple(pieces)))
    return tuple(Page(number, len(divided), part) for number, part in enumerate(divided, start=1))


def _divided(evidence: Evidence, pieces: Sequence[Piece]) -> Iterator[tuple[Piece, ...]]:
    page: list[Piece] = []
    cited: set[str] = set()
    length = 0
    for piece in pieces:
        more = _cost(evidence, piece, cited)
        if page and length + more > PAGE_TEXT_MAX:
            yield tuple(page)
            page, cited, length = [], set(), 0
            more = _cost(evidence, piece, cited)
        page.append(piece)
        cited |= set(piece.sources)
        length += more
    yield tuple(page)


def _cost(evidence: Evidence, piece: Piece, cited: set[str]) -> int:
    citations = sum(len(citation(evidence.source(name), MRKDWN)) for name in piece.sources if name not in cited)
    return len(piece.mrkdwn) + citations
