"""What the ledger says of the process itself: that it began and ended, with what, and what was cut off before."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from bot.checkpoints.folder import CheckpointFolder
from bot.checkpoints.keeper import CheckpointKeeper
from bot.checkpoints.posting import post_checkpoint
from bot.compose import Tarla, code_version
from bot.ledger import LedgerWriter
from bot.ledger.kinds import LedgerKind
from bot.lifecycle.interrupted import Unanswered, scan_start, unanswered
from bot.models.activation import updated_with
from bot.models.recorded import last_activated, unasked
from bot.operations import CountingLedger
from bot.operations.parts import watch_checkpoints
from bot.settings import Settings
from handlers.ports import (
    AlreadyRecordedError,
    Clock,
    Entry,
    Json,
    LedgerUnavailableError,
    ModelInUse,
    Recorded,
    model_or_none,
)
from handlers.records import model_record
from knowledge.evidence import EvidenceError
from knowledge.evidence import load as load_evidence

# A request at a terminal is over within this; one in another bot may still be sent until Slack's thirty minutes end.
ALONE_S, TOGETHER_S = 5.0, 31 * 60.0
# After a start that failed to record itself, how long to the next attempt.
RETRY_S = 10.0
SERVING_SUFFIX = ".serving"

log = logging.getLogger("tarla.lifecycle")


@dataclass
class Lifecycle:
    """Begin and end of a serving process, beside everything else."""

    ledger: Path
    writer: LedgerWriter | CountingLedger
    clock: Clock
    keeper: CheckpointKeeper
    model: ModelInUse
    alone_s: float = ALONE_S
    together_s: float = TOGETHER_S
    _instance: str = field(default_factory=lambda: uuid.uuid4().hex)
    _started: Recorded | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _lock: int | None = None

    async def begin(self) -> None:
        """Before the first answer: look at the checkpoints. Everything else goes on beside the answers."""
        await self.keeper.begin()
        alone = self._take_place()
        self._tasks = [asyncio.create_task(self._record_start(alone))]

    async def end(self) -> None:
        """After the last answer: record the end, so that the last checkpoint covers it."""
        if not self._tasks:
            return
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.writer.status().ok:
            with contextlib.suppress(LedgerUnavailableError, AlreadyRecordedError):
                started = await self._start_recorded(versions(self.model))
                entry = Entry(f"stopped-{self._instance}", LedgerKind.STOPPED, {"version": 1}, ref=started.seq)
                await self.writer.record(entry)
        await self.keeper.finish()
        if self._lock is not None:
            os.close(self._lock)

    async def _record_start(self, alone: bool) -> None:
        began = self.clock.now()
        payload = versions(self.model)
        while self._started is None:
            try:
                self._started = await self._start_recorded(payload)
            except LedgerUnavailableError:
                self.keeper.start()  # it may be what finds the ledger in order again
                await asyncio.sleep(RETRY_S)
        self.keeper.start()
        with contextlib.suppress(LedgerUnavailableError, AlreadyRecordedError):
            await self._record_model(payload)
        await self._mark_interrupted(self._started, began, self.alone_s if alone else self.together_s)

    async def _start_recorded(self, payload: Mapping[str, Json]) -> Recorded:
        """The event ``started``, recorded now if it is not yet.

        Raises:
            LedgerUnavailableError: it is not recorded.
        """
        entry = Entry(f"started-{self._instance}", LedgerKind.STARTED, {"version": 1, **payload})
        try:
            return self._started or await self.writer.record(entry)
        except AlreadyRecordedError as error:  # by an attempt that was broken off before it saw its outcome
            return error.recorded

    async def _record_model(self, payload: Mapping[str, Json]) -> None:
        in_use = {name: payload[name] for name in ("program", "model", "evidence")}
        seq, before = await asyncio.to_thread(last_activated, self.ledger)
        if before != in_use:
            if (told := unasked(before, payload["model"])) is not None:
                log.warning("%s: tarla model list says what is kept, tarla model use changes it", told)
            # Processes that start together with the same new model record it once.
            said = {"version": 1, **in_use, **updated_with(model_or_none(self.model))}
            await self.writer.record(Entry(f"model-after-{seq}", LedgerKind.MODEL_ACTIVATED, said))

    async def _mark_interrupted(self, started: Recorded, began: datetime, settled_s: float) -> None:
        """Mark what was cut off before this start; what may yet be answered is looked at once more."""
        settled = timedelta(seconds=settled_s)
        marked, young = await self._mark(started.seq, began - settled, settled_s)
        if young:
            await asyncio.sleep(settled_s + 1)
            marked += (await self._mark(started.seq, None, settled_s))[0]
        if marked:
            log.warning("%d requests were cut off before this start: marked as interrupted", marked)

    async def _mark(self, before: int, settled: datetime | None, settled_s: float) -> tuple[int, int]:
        """Mark those recorded up to ``settled``; returns how many were marked, and how many left alone as too young."""
        marked = young = 0
        try:
            after = await asyncio.to_thread(scan_start, self.ledger, before, self.clock.now(), 2 * settled_s)
            while after < before:
                found, after = await asyncio.to_thread(unanswered, self.ledger, after, before)
                for each in found:
                    if settled is not None and each.time > settled:
                        young += 1
                    else:
                        marked += await self._mark_one(each)
                await asyncio.sleep(0.01)  # answers go first
        except (LedgerUnavailableError, sqlite3.Error) as error:
            log.warning("interrupted requests not looked for to the end: %s", type(error).__name__)
        return marked, young

    async def _mark_one(self, each: Unanswered) -> bool:
        # Not by the request's key: as stored it may be a hash, which the writer would hash once more.
        entry = Entry(f"interrupted-{each.seq}", LedgerKind.INTERRUPTED, {"version": 1}, ref=each.seq)
        try:
            await self.writer.record(entry)
        except AlreadyRecordedError:
            return False
        return True

    def _take_place(self) -> bool:
        """Hold a lock while serving; true when no other process served this ledger at this moment."""
        place = self.ledger.with_name(self.ledger.name + SERVING_SUFFIX)
        try:
            self._lock = os.open(place, os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                alone = True
            except BlockingIOError:
                alone = False
            fcntl.flock(self._lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False  # cannot be told, so as if there were others
        return alone


def make_lifecycle(tarla: Tarla, settings: Settings) -> Lifecycle:
    """The lifecycle of a serving application, with its checkpoints."""
    channel = settings.tarla_checkpoint_channel
    post = None if channel is None else partial(post_checkpoint, tarla.app.client, channel)
    folder = CheckpointFolder(settings.checkpoints)
    keeper = CheckpointKeeper(
        settings.tarla_ledger,
        folder,
        settings.signing_key,
        tarla.ledger.writer,
        tarla.clock,
        post=post,
        record=tarla.ledger.record_blocking,
    )
    watch_checkpoints(tarla.operations, lambda: keeper.status, tarla.clock.now)
    return Lifecycle(settings.tarla_ledger, tarla.ledger, tarla.clock, keeper, tarla.conversation.model)


def versions(in_use: ModelInUse) -> dict[str, Json]:
    """What answers: program, model, evidence and SQLite; None for what cannot be read."""
    model = model_or_none(in_use)
    evidence: Json = None
    with contextlib.suppress(EvidenceError):
        evidence = load_evidence().version
    return {
        "program": code_version(),
        "model": None if model is None else model_record(model),
        "evidence": evidence,
        "sqlite": sqlite3.sqlite_version,
    }
