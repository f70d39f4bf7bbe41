"""The ledger under real faults: locks, full and read-only disks, lost files, killed processes.

After each of them: what was acknowledged is there, what was refused is not.
"""

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.ledger import LedgerFault, LedgerWriter, check_ledger, open_ledger, read_events, writer
from bot.ledger.store import Store, prepare
from handlers.ports import Entry, Kind, LedgerUnavailableError, Recorded

ROOT = Path(__file__).parents[2]
SLACK_LIMIT_WITH_ROOM_S = 2.5


def entry(key: str, text: str = "") -> Entry:
    return Entry(key, Kind.COMPUTED, {"risk": "0.5", "text": text})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[LedgerWriter]:
    with closing(open_ledger(path, clock=SystemClock())) as ledger:
        assert ledger.status().ok
        yield ledger


def code_of(ledger: LedgerWriter, key: str = "refused", text: str = "") -> str:
    with pytest.raises(LedgerUnavailableError) as failure:
        ledger.record_blocking(entry(key, text))
    assert "0.5" not in str(failure.value)
    assert failure.value.__cause__ is None  # SQLite's own message is not carried along
    assert not ledger.status().ok
    return failure.value.code


def keys(path: Path) -> list[str]:
    return [event.idem_key for event in read_events(path)]


@contextmanager
def child(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that has said ``ready``; killed at the end if it still runs."""
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


LOCK_3_S = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("ready", flush=True)
time.sleep(3)
"""


async def test_lock_held_by_another_process_gives_a_timely_refusal(ledger: LedgerWriter, path: Path) -> None:
    await ledger.record(entry("before"))

    async def timed(key: str, delay: float) -> tuple[str, float]:
        await asyncio.sleep(delay)
        began = time.monotonic()
        with pytest.raises(LedgerUnavailableError) as failure:
            await ledger.record(entry(key))
        return failure.value.code, time.monotonic() - began

    with child(LOCK_3_S, str(path)) as process:
        refused = await asyncio.gather(*(timed(f"k{delay}", delay) for delay in (0, 0.1, 0.2)))
        assert process.poll() is None  # it was locked all the while
    assert {code for code, _ in refused} <= {"locked", "timeout"}
    assert max(seconds for _, seconds in refused) < SLACK_LIMIT_WITH_ROOM_S
    assert (await ledger.record(entry("after"))).seq == 2
    assert keys(path) == ["before", "after"]


def test_commit_kept_waiting_by_a_reader_is_rolled_back(ledger: LedgerWriter, path: Path) -> None:
    ledger.record_blocking(entry("before"))
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM event").fetchall()
        began = time.monotonic()
        assert code_of(ledger) == "locked"
        assert time.monotonic() - began < SLACK_LIMIT_WITH_ROOM_S
        reader.execute("COMMIT")
    assert ledger.record_blocking(entry("after")).seq == 2
    assert keys(path) == ["before", "after"]


def test_lock_at_the_start_is_waited_for_or_reported(path: Path, ledger: LedgerWriter) -> None:
    ledger.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with closing(open_ledger(path, clock=SystemClock())) as second:
            assert second.status().code == "locked"
            other.execute("ROLLBACK")
            assert second.record_blocking(entry("a")).seq == 1


def test_path_below_a_regular_file_and_recovery(tmp_path: Path) -> None:
    obstacle = tmp_path / "file"
    obstacle.write_text("in the way")
    path = obstacle / "ledger.db"
    with closing(open_ledger(path, clock=SystemClock())) as ledger:
        assert ledger.status().code == "cannot_open"
        assert code_of(ledger) == "cannot_open"
        obstacle.unlink()
        assert ledger.record_blocking(entry("a")).seq == 1
        assert ledger.status().ok
    assert keys(path) == ["a"]


def test_idle_writer_notices_recovery_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "IDLE_CHECK_S", 0.05)
    obstacle = tmp_path / "file"
    obstacle.write_text("in the way")
    with closing(open_ledger(obstacle / "ledger.db", clock=SystemClock())) as ledger:
        assert not ledger.status().ok
        obstacle.unlink()
        wait_for(lambda: ledger.status().ok)
        (obstacle / "ledger.db").rename(tmp_path / "gone")
        wait_for(lambda: ledger.status().code == "cannot_open")


