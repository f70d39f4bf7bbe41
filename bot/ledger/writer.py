"""The ledger's writer: one thread that commits together whatever is waiting."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from bot.ledger.errors import LedgerFault
from bot.ledger.store import PreparedEntry, Store, prepare
from handlers.ports import Clock, Entry, LedgerUnavailableError, Recorded

# From the call to the verdict. Slack waits 3 s; sending the answer needs the rest.
RECORD_DEADLINE_S = 2.0
# An entry with less time left than this is not begun: it would fail its whole batch.
MIN_BUDGET_S = 0.1
# One transaction of this size takes about 50 ms, so that the next batch is not late.
MAX_BATCH = 500
# More than this would not be written within the deadline anyway.
MAX_WAITING = 5_000
# Rest between two transactions, longer than another process takes to ask for the lock
# again (connection.LOCK_POLL_S): without it the busiest process would keep the rest out.
REST_S = 0.002
# How often an idle writer looks whether its file is still there and writable.
IDLE_CHECK_S = 5.0
# What such a look may wait for a lock, as a record may be queued behind it.
PROBE_WAIT_S = 0.1
# A batch in hand is bounded by its deadline; so is one more behind it.
CLOSE_WAIT_S = 3 * RECORD_DEADLINE_S

Stored = Callable[[Entry], Entry]


@dataclass(frozen=True, slots=True)
class LedgerStatus:
    """How the last attempt went. ``code`` is that of LedgerUnavailableError, None when ok.

    ``commits`` and ``recorded`` count transactions and events since the start.
    """

    ok: bool
    code: str | None = None
    detail: str | None = None
    commits: int = 0
    recorded: int = 0


@dataclass(frozen=True, slots=True)
class _Job:
    """An entry and who waits for it.

    The future's own lock decides between thread and caller: either it is set
    running (the thread writes it) or cancelled (it is never written).
    """

    entry: PreparedEntry
    deadline: float
    future: Future[Recorded]


class LedgerWriter:
    """Implements ``handlers.ports.Ledger`` on SQLite. Make it with ``open_ledger``."""

    def __init__(self, path: Path, clock: Clock, stored: Stored | None = None) -> None:
        self._store = Store(path, clock)
        self._stored = stored
        self._gate = threading.Condition()
        self._waiting: deque[_Job] = deque()
        self._closing = False
        self._tried = threading.Event()
        self._rested_at = 0.0
        self._status = LedgerStatus(ok=False, code="cannot_open", detail="not yet opened")
        self._distrust: str | None = None
        self._thread = threading.Thread(target=self._run, name="tarla-ledger", daemon=True)

    def start(self, wait_s: float) -> None:
        """Start the thread and give it up to ``wait_s`` for its first try to open the file."""
        self._thread.start()
        self._tried.wait(wait_s)

    def status(self) -> LedgerStatus:
        """How things stand, without waiting; at most a few seconds old."""
        status, distrust = self._status, self._distrust
        return status if distrust is None else replace(status, ok=False, code="damaged", detail=distrust)

    def distrust(self, detail: str) -> None:
        """Record nothing more until ``trust``: the file is not the ledger that was vouched for. ``detail`` says why."""
        self._distrust = detail

    def trust(self) -> None:
        """The file is the ledger that was vouched for, after all or again."""
        self._distrust = None

    def last_recorded(self) -> Recorded | None:
        """The last event that this process recorded, whatever file stands in the ledger's place now."""
        return self._store.recorded

    def queue_length(self) -> int:
        """How many entries wait to be written; those being written are not among them."""
        return len(self._waiting)

    async def record(self, entry: Entry) -> Recorded:
        """Make the entry durable.

        A caller that is cancelled while its entry is being written may find it recorded.

        Raises:
            AlreadyRecordedError: its ``idem_key`` is in the ledger.
            LedgerUnavailableError: it is not durable and will not become so.
            EntryError: it can never be recorded (a mistake of the caller).
        """
        job = self._submit(entry)
        answer = asyncio.wrap_future(job.future)
        try:
            await asyncio.wait((answer,), timeout=RECORD_DEADLINE_S)
        except asyncio.CancelledError:
            answer.cancel()
            raise
        if job.future.cancel():
            raise LedgerUnavailableError("timeout")
        return await answer

    def record_blocking(self, entry: Entry) -> Recorded:
        """The same for code without an event loop."""
        job = self._submit(entry)
        try:
            return job.future.result(timeout=RECORD_DEADLINE_S)
        except TimeoutError:
            if job.future.cancel():
                raise LedgerUnavailableError("timeout") from None
            return job.future.result()
        finally:
            job.future.cancel()  # interrupted from the keyboard

    def close(self) -> None:
        """Write what is waiting, then end the thread. Later records fail with ``closed``."""
        with self._gate:
            self._closing = True
            self._gate.notify()
        self._thread.join(CLOSE_WAIT_S)

    async def aclose(self) -> None:
        """``close`` without holding up the event loop."""
        await asyncio.to_thread(self.close)

    def _submit(self, entry: Entry) -> _Job:
        job = _Job(
            prepare(self._stored(entry) if self._stored else entry), time.monotonic() + RECORD_DEADLINE_S, Future()
        )
        with self._gate:
            if self._closing:
                raise LedgerUnavailableError("closed")
            if len(self._waiting) >= MAX_WAITING:
                raise LedgerUnavailableError("timeout")
            self._waiting.append(job)
            self._gate.notify()
        return job

    def _run(self) -> None:
        self._look(time.monotonic() + RECORD_DEADLINE_S)
        self._tried.set()
        while (batch := self._take()) is not None:
            if batch:
                self._write(batch)
            else:
                self._look(time.monotonic() + PROBE_WAIT_S)
        self._store.close()
        self._settle("closed", "closed")

    def _take(self) -> list[_Job] | None:
        """What is waiting, up to a batch; empty when idle for a while, None at the end."""
        with self._gate:
            if not self._waiting and not self._closing:
                self._gate.wait(IDLE_CHECK_S)
            if not self._waiting:
                return None if self._closing else []
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]

    def _write(self, batch: Sequence[_Job]) -> None:
        time.sleep(max(0.0, self._rested_at - time.monotonic()))
        soon = time.monotonic() + MIN_BUDGET_S
        jobs = []
        for job in batch:
            if not job.future.set_running_or_notify_cancel():
                continue  # the caller has given up
            if job.deadline < soon:
                job.future.set_exception(LedgerUnavailableError("timeout"))
            else:
                jobs.append(job)
        if not jobs:
            return
        if (distrust := self._distrust) is not None:
            for job in jobs:
                job.future.set_exception(LedgerFault("damaged", distrust))
            return
        try:
            outcomes = self._store.append([job.entry for job in jobs], min(job.deadline for job in jobs))
        except LedgerFault as fault:
            self._settle(fault.code, fault.detail)
            for job in jobs:
                job.future.set_exception(LedgerFault(fault.code, fault.detail))
        except Exception as error:  # noqa: BLE001 - the thread outlives any mistake; every caller gets to see it
            self._settle("cannot_open", type(error).__name__)
            for job in jobs:
                job.future.set_exception(error)
        else:
            self._rested_at = time.monotonic() + REST_S
            self._settle(recorded=sum(isinstance(outcome, Recorded) for outcome in outcomes))
            for job, outcome in zip(jobs, outcomes, strict=True):
                if isinstance(outcome, Recorded):
                    job.future.set_result(outcome)
                else:
                    job.future.set_exception(outcome)

    def _look(self, deadline: float) -> None:
        """Keep the status true while nothing is recorded."""
        try:
            self._store.probe(deadline, rehearse=not self._status.ok)
        except LedgerFault as fault:
            self._settle(fault.code, fault.detail)
        except Exception as error:  # noqa: BLE001 - the thread outlives any mistake
            self._settle("cannot_open", type(error).__name__)
        else:
            self._settle()

    def _settle(self, code: str | None = None, detail: str | None = None, recorded: int = 0) -> None:
        before = self._status
        self._status = LedgerStatus(
            ok=code is None,
            code=code,
            detail=detail,
            commits=before.commits + bool(recorded),
            recorded=before.recorded + recorded,
        )


def open_ledger(path: Path, *, clock: Clock, stored: Stored | None = None) -> LedgerWriter:
    """Start the writer for the ledger at ``path``, which is created if there is none.

    ``stored`` gives each entry as it is to be recorded, where that differs from what is said.

    Returns after the first try to open it, at the latest after the record deadline.
    A file that cannot be opened is no error here: ``record`` and ``status`` report
    it, and each record tries again.
    """
    writer = LedgerWriter(path, clock, stored)
    writer.start(RECORD_DEADLINE_S)
    return writer
