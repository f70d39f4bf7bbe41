"""The conversation behind ``/tarla``: a question in, a reply out, recorded before it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from handlers.answer import AnswerView, build_view
from handlers.delivery import note_event
from handlers.parsing import Refusal, RefusalCode, parse
from handlers.ports import AlreadyRecordedError, Entry, Json, Kind, Ledger, LedgerUnavailableError, Recorded
from handlers.records import computed_payload, refused_payload
from handlers.requests import Question
from knowledge import Assessment, ModelError, UpperLimit, assess
from knowledge.evidence import load as load_evidence

HELP_WORDS = frozenset({"help", "?", "how"})


@dataclass(frozen=True)
class Answered:
    """An answer that stands in the ledger."""

    view: AnswerView
    assessment: Assessment
    notes: tuple[str, ...]
    receipt: str


@dataclass(frozen=True)
class Refused:
    """No answer, and what to type instead. Nothing in it was typed by the user."""

    code: RefusalCode
    message: str
    example: str
    position: int | None = None
    suggestion: str | None = None


@dataclass(frozen=True)
class NotShown:
    """No answer because it could not be recorded or computed: ``reason`` is a closed code."""

    reason: str
    headline: str
    advice: str


@dataclass(frozen=True)
class HowToAsk:
    """Asked for help, or said nothing."""

    example: str


@dataclass(frozen=True)
class Repeated:
    """The same request again: it has had its answer."""

    receipt: str


Reply = Answered | Refused | NotShown | HowToAsk | Repeated


@dataclass(frozen=True)
class Conversation:
    """Answers questions. ``site_uln`` is the laboratory's upper limit; ``code_version`` names this program."""

    ledger: Ledger
    site_uln: UpperLimit | None
    code_version: str
    example: str = field(default="/tarla ldh 480/250 liver yes dm no cvd yes")

    async def reply_to(self, question: Question) -> Reply:
        """The reply to one question. An answer or refusal is in the ledger before this returns."""
        words = question.text.split(maxsplit=1)
        if not words or (len(words) == 1 and words[0].lower() in HELP_WORDS):
            return HowToAsk(self.example)
        try:
            understood = parse(question.text, site_uln=self.site_uln)
        except Refusal as refusal:
            return await self._refuse(question, refusal)
        try:
            assessment = assess(understood.factors)
        except ModelError:
            return NotShown("model", "Risk not shown: the model file is not usable.", _OPERATOR)
        notes = understood.notes
        payload = computed_payload(assessment, notes, question.asker, load_evidence().version, self.code_version)
        try:
            recorded = await self._record(question, Kind.COMPUTED, payload)
        except AlreadyRecordedError as repeat:
            return Repeated(repeat.recorded.receipt)
        except LedgerUnavailableError as unavailable:
            return NotShown(unavailable.code, "Risk not shown: the audit ledger cannot be written.", _OPERATOR)
        view = build_view(assessment, load_evidence(), recorded.receipt, notes)
        return Answered(view, assessment, notes, recorded.receipt)

    async def _refuse(self, question: Question, refusal: Refusal) -> Reply:
        reply = Refused(refusal.code, refusal.message, refusal.example, refusal.position, refusal.suggestion)
        payload = refused_payload(refusal.token, question.asker, len(question.text), self.code_version)
        try:
            await self._record(question, Kind.REFUSED, payload)
        except AlreadyRecordedError as repeat:
            return Repeated(repeat.recorded.receipt)
        except LedgerUnavailableError:
            # A refusal holds no figure; telling the user what to type does no harm.
            return reply
        return reply

    async def _record(self, question: Question, kind: Kind, payload: dict[str, Json]) -> Recorded:
        recorded = await self.ledger.record(Entry(question.key, kind, payload))
        note_event(question.key, recorded)
        return recorded


_OPERATOR = (
    "Every answer must stand in the ledger before anyone sees it. Use your local protocol and the label, "
    "and tell whoever runs Tarla here (tarla doctor says what is wrong)."
)
