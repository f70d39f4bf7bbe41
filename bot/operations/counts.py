"""Counters and histograms in plain Python: counting costs an answer next to nothing, and imports nothing.

They are used from the event loop alone. ``exposition`` turns them into Prometheus' format when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import product

from bot.operations import vocabulary as words

# Seconds. Slack waits 3 s, and an answer takes some hundredths.
ANSWER_BOUNDS_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 5.0, 10.0)
# A commit takes milliseconds, and is given up after 2 s.
RECORD_BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0)

DELIVERY_OUTCOMES = frozenset({"delivered", "failed"})
RECORD_OUTCOMES = frozenset({"durable", "failed"})


class Counter:
    """How often, by label values from closed lists. Every series is there from the start, at 0."""

    def __init__(self, name: str, help_: str, labels: Mapping[str, frozenset[str]]) -> None:
        self.name, self.help, self.labels = name, help_, tuple(labels)
        self._words = tuple(labels.values())
        self._counts = dict.fromkeys(product(*map(words.with_other, self._words)), 0)

    def add(self, *values: object) -> None:
        """Count once; a value that is not listed counts as ``other``."""
        self._counts[tuple(map(words.known, values, self._words))] += 1

    def series(self) -> Iterator[tuple[tuple[str, ...], int]]:
        """Label values and count."""
        yield from self._counts.items()

    def value(self, *values: str) -> int:
        """One count."""
        return self._counts[values]


class Histogram:
    """How long, in seconds, by one label from a closed list."""

    def __init__(self, name: str, help_: str, bounds: tuple[float, ...], label: str, listed: frozenset[str]) -> None:
        self.name, self.help, self.bounds, self.label = name, help_, bounds, label
        self._listed = listed
        self._counts = {word: [0] * (len(bounds) + 1) for word in words.with_other(listed)}
        self._sums = dict.fromkeys(self._counts, 0.0)

    def observe(self, seconds: float, value: object) -> None:
        """Note one duration; below 0 (a clock gone wrong) counts as 0."""
        word, seconds = words.known(value, self._listed), max(seconds, 0.0)
        self._counts[word][bisect_left(self.bounds, seconds)] += 1
        self._sums[word] += seconds

    def series(self) -> Iterator[tuple[str, list[int], float]]:
        """Label value, count in each bucket (the last one open above), sum; those never observed are left out."""
        for word, counts in self._counts.items():
            if any(counts):
                yield word, list(counts), self._sums[word]


class Counts:
    """All that is counted by seeing what goes into the ledger."""

    def __init__(self) -> None:
        self.requests = Counter(
            "tarla_requests",
            "Requests by the door they came through and what became of them",
            {"door": words.DOORS, "outcome": words.OUTCOMES},
        )
        self.refusals = Counter("tarla_refusals", "Refusals by code", {"code": words.REFUSALS})
        self.deliveries = Counter(
            "tarla_deliveries", "Replies sent to Slack, and those that were not", {"outcome": DELIVERY_OUTCOMES}
        )
        self.delivery_failures = Counter(
            "tarla_delivery_failures",
            "Replies that did not reach Slack in time, by reason",
            {"reason": words.DELIVERY_REASONS},
        )
        self.ledger_events = Counter("tarla_ledger_events", "Events made durable, by kind", {"kind": words.KINDS})
        self.ledger_errors = Counter(
            "tarla_ledger_errors", "Events that could not be made durable, by code", {"code": words.LEDGER_CODES}
        )
        self.answer_seconds = Histogram(
            "tarla_answer_seconds",
            "From having a request to having sent its reply, by the way it was sent",
            ANSWER_BOUNDS_S,
            "way",
            words.WAYS,
        )
        self.record_seconds = Histogram(
            "tarla_ledger_record_seconds",
            "From handing an event to the ledger to its being durable, waiting included",
            RECORD_BOUNDS_S,
            "outcome",
            RECORD_OUTCOMES,
        )

    @property
    def counters(self) -> tuple[Counter, ...]:
        """All counters."""
        return (
            self.requests,
            self.refusals,
            self.deliveries,
            self.delivery_failures,
            self.ledger_events,
            self.ledger_errors,
        )

    @property
    def histograms(self) -> tuple[Histogram, ...]:
        """All histograms."""
        return (self.answer_seconds, self.record_seconds)
