"""Checkpoints while the bot runs: every so many events, every so many minutes, and at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from bot.checkpoints.folder import CheckpointFolder, FolderError
from bot.checkpoints.keys import KeyRing, SigningKeyError, key_for
from bot.checkpoints.quick import has_requests_after, quick_check
from bot.checkpoints.signing import (
    DISTRUSTED,
    Alarm,
    AlarmCode,
    ComparisonStopped,
    Made,
    Nothing,
    Record,
    SigningState,
    make_checkpoint,
)
from bot.ledger import LedgerWriter
from bot.ledger.note import Checkpoint
from handlers.ports import Clock

Post = Callable[[Checkpoint, str], Awaitable[None]]

# Slack's own message at the end of a line of work may take this long, and the first look before answering that long.
POST_S, FIRST_LOOK_S, STOP_S = 10.0, 1.0, 4.0
# The end of a run that answered nobody and had not yet compared a long ledger: the next start covers it as well.
IDLE_STOP_S = 1.0

log = logging.getLogger("tarla.checkpoints")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Due after ``events`` or ``seconds``, looked at every ``poll_s``; ``retry_s`` after an alarm."""

    events: int = 100
    seconds: float = 900.0
    poll_s: float = 1.0
    retry_s: float = 60.0


@dataclass(frozen=True, slots=True)
class KeeperStatus:
    """How checkpoints stand: the last one's size and time, what failed since the start, and the alarm if there is one.

    ``compared`` says that the ledger was found to extend its newest checkpoint since the start.
    """

    size: int = 0
    time: datetime | None = None
    made: int = 0
    failures: int = 0
    posted: int = 0
    post_failures: int = 0
    compared: bool = False
    alarm: AlarmCode | None = None
    detail: str | None = None


