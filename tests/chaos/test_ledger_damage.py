"""A ledger file changed byte by byte: every change of what it says is found, by the check or by not being opened."""

from __future__ import annotations

import dataclasses
import random
import shutil
import sqlite3
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.audit.retention import cut_off
from bot.clock import SystemClock
from bot.ledger import StoredEvent, check_ledger, open_ledger, read_events
from bot.ledger.kinds import LedgerKind
from bot.ledger.leaf import timestamp
from bot.ledger.store import Store, prepare
from handlers.ports import Entry, LedgerUnavailableError, Recorded
from tests.support.aged_ledger import SetClock
from tests.support.chaos import rng, scale, tally
from tests.support.invariants import check_invariants, merkle_root
from tests.support.ledger_rows import answer_entry

EVENTS = 60


@dataclass(frozen=True)
class Made:
    """A sound ledger: its bytes, its events, and how its pages are laid out."""

    what: str
    data: bytes
    events: list[StoredEvent]
    page_size: int

    def pages(self) -> int:
        """How many pages the file has."""
        return len(self.data) // self.page_size


@pytest.fixture(scope="module", params=["whole", "pruned"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A ledger of answers; as it was written, or with the older payloads gone because their time was over."""
    path = tmp_path_factory.mktemp("made") / "ledger.db"
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        for number in range(EVENTS):
            writer.record_blocking(answer_entry(f"k{number}", number))
    if request.param == "pruned":
        prune(path, EVENTS // 2)
    assert check_ledger(path).ok
    with closing(sqlite3.connect(path)) as plain:
        (page_size,) = plain.execute("PRAGMA page_size").fetchone()
    return Made(request.param, path.read_bytes(), list(read_events(path)), page_size)


def prune(path: Path, last: int) -> None:
    """Let the payloads of the first ``last`` events go."""
    now = datetime.now(UTC) + timedelta(days=367)
    said = {"first": 1, "last": last, "before": timestamp(cut_off(now, 1)), "years": 1}
    with closing(Store(path, SetClock(now))) as store:
        prepared = prepare(Entry("prune", LedgerKind.PRUNED, said))  # type: ignore[arg-type]
        store.append([dataclasses.replace(prepared, pruned=(1, last))], time.monotonic() + 2)
    with closing(sqlite3.connect(path, isolation_level=None)) as plain:
        plain.execute("PRAGMA secure_delete = ON")
        plain.execute("DELETE FROM payload WHERE seq <= ?", (last,))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the damaged copy is put."""
    return tmp_path / "ledger.db"


def put(path: Path, data: bytes) -> None:
    """The file as it is after the damage, without what an earlier look may have left beside it."""
    for name in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)
    path.write_bytes(data)


def verdict(path: Path, made: Made) -> str:
    """``found`` by the check, ``refused`` as no ledger, or ``harmless``: then every event must read as it did."""
    try:
        found = check_ledger(path)
        if found.ok:
            assert found.events == len(made.events), "events are gone and the check is content"
            assert list(read_events(path)) == made.events, "an event reads differently and the check is content"
            return "harmless"
    except LedgerUnavailableError:
        return "refused"
    assert found.problem is not None
    return "found"


def after_one_more(path: Path, made: Made) -> str:
    """What a record does to a file whose damage is harmless to read.

    ``goes_on`` with every event as it was, ``takes_none``, or ``worse``: written into, an event is lost, and found.
    """
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        try:
            writer.record_blocking(answer_entry("after"))
        except LedgerUnavailableError:
            return "takes_none"
    if not check_ledger(path).ok:
        return "worse"
    assert check_invariants(path, {})[: len(made.events)] == made.events
    return "goes_on"


def live_spans(made: Made) -> list[tuple[int, int]]:
    """Where in the file the rows' bytes stand."""
    spans = []
    for event in made.events:
        body = b"" if event.body is None else event.body.encode()
        for part in filter(None, (event.payload_hash, event.leaf, event.salt, body, event.time.encode())):
            start = made.data.find(part)
            if start >= 0:  # else it is continued on another page
                spans.append((start, start + len(part)))
    assert len(spans) > 3 * EVENTS
    return spans


def test_every_flipped_bit_that_matters_is_found(made: Made, path: Path) -> None:
    chance, flips = rng("flips"), scale(30, 1_000)
    verdicts, then = Counter[str](), Counter[str]()
    for _ in range(flips):
        data = bytearray(made.data)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        put(path, bytes(data))
        word = verdict(path, made)
        verdicts[word] += 1
        if word == "harmless" and verdicts[word] % 5 == 0:
            then[after_one_more(path, made)] += 1
    assert verdicts.total() == flips
    assert verdicts["found"] > flips / 10
    tally(f"bits flipped anywhere, {made.what}", flips=flips, **verdicts, missed=0, **then)


def test_every_flipped_bit_of_a_row_is_found(made: Made, path: Path) -> None:
    chance, flips = rng("flips of rows"), scale(30, 1_000)
    spans = live_spans(made)
    verdicts = Counter[str]()
    for _ in range(flips):
        data = bytearray(made.data)
        data[chance.randrange(*chance.choice(spans))] ^= 1 << chance.randrange(8)
        put(path, bytes(data))
        verdicts[verdict(path, made)] += 1
    assert verdicts == {"found": flips}
    tally(f"bits of rows flipped, {made.what}", flips=flips, found=flips)


def test_every_flipped_bit_of_the_header_is_found_or_harmless(made: Made, path: Path) -> None:
    verdicts, then = Counter[str](), Counter[str]()
    step = scale(53, 1)
    for offset in range(0, 100 * 8, step):
        data = bytearray(made.data)
        data[offset // 8] ^= 1 << offset % 8
        put(path, bytes(data))
        word = verdict(path, made)
        verdicts[word] += 1
        if word == "harmless":
            then[after_one_more(path, made)] += 1
    tally(f"bits of the header flipped, {made.what}", flips=verdicts.total(), **verdicts, missed=0, **then)


def swapped(data: bytes, page_size: int, one: int, other: int) -> bytes:
    """The file with two of its pages (from 0) changed for each other."""
    pages = [data[start : start + page_size] for start in range(0, len(data), page_size)]
    pages[one], pages[other] = pages[other], pages[one]
    return b"".join(pages)


def spoilt(made: Made, chance: random.Random) -> bytes:
    """The file with one page swapped, doubled, blanked, filled with noise, or cut off the end."""
    size, (one, other) = made.page_size, chance.sample(range(made.pages()), 2)
    here, there = slice(one * size, (one + 1) * size), slice(other * size, (other + 1) * size)
    data = bytearray(made.data)
    how = chance.randrange(5)
    if how == 0:
        return swapped(made.data, size, one, other)
    if how == 1:
        data[here] = data[there]
    elif how == 2:
        data[here] = bytes(size)
    elif how == 3:
        data[here] = chance.randbytes(size)
    else:
        del data[chance.randrange(1, made.pages()) * size :]
    return bytes(data)


def test_every_spoilt_page_is_found(made: Made, path: Path) -> None:
    chance, wanted = rng("pages"), scale(20, 1_000)
    verdicts = Counter[str]()
    for _ in range(wanted):
        put(path, spoilt(made, chance))
        verdicts[verdict(path, made)] += 1
    tally(f"pages swapped, doubled, blanked, noisy or cut off, {made.what}", files=wanted, **verdicts, missed=0)
    assert verdicts["harmless"] <= wanted / 3  # unused pages, and an index that this reading does not go through


def test_older_file_in_its_place_is_found_by_the_running_writer_and_by_a_checkpoint(path: Path, tmp_path: Path) -> None:
    chance, wanted = rng("restored"), scale(3, 40)
    copies: list[Path] = []
    told: dict[str, Recorded] = {}
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        for number in range(wanted):
            told[f"k{number}"] = writer.record_blocking(answer_entry(f"k{number}", number))
            copies.append(Path(shutil.copyfile(path, tmp_path / f"copy-{number}.db")))
        leaves = [event.leaf for event in check_invariants(path, told)]
        checkpoint = (wanted, merkle_root(leaves))
        for _ in range(wanted):
            older = chance.choice(copies[:-1])
            if chance.random() < 0.5:
                shutil.copyfile(older, path)  # written over, as cp does
            else:
                Path(shutil.copyfile(older, tmp_path / "restored")).replace(path)  # put in its place, as rsync does
            with pytest.raises(LedgerUnavailableError, match="damaged"):
                writer.record_blocking(answer_entry("refused"))
            assert check_ledger(path).ok  # by itself it is a sound ledger
            with pytest.raises(AssertionError, match="I2"):
                check_invariants(path, {}, [checkpoint])
            with pytest.raises(AssertionError, match="I1"):
                check_invariants(path, told)
            shutil.copyfile(copies[-1], path)
        told["after"] = writer.record_blocking(answer_entry("after"))
    check_invariants(path, told, [checkpoint])
    tally("older file restored", times=wanted, found=wanted)
