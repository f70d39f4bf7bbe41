"""Finding the answer that an outcome belongs to, and recording the outcome: durable before anything is said of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from handlers.conversation import OPERATOR, Conversation
from handlers.outcome import fields
from handlers.outcome.origin import OutcomeOrigin
from handlers.outcome.record import (
    PatientOutcome,
    Standing,
    in_words,
    outcome_payload,
    standing_outcome,
)
from handlers.outcomes import NotShown, Repeated
from handlers.ports import Kind, LedgerUnavailableError, PastEvent, outcome_key
from handlers.records import past_answer
from handlers.requests import Asker
from knowledge.factors import PatientFactors

# Writing may take two of Slack's three seconds.
READ_SECONDS = 0.8
# One text for every receipt that takes no outcome, so that nothing is told of events that are nobody's business.
NOT_RECORDABLE = NotShown(
    "no_such_answer",
    "No outcome can be recorded under this receipt.",
    "It takes the receipt of an answer for one patient, given in this workspace and still kept. Copy it from the "
    "answer, such as 1284-3f9a: the part after the dash keeps a slip of a digit from reaching another patient.",
)
NOTHING_KNOWN = (
    "With neither grade known there is nothing to record: choose the grade of CRS or of ICANS; none is a grade too."
)
UNCHANGED = "This is what stands already (outcome #{receipt}): change a field, or cancel."
MEANWHILE = (
    "Not recorded: meanwhile another outcome was recorded for this answer ({words}; outcome #{receipt}). Cancel, and "
    "open the form again if that must be changed."
)
_CANNOT_READ = "No outcome can be recorded: the audit ledger cannot be read."
_CANNOT_UNDERSTAND = "The outcome of this answer stands in a form that this version cannot read."
_CANNOT_WRITE = "Not recorded: the audit ledger cannot be {done} ({code}). What you chose is still here: {then}."


@dataclass(frozen=True, slots=True)
class Found:
    """An answer that takes an outcome. ``factors`` are its findings for its own asker, None for anybody else."""

    receipt: str
    seq: int
    factors: PatientFactors | None
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class OutcomeRecorded:
    """An outcome that stands in the ledger under ``receipt``, for the answer of receipt ``answer``.

    ``replaces`` is the receipt of the outcome that stood before; ``again`` says that this one stood already when the
    form came.
    """

    answer: str
    outcome: PatientOutcome
    receipt: str
    replaces: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Unusable:
    """Nothing was recorded; the form stays open with these sentences under its fields."""

    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Nothing was recorded: another outcome than the one that the form showed stands now."""

    standing: Standing

    @property
    def errors(self) -> Mapping[str, str]:
        """The same as a sentence under the first field."""
        outcome = self.standing.outcome
        words = "no longer kept" if outcome is None else in_words(outcome)
        return {fields.CRS: MEANWHILE.format(words=words, receipt=self.standing.recorded.receipt)}


@dataclass(frozen=True)
class OutcomeDesk:
    """Outcomes for the people who may ask; the guard has looked at that before."""

    conversation: Conversation

    async def find(self, receipt: str, asker: Asker) -> Found | NotShown:
        """The answer of this receipt, and the outcome that stands for it."""
        try:
            async with asyncio.timeout(READ_SECONDS):
                event = await self.conversation.history.event(receipt)
                found = None if event is None else self._answer(event, receipt, asker)
                if found is None:
                    return NOT_RECORDABLE
                last = await self.conversation.history.outcome_of(found.seq)
        except TimeoutError:
            return NotShown("timeout", _CANNOT_READ, f"Try again in a few seconds. {OPERATOR}")
        except LedgerUnavailableError as unavailable:
            return NotShown(unavailable.code, _CANNOT_READ, OPERATOR)
        if last is None:
            return found
        try:
            return Found(found.receipt, found.seq, found.factors, standing_outcome(last))
        except (KeyError, TypeError, ValueError):
            return NotShown("outcome", _CANNOT_UNDERSTAND, OPERATOR)

    async def record(
        self, origin: OutcomeOrigin, outcome: PatientOutcome, asker: Asker
    ) -> OutcomeRecorded | Unusable | Meanwhile | NotShown:
        """Record the outcome in the place of the one that the form showed as standing.

        The same form again, however often it is delivered, finds its outcome recorded.
        """
        found = await self.find(origin.receipt, asker)
        if isinstance(found, NotShown):
            return found if found is NOT_RECORDABLE else _still_open(found.reason, "read")
        standing = found.standing
        if (standing.recorded.seq if standing else None) != origin.replaces:
            return _after_another(origin, outcome, standing)
        if outcome.tells_nothing and (standing is None or (standing.outcome and standing.outcome.tells_nothing)):
            return Unusable({fields.CRS: NOTHING_KNOWN, fields.ICANS: NOTHING_KNOWN})
        if standing is not None and standing.outcome == outcome:
            return Unusable({fields.DAY: UNCHANGED.format(receipt=standing.recorded.receipt)})
        key = outcome_key(found.seq, origin.replaces)
        payload = outcome_payload(origin.receipt, outcome, origin.replaces, asker, self.conversation.code_version)
        receipt = await self.conversation.record(key, Kind.OUTCOME, payload, found.seq)
        if isinstance(receipt, NotShown):
            return _still_open(receipt.reason, "written")
        if isinstance(receipt, Repeated):
            # Another delivery of this form, or another form, was first by a moment.
            again = await self.find(origin.receipt, asker)
            if isinstance(again, NotShown):
                return _still_open(again.reason, "read")
            return _after_another(origin, outcome, again.standing)
        return OutcomeRecorded(origin.receipt, outcome, receipt, standing.recorded.receipt if standing else None)

    def _answer(self, event: PastEvent, receipt: str, asker: Asker) -> Found | None:
        try:
            past = past_answer(event)
        except (KeyError, TypeError, ValueError):
            return None
        reader = self.conversation.stored(asker)
        if past is None or past.team is None or past.team != reader.team:
            return None
        return Found(receipt, event.recorded.seq, past.factors if past.user == reader.user else None, None)


def _after_another(
    origin: OutcomeOrigin, outcome: PatientOutcome, standing: Standing | None
) -> OutcomeRecorded | Meanwhile | NotShown:
    """Where something else stands than the form showed: its own outcome, sent before, or another's."""
    if standing is None:
        return NOT_RECORDABLE  # no form of this ledger's
    if standing.outcome == outcome and standing.replaces == origin.replaces:
        return OutcomeRecorded(origin.receipt, outcome, standing.recorded.receipt, again=True)
    return Meanwhile(standing)


def _still_open(code: str, done: str) -> Unusable:
    again = "press Record again in a few seconds; if that fails too, tell whoever runs Tarla here"
    return Unusable({fields.CRS: _CANNOT_WRITE.format(done=done, code=code, then=again)})