def wait_for(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


@contextmanager
def tmpfs(folder: Path, options: str) -> Iterator[None]:
    """A small file system of its own, where this process may mount one."""
    mount = shutil.which("mount")
    folder.mkdir()
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("mounting a file system is not permitted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def remount(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)


def fill(ballast: Path) -> None:
    """Take all the space that is left."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    assert os.statvfs(ballast).f_bavail == 0


def test_read_only_file_system(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    with tmpfs(folder, "size=1m"):
        path = folder / "ledger.db"
        with closing(open_ledger(path, clock=SystemClock())) as ledger:
            ledger.record_blocking(entry("before"))
        remount(folder, "ro")
        with closing(open_ledger(path, clock=SystemClock())) as ledger:
            assert ledger.status().code == "read_only"
            assert code_of(ledger) == "read_only"
            assert check_ledger(path).events == 1  # reading goes on
            remount(folder, "rw")
            assert ledger.record_blocking(entry("after")).seq == 2
        remount(folder, "ro")
        with closing(open_ledger(folder / "new.db", clock=SystemClock())) as ledger:
            assert ledger.status().code == "read_only"


def test_full_file_system(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    with tmpfs(folder, "size=256k"):
        path, ballast = folder / "ledger.db", folder / "ballast"
        with closing(open_ledger(path, clock=SystemClock())) as ledger:
            ledger.record_blocking(entry("before"))
            fill(ballast)
            assert code_of(ledger, text="x" * 20_000) == "disk_full"
            assert keys(path) == ["before"]
            assert check_ledger(path).ok
            ballast.unlink()
            assert ledger.record_blocking(entry("after", "x" * 20_000)).seq == 2
        assert check_ledger(path).events == 2


def test_cold_start_on_a_full_file_system(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    with tmpfs(folder, "size=64k"):
        ballast = folder / "ballast"
        fill(ballast)
        with closing(open_ledger(folder / "ledger.db", clock=SystemClock())) as ledger:
            assert ledger.status().code == "disk_full"
            ballast.unlink()
            assert ledger.record_blocking(entry("a")).seq == 1


def test_limit_of_pages_leaves_no_part_of_the_batch(path: Path) -> None:
    """The portable case of a full disk: SQLite's own ceiling on the file's size."""
    store = Store(path, SystemClock())
    soon = time.monotonic() + 60
    store.append([prepare(entry("before"))], soon)
    connection = store._connection
    assert connection is not None
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LedgerFault, match="disk_full: SQLITE_FULL"):
        store.append([prepare(entry(f"k{i}", "x" * 5_000)) for i in range(3)], soon)
    (after,) = store.append([prepare(entry("after"))], soon)  # on a new connection
    assert isinstance(after, Recorded)
    assert after.seq == 2
    store.close()
    assert keys(path) == ["before", "after"]


def test_file_deleted_while_running_is_missed_not_replaced(ledger: LedgerWriter, path: Path) -> None:
    ledger.record_blocking(entry("before"))
    path.unlink()
    assert code_of(ledger) == "cannot_open"
    assert not path.exists()
    path.touch()
    assert code_of(ledger) == "damaged"  # an empty file would begin again at 1
    assert path.stat().st_size == 0


def test_file_moved_away_and_back(ledger: LedgerWriter, path: Path, tmp_path: Path) -> None:
    ledger.record_blocking(entry("before"))
    path.rename(tmp_path / "away")
    assert code_of(ledger) == "cannot_open"
    (tmp_path / "away").rename(path)
    assert ledger.record_blocking(entry("after")).seq == 2
    assert keys(path) == ["before", "after"]


@pytest.mark.parametrize("moment", [1, 2])
def test_file_moved_away_within_a_transaction(path: Path, tmp_path: Path, moment: int) -> None:
    """The first time before SQLite opens its journal, which notices; the second time after it."""

    class MovingClock(SystemClock):
        looks = 0

        def now(self) -> datetime:
            self.looks += 1
            if self.looks == moment:
                path.rename(tmp_path / "away")
            return super().now()

    store = Store(path, MovingClock())
    with pytest.raises(LedgerFault, match="cannot_open"):
        store.append([prepare(entry("a")), prepare(entry("b"))], time.monotonic() + 2)
    assert not path.exists()


def test_equal_copy_put_in_place_is_taken_up(ledger: LedgerWriter, path: Path, tmp_path: Path) -> None:
    ledger.record_blocking(entry("before"))
    shutil.copy(path, tmp_path / "copy")
    (tmp_path / "copy").replace(path)
    assert ledger.record_blocking(entry("after")).seq == 2
    assert keys(path) == ["before", "after"]


def test_older_copy_put_in_place_is_refused(ledger: LedgerWriter, path: Path, tmp_path: Path) -> None:
    ledger.record_blocking(entry("one"))
    shutil.copy(path, tmp_path / "older")
    ledger.record_blocking(entry("two"))
    (tmp_path / "older").replace(path)
    assert code_of(ledger) == "damaged"
    assert keys(path) == ["one"]


def test_write_cut_off_is_undone_by_the_writer_and_named_by_the_reader(
    ledger: LedgerWriter, path: Path, tmp_path: Path
) -> None:
    ledger.record_blocking(entry("before"))
    ledger.close()
    crashed = tmp_path / "crashed.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = 5")
        connection.execute("PRAGMA cache_spill = 5")
        connection.execute("BEGIN")
        for seq in range(2, 300):  # more than the cache holds: the file changes before the commit
            connection.execute(
                "INSERT INTO event SELECT ?, 'k' || ?, kind, ref, time, payload_hash, leaf FROM event WHERE seq = 1",
                (seq, seq),
            )
        shutil.copy(path, crashed)
        shutil.copy(f"{path}-journal", f"{crashed}-journal")
        connection.execute("ROLLBACK")
    with pytest.raises(LedgerUnavailableError, match="read_only: a write was cut off"):
        check_ledger(crashed)
    with closing(open_ledger(crashed, clock=SystemClock())) as again:
        assert again.record_blocking(entry("after")).seq == 2
    assert keys(crashed) == ["before", "after"]
    assert check_ledger(crashed).ok


WRITE_FOREVER = """
import os, sys, threading, time
from datetime import UTC, datetime
from pathlib import Path
from bot.ledger import open_ledger
from handlers.ports import Entry, Kind
class Clock:
    def now(self): return datetime.now(UTC)
    def monotonic(self): return time.monotonic()
ledger = open_ledger(Path(sys.argv[1]), clock=Clock())
def write(name):
    for i in range(int(sys.argv[3])):
        recorded = ledger.record_blocking(Entry(f"{sys.argv[2]}-{name}-{i}", Kind.COMPUTED, {"i": i, "x": "y" * 300}))
        os.write(1, f"{recorded.seq} {recorded.leaf.hex()}\\n".encode())  # whole lines, unbuffered
print("ready", flush=True)
threads = [threading.Thread(target=write, args=(name,), daemon=True) for name in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
ledger.close()
"""


def test_killed_writer_loses_nothing_that_it_acknowledged(path: Path) -> None:
    chance = random.Random(1284)  # noqa: S311 - moments of death, not secrets
    acknowledged: dict[int, str] = {}
    for life in range(10):
        with child(WRITE_FOREVER, str(path), f"life{life}", "100000") as process:
            assert process.stdout is not None
            # So many first, however slow the disk is today; then at any moment of the next.
            said = "".join(process.stdout.readline() for _ in range(chance.randrange(12)))
            time.sleep(chance.uniform(0, 0.03))
            process.kill()
            lines = (said + process.stdout.read()).split("\n")[:-1]  # the last may be cut
        for line in lines:
            seq, leaf = line.split()
            assert int(seq) not in acknowledged
            acknowledged[int(seq)] = leaf
    with closing(open_ledger(path, clock=SystemClock())) as ledger:  # undoes what the last kill cut off
        ledger.record_blocking(entry("end"))
    found = check_ledger(path)
    assert found.ok
    assert len(acknowledged) > 20
    stored = {event.seq: event.leaf.hex() for event in read_events(path)}
    assert acknowledged.items() <= stored.items()


def test_two_processes_with_four_threads_each_write_one_sequence(path: Path) -> None:
    each = 40
    with (
        child(WRITE_FOREVER, str(path), "one", str(each)) as one,
        child(WRITE_FOREVER, str(path), "two", str(each)) as two,
    ):
        said = [process.communicate(timeout=25)[0].split() for process in (one, two)]
        assert (one.returncode, two.returncode) == (0, 0)
    numbers = [int(seq) for output in said for seq in output[::2]]
    assert sorted(numbers) == list(range(1, 2 * 4 * each + 1))
    found = check_ledger(path)
    assert (found.ok, found.events) == (True, 2 * 4 * each)
    assert len({key.split("-")[0] for key in keys(path)}) == 2


def test_secrets_and_payload_stay_out_of_every_message(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    canary = "Mrs Canary 4807"
    with closing(open_ledger(tmp_path / "ledger.db", clock=SystemClock())) as ledger:
        ledger.record_blocking(Entry("a", Kind.COMPUTED, {"note": canary}))
        stored = next(read_events(tmp_path / "ledger.db"))
        (tmp_path / "ledger.db").unlink()
        with pytest.raises(LedgerUnavailableError) as failure:
            ledger.record_blocking(Entry("b", Kind.COMPUTED, {"note": canary}))
        shown = [repr(failure.value), str(failure.value), repr(stored), repr(ledger.status()), caplog.text]
    prepared = prepare(Entry("c", Kind.COMPUTED, {"note": canary}))
    assert not [text for text in [*shown, repr(prepared)] if canary in text]