@dataclass
class CheckpointKeeper:
    """Keeps the checkpoints of ``ledger`` in ``folder``, signed with the key at ``key_path``."""

    ledger: Path
    folder: CheckpointFolder
    key_path: Path
    writer: LedgerWriter
    clock: Clock
    post: Post | None = None
    # By which way its own events are recorded, where that is not the writer's own.
    record: Record | None = None
    rhythm: Rhythm = field(default_factory=Rhythm)
    status: KeeperStatus = field(default_factory=KeeperStatus)
    _state: SigningState = field(default_factory=SigningState)
    _working: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _running: asyncio.Task[None] | None = None
    _recorded: int = 0
    _tried_at: float = 0.0

    async def begin(self) -> None:
        """Look before the first answer whether the ledger still reaches its newest checkpoint, for a second at most."""
        self._tried_at = self.clock.monotonic()
        try:
            found = await asyncio.wait_for(asyncio.to_thread(self._quickly), FIRST_LOOK_S)
        except TimeoutError:
            return  # a slow disk: the whole comparison follows
        if isinstance(found, Alarm):
            self._alarmed(found)
        else:
            self.status = replace(self.status, size=found)

    def start(self) -> None:
        """Go on beside everything else; once is enough."""
        if self._running is None and not self._stopping.is_set():
            self._running = asyncio.get_running_loop().create_task(self._run())

    async def finish(self, seconds: float = STOP_S) -> None:
        """The last checkpoint, in bounded time."""
        self._stopping.set()
        last: Made | Nothing | Alarm | None = None
        try:
            async with asyncio.timeout(seconds) as limit:
                if not self.status.compared and not await self._has_requests():
                    limit.reschedule(asyncio.get_running_loop().time() + min(seconds, IDLE_STOP_S))
                last = await self._make_one(sign=True)
                await self._post(last)
        except TimeoutError:
            self._state.give_up.set()
            if isinstance(last, Made):
                log.warning("last checkpoint not posted to Slack in time: its note is in the folder")
            else:
                log.warning("no last checkpoint: the ledger could not be compared in time")
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        """Compare the whole ledger once, then make checkpoints as they fall due."""
        await self.make(sign=await self._has_requests())
        while not self._stopping.is_set():
            await asyncio.sleep(self.rhythm.poll_s)
            if not self._stopping.is_set() and await self._due():
                await self.make()

    async def make(self, *, sign: bool = True) -> Made | Nothing | Alarm | None:
        """Compare, and with ``sign`` make a checkpoint now; None when it was told to stop."""
        result = await self._make_one(sign=sign)
        await self._post(result)
        return result

    async def _make_one(self, *, sign: bool) -> Made | Nothing | Alarm | None:
        async with self._working:
            self._tried_at, recorded = self.clock.monotonic(), self.writer.status().recorded
            try:
                result = await asyncio.to_thread(self._make, sign)
            except ComparisonStopped:
                return None
            except Exception as error:  # noqa: BLE001 - checkpoints must not end with one mistake; it is told
                result = Alarm(AlarmCode.LEDGER_UNREADABLE, type(error).__name__)
            if isinstance(result, Alarm):
                self._alarmed(result)
                return result
            self._recorded = recorded + isinstance(result, Made)
            self._settled(result)
        return result

    def _make(self, sign: bool) -> Made | Nothing | Alarm:
        try:
            ring = key_for(self.key_path, self.ledger, self.folder.path)
        except SigningKeyError as error:
            return Alarm(AlarmCode.KEY_UNUSABLE, str(error))
        return make_checkpoint(
            self.ledger,
            self.folder,
            ring,
            self._state,
            self.record or self.writer.record_blocking,
            sign=sign,
            known_event=self.writer.last_recorded(),
        )

    def _quickly(self) -> Alarm | int:
        ring: KeyRing | None = None
        try:
            ring = key_for(self.key_path, self.ledger, self.folder.path)
            keys = ring.known
        except SigningKeyError as error:
            trouble = Alarm(AlarmCode.KEY_UNUSABLE, str(error))
            try:
                keys = self.folder.public_keys()  # no better ones: enough to see that the end of the ledger is gone
            except FolderError:
                return trouble
        found = quick_check(self.ledger, self.folder, keys)
        if ring is None and not (isinstance(found, Alarm) and found.code in DISTRUSTED):
            return trouble
        return found

    async def _due(self) -> bool:
        waited = self.clock.monotonic() - self._tried_at
        if self.status.alarm is not None:
            return waited >= self.rhythm.retry_s
        if self.writer.status().recorded - self._recorded >= self.rhythm.events:
            return True
        if waited < self.rhythm.seconds:
            return False
        self._tried_at = self.clock.monotonic()
        return await self._has_requests()

    def _alarmed(self, alarm: Alarm) -> None:
        if alarm.code != self.status.alarm:
            log.error("no checkpoint (%s): %s", alarm.code, alarm.detail)
        self.status = replace(
            self.status, failures=self.status.failures + 1, alarm=alarm.code, detail=alarm.detail, compared=False
        )
        if alarm.code in DISTRUSTED:
            self.writer.distrust(f"{alarm.code}: {alarm.detail}")

    def _settled(self, result: Made | Nothing) -> None:
        if self.status.alarm is not None:
            log.warning("checkpoints are in order again (%s is over)", self.status.alarm)
        self.writer.trust()
        size = result.checkpoint.size if isinstance(result, Made) else result.size
        self.status = replace(self.status, size=size, alarm=None, detail=None, compared=True)
        if isinstance(result, Made):
            self.status = replace(self.status, time=self.clock.now(), made=self.status.made + 1)
            log.info("checkpoint of %d events", size)

    async def _has_requests(self) -> bool:
        return await asyncio.to_thread(has_requests_after, self.ledger, self.status.size)

    async def _post(self, made: Made | Nothing | Alarm | None) -> None:
        if self.post is None or not isinstance(made, Made):
            return
        try:
            await asyncio.wait_for(self.post(made.checkpoint, made.note.text), POST_S)
        except Exception as error:  # noqa: BLE001 - whatever keeps it from Slack, the note is in its folder
            self.status = replace(self.status, post_failures=self.status.post_failures + 1)
            log.warning("checkpoint not posted to Slack (%s): the next one will be", type(error).__name__)
        else:
            self.status = replace(self.status, posted=self.status.posted + 1)
