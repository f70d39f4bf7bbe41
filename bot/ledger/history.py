"""The ledger as a conversation reads it: single events back, without holding up the writer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.ledger.check import Retention, problem_of
from bot.ledger.connection import open_for_reading
from bot.ledger.errors import LedgerFault, fault_of_sqlite
from bot.ledger.questions import Counted, FoundAnswers, counts_since, outcome_steps, own_answers
from bot.ledger.read import RawEvent, prunings, raw_events
from handlers.ports import LedgerCounts, OwnAnswers, PastEvent, Recorded
from handlers.receipts import Receipt, read_receipt, receipt_of


class LedgerHistory:
    """Reads the ledger at ``path``; each question opens and closes it, in a thread of its own.

    ``stored`` gives an id as it stands in the ledger, where that is not as Slack has it.
    """

    def __init__(self, path: Path, stored: Callable[[str], str] | None = None) -> None:
        self._path = path
        self._stored = stored

    async def event(self, receipt: str) -> PastEvent | None:
        """The event of this receipt; None when there is none, or when its leaf is another.

        Raises:
            LedgerUnavailableError: the ledger cannot be read, or the event was changed since it was recorded.
        """
        wanted = read_receipt(receipt)
        return None if wanted is None else await asyncio.to_thread(self._event, wanted)

    async def answers_of(self, user: str, team: str | None, limit: int) -> OwnAnswers:
        """The last ``limit`` answers that this person was given in this workspace, each row's hashes checked.

        Raises:
            LedgerUnavailableError: the ledger cannot be read.
        """
        if self._stored is not None:
            user, team = self._stored(user), None if team is None else self._stored(team)
        found, steps = await asyncio.to_thread(self._answers, user, team, limit)
        events: list[PastEvent] = []
        outcomes: dict[int, PastEvent] = {}
        altered: list[str] = []
        for row in found.rows:
            try:
                events.append(_past(row))
            except LedgerFault:
                altered.append(receipt_of(row.seq, row.leaf))
            for step in steps[row.seq]:
                try:
                    outcomes[row.seq] = step.past(row.seq)
                except LedgerFault:
                    altered.append(receipt_of(step.row.seq, step.row.leaf))
                    outcomes.pop(row.seq, None)
                    break
        return OwnAnswers(tuple(events), tuple(altered), found.searched, found.complete, outcomes)

    async def outcome_of(self, answer: int) -> PastEvent | None:
        """The outcome that stands for the answer of this number, the last of those that took each other's place.

        Raises:
            LedgerUnavailableError: the ledger cannot be read, or an outcome was changed since it was recorded.
        """
        return await asyncio.to_thread(self._outcome, answer)

    async def counts_since(self, day: str) -> LedgerCounts:
        """Counts of all events since the beginning of ``day`` (ISO 8601, UTC).

        Raises:
            LedgerUnavailableError: the ledger cannot be read.
        """
        counted = await asyncio.to_thread(self._counts, day)
        return LedgerCounts(counted.by_week, counted.refusals, counted.first_seq, counted.last_seq, counted.complete)

    def _answers(self, user: str, team: str | None, limit: int) -> tuple[FoundAnswers, dict[int, list[_Step]]]:
        """Answers, and the outcomes of each one, the last of which stands."""
        try:
            with contextlib.closing(open_for_reading(self._path)) as connection:
                found = own_answers(connection, user, team, limit)
                return found, {row.seq: _steps(connection, row.seq) for row in found.rows}
        except sqlite3.Error as error:
            raise fault_of_sqlite(error) from None

    def _outcome(self, answer: int) -> PastEvent | None:
        try:
            with contextlib.closing(open_for_reading(self._path)) as connection:
                steps = _steps(connection, answer)
        except sqlite3.Error as error:
            raise fault_of_sqlite(error) from None
        # Each is checked: were one altered, the last would not be known to be the last.
        return [step.past(answer) for step in steps][-1] if steps else None

    def _counts(self, day: str) -> Counted:
        try:
            with contextlib.closing(open_for_reading(self._path)) as connection:
                return counts_since(connection, day)
        except sqlite3.Error as error:
            raise fault_of_sqlite(error) from None

    def _event(self, receipt: Receipt) -> PastEvent | None:
        """The event of this receipt, if its leaf begins so."""
        try:
            with contextlib.closing(open_for_reading(self._path)) as connection:
                row = next(raw_events(connection, after=receipt.seq - 1, page=1), None)
                if row is None or row.seq != receipt.seq or not receipt.fits(row.leaf):
                    return None
                return _past(row, pruned=row.body is None and Retention(prunings(connection)).covers(row))
        except sqlite3.Error as error:
            raise fault_of_sqlite(error) from None


@dataclass(frozen=True, slots=True)
class _Step:
    """The row of an outcome, and whether its payload was pruned."""

    row: RawEvent
    pruned: bool

    def past(self, answer: int) -> PastEvent:
        """The outcome as an event.

        Raises:
            LedgerFault: ``damaged``; a hash does not fit, or it is about another event.
        """
        if self.row.ref != answer:
            raise LedgerFault("damaged", f"event {self.row.seq} is not about event {answer}")
        return _past(self.row, pruned=self.pruned)


def _steps(connection: sqlite3.Connection, answer: int) -> list[_Step]:
    rows = list(outcome_steps(connection, answer))
    if all(row.body is not None for row in rows):
        return [_Step(row, pruned=False) for row in rows]
    retention = Retention(prunings(connection))
    return [_Step(row, pruned=row.body is None and retention.covers(row)) for row in rows]


def _past(row: RawEvent, *, pruned: bool = False) -> PastEvent:
    """The event in a row.

    Raises:
        LedgerFault: ``damaged``; a hash does not fit.
    """
    if (problem := problem_of(row, row.seq, pruned=pruned)) is not None:
        raise LedgerFault("damaged", f"event {row.seq} is not as it was recorded: {problem}")
    payload = None if row.body is None else json.loads(row.body)
    return PastEvent(Recorded(row.seq, row.time.decode(), row.leaf), row.kind.decode(), payload)
