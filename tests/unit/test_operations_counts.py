"""Counting what goes into the ledger: closed words alone, and a number of series known beforehand."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.ledger import LedgerWriter, open_ledger
from bot.operations import CountingLedger, Operations
from bot.operations.counts import Counter, Counts, Histogram
from bot.operations.exposition import exposition, registry_of
from bot.operations.operations import FIGURES
from bot.operations.vocabulary import OTHER, TURNED_AWAY, with_other
from handlers.ports import AlreadyRecordedError, Entry, Json, Kind, LedgerUnavailableError, Recorded
from knowledge.model import load as load_model

# The series that are there before anything happens, and how many there can ever be beside those of the process.
MOST_SERIES = 500
ASKER: dict[str, Json] = {"via": "slash_command", "user": "U0FELLOW01", "channel": "C0TUMOURBD", "team": "T0TARLADEV"}
FOREIGN = ("U0FELLOW01", "Smith", "ldh 487", "487", "C0TUMOURBD", 'a"b', "a\nb", "", None, 487, ["E_GUEST"])


def text_of(operations: Operations) -> str:
    """What Prometheus reads."""
    body, _ = exposition(registry_of(operations), "")
    return body.decode()


def test_an_unknown_word_is_other() -> None:
    counter = Counter("tarla_test", "A test", {"code": frozenset({"E_GUEST"}), "door": frozenset({"home"})})
    for word in FOREIGN:
        counter.add(word, "home")
        counter.add("E_GUEST", word)
    assert dict(counter.series()) == {
        ("E_GUEST", "home"): 0,
        (OTHER, "home"): len(FOREIGN),
        ("E_GUEST", OTHER): len(FOREIGN),
        (OTHER, OTHER): 0,
    }


def test_durations_fall_into_buckets() -> None:
    histogram = Histogram("tarla_test", "A test", (0.1, 1.0), "way", frozenset({"http"}))
    for seconds in (0.05, 0.1, 0.10001, 1.0, 1.5, -3.0):
        histogram.observe(seconds, "http")
    histogram.observe(0.2, "U0FELLOW01")
    assert list(histogram.series()) == [
        ("http", [3, 2, 1], pytest.approx(2.75001)),
        (OTHER, [0, 1, 0], pytest.approx(0.2)),
    ]


class FakeWriter:
    """A writer whose ledger says what it is told to say."""

    def __init__(self, *outcomes: Recorded | Exception) -> None:
        self.outcomes = list(outcomes)

    async def record(self, _entry: Entry) -> Recorded:
        """The next outcome."""
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


DONE = Recorded(1, "2026-11-24T12:00:00.000000Z", b"\x00" * 32)


def counting(*outcomes: Recorded | Exception) -> tuple[CountingLedger, Counts]:
    """A counting ledger before a writer of those outcomes; each record takes 20 ms."""
    counts, moments = Counts(), iter(range(0, 10_000, 20))
    writer: LedgerWriter = FakeWriter(*outcomes)  # type: ignore[assignment]  # only what is counted is faked
    return CountingLedger(writer, counts, lambda: next(moments) / 1000), counts


async def test_requests_are_counted_by_door_and_outcome() -> None:
    ledger, counts = counting(DONE, DONE, DONE, DONE)
    await ledger.record(Entry("a", Kind.COMPUTED, {"asker": ASKER}))
    await ledger.record(Entry("b", Kind.REFUSED, {"asker": ASKER, "reason": "E_NO_ULN"}))
    await ledger.record(Entry("c", Kind.REFUSED, {"asker": {"via": "U0FELLOW01"}, "reason": "Smith"}))
    await ledger.record(Entry("d", Kind.LOOKED_UP, {}))
    assert counts.requests.value("slash_command", "computed") == 1
    assert counts.requests.value("slash_command", "refused") == 1
    assert counts.requests.value(OTHER, "refused") == 1
    assert counts.requests.value(OTHER, "looked_up") == 1
    assert counts.refusals.value("E_NO_ULN") == 1
    assert counts.refusals.value(OTHER) == 1
    assert counts.ledger_events.value("refused") == 2
    ((outcome, buckets, total),) = counts.record_seconds.series()
    assert (outcome, sum(buckets), total) == ("durable", 4, pytest.approx(4 * 0.02))


async def test_a_repeated_request_and_one_that_is_not_recorded_are_told_apart() -> None:
    ledger, counts = counting(AlreadyRecordedError(DONE), LedgerUnavailableError("disk_full"))
    with pytest.raises(AlreadyRecordedError):
        await ledger.record(Entry("a", Kind.COMPUTED, {"asker": ASKER}))
    with pytest.raises(LedgerUnavailableError):
        await ledger.record(Entry("b", Kind.COMPUTED, {"asker": ASKER}))
    assert counts.requests.value("slash_command", "repeated") == 1
    assert counts.requests.value("slash_command", "not_shown") == 1
    assert counts.requests.value("slash_command", "computed") == 0
    assert counts.ledger_errors.value("disk_full") == 1
    assert counts.ledger_events.value("computed") == 0


async def test_the_log_tells_when_the_ledger_fails_and_when_that_is_over(caplog: pytest.LogCaptureFixture) -> None:
    full, locked = LedgerUnavailableError("disk_full"), LedgerUnavailableError("locked")
    ledger, _ = counting(DONE, full, full, locked, DONE, DONE, LedgerUnavailableError("closed"))
    for _ in range(7):
        with contextlib.suppress(LedgerUnavailableError):
            await ledger.record(Entry("a", Kind.COMPUTED, {}))
    assert [(record.levelname, record.getMessage(), getattr(record, "code", None)) for record in caplog.records] == [
        ("ERROR", "the ledger cannot be written (disk_full): no risk is shown", "disk_full"),
        ("ERROR", "the ledger cannot be written (locked): no risk is shown", "locked"),
        ("WARNING", "the ledger can be written again", None),
    ]


async def test_deliveries_are_no_requests_and_are_counted_by_reason() -> None:
    ledger, counts = counting(DONE, DONE, DONE)
    await ledger.record(Entry("a", Kind.DELIVERED, {"via": "http", "milliseconds": 250}, ref=1))
    await ledger.record(
        Entry("b", Kind.DELIVERY_FAILED, {"via": "socket", "milliseconds": 3100, "reason": "late"}, ref=1)
    )
    await ledger.record(Entry("c", Kind.DELIVERY_FAILED, {"via": "C0TUMOURBD", "reason": "Smith is ill"}, ref=1))
    assert counts.deliveries.value("delivered") == 1
    assert counts.deliveries.value("failed") == 2
    assert counts.delivery_failures.value("late") == 1
    assert counts.delivery_failures.value(OTHER) == 1
    assert [(way, sum(buckets), total) for way, buckets, total in counts.answer_seconds.series()] == [
        ("http", 1, 0.25),
        ("socket", 1, 3.1),
    ]
    assert sum(count for _, count in counts.requests.series()) == 0


async def test_on_a_real_ledger_events_are_those_in_it(tmp_path: Path) -> None:
    counts, clock = Counts(), SystemClock()
    ledger = CountingLedger(open_ledger(tmp_path / "ledger.db", clock=clock), counts, clock.monotonic)
    for key in ("a", "b"):
        await ledger.record(Entry(key, Kind.COMPUTED, {"asker": ASKER}))
    assert ledger.status().ok
    assert ledger.status().recorded == counts.ledger_events.value("computed") == 2
    assert ledger.writer.queue_length() == 0
    await ledger.aclose()
    with pytest.raises(LedgerUnavailableError):
        await ledger.record(Entry("c", Kind.COMPUTED, {}))
    assert counts.ledger_errors.value("closed") == 1


def everything_at_once() -> Operations:
    """Operations in which every figure is known and every label has had foreign words."""
    operations = Operations("0.1.0", load_model)
    for name in FIGURES:
        operations.measure(name, lambda: 1.0)
    for reason in TURNED_AWAY:
        operations.count_turned_away(reason, lambda: 2)
    for counter in operations.counts.counters:
        for word in FOREIGN:
            counter.add(*[word] * len(counter.labels))
    for histogram in operations.counts.histograms:
        for word in (*FOREIGN, *with_other(histogram._listed)):
            histogram.observe(0.1, word)
    return operations


def test_no_label_holds_an_id_or_a_value_and_the_series_are_bounded() -> None:
    text = text_of(everything_at_once())
    for foreign in ("U0FELLOW01", "Smith", "487", "C0TUMOURBD", "\\n", '\\"'):
        assert foreign not in text
    series = [line for line in text.splitlines() if line.startswith("tarla_")]
    assert len(series) == len({line.rpartition(" ")[0] for line in series})
    assert len(series) <= MOST_SERIES


def test_every_series_is_there_from_the_start() -> None:
    """A rate can only be taken of a series that was 0 before it was 1."""
    text = text_of(Operations("0.1.0", load_model))
    for line in (
        'tarla_requests_total{door="slash_command",outcome="computed"} 0.0',
        'tarla_delivery_failures_total{reason="late"} 0.0',
        'tarla_refusals_total{code="E_NO_ULN"} 0.0',
        'tarla_ledger_errors_total{code="disk_full"} 0.0',
    ):
        assert line in text.splitlines()


def test_what_is_not_known_is_not_shown() -> None:
    operations = Operations("0.1.0", load_model)
    operations.measure("tarla_checkpoint_size", lambda: None)
    operations.measure("tarla_checkpoint_age_seconds", lambda: 1 / 0)
    operations.measure("tarla_slack_connections", lambda: 2)
    text = text_of(operations)
    assert "tarla_checkpoint" not in text
    assert "tarla_slack_connections 2.0" in text


def test_many_applications_share_nothing() -> None:
    first, second = Operations("0.1.0", load_model), Operations("0.1.0", load_model)
    first.counts.refusals.add("E_GUEST")
    assert 'tarla_refusals_total{code="E_GUEST"} 1.0' in text_of(first)
    assert 'tarla_refusals_total{code="E_GUEST"} 0.0' in text_of(second)


def test_only_known_figures_and_reasons_can_be_added() -> None:
    operations = Operations("0.1.0", load_model)
    with pytest.raises(ValueError, match="unknown figure"):
        operations.measure("tarla_patient_487", lambda: 1)
    with pytest.raises(ValueError, match="unknown reason"):
        operations.count_turned_away("Smith", lambda: 1)
