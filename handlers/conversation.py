"""The conversation behind every door: a question in, a reply out, recorded before it is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from handlers.answer import build_view
from handlers.comparison import Compared, Variant, variants
from handlers.delivery import note_event
from handlers.lookup import LookUp, LookUpRefusal
from handlers.lookup.registry import LOOK_UPS, near_look_up
from handlers.outcomes import Answered, HowToAsk, HowToRecord, LookedUp, NotShown, Refused, Repeated, Reply
from handlers.parsing import Refusal, parse
from handlers.parsing.limits import MAX_CHARACTERS
from handlers.parsing.words import ascii_lower
from handlers.ports import (
    AlreadyRecordedError,
    Clock,
    Entry,
    History,
    Json,
    Kind,
    Ledger,
    LedgerUnavailableError,
    ModelInUse,
)
from handlers.records import (
    PastAnswer,
    comparison_payload,
    computed_payload,
    looked_up_payload,
    past_answer,
    refused_payload,
    shared_payload,
)
from handlers.requests import Asker, Question
from knowledge import Assessment, ModelError, PatientFactors, UpperLimit, assess
from knowledge.evidence import load as load_evidence
from knowledge.model import SiteModelError

# Written by hand, where Slack made no mention of it.
TYPED_MENTION = "@tarla"
# An outcome is recorded in a form, which only a command can open.
OUTCOME_WORDS = frozenset({"outcome", "outcomes"})
# A greeting asks how to begin.
HELP_WORDS = frozenset({"help", "?", "how", "hi", "hello", "hey"})


@dataclass(frozen=True)
class Conversation:
    """Answers questions. ``site_uln`` is the laboratory's upper limit; ``code_version`` names this program.

    ``model`` gives the model that answers.

    ``stored`` gives who asks as the ledger has them, where that is not as Slack does.
    """

    ledger: Ledger
    history: History
    clock: Clock
    site_uln: UpperLimit | None
    code_version: str
    model: ModelInUse
    example: str = field(default="/tarla ldh 480/250 liver yes dm no cvd yes")
    # Told of every request that had been recorded already, or answered without a record.
    note_repeat: Callable[[], None] = field(default=lambda: None)
    stored: Callable[[Asker], Asker] = field(default=lambda asker: asker)

    async def reply_to(self, question: Question) -> Reply:
        """The reply to one question in words. An answer or refusal is in the ledger before this returns."""
        typed = question.text.strip()
        # Beyond the limit nothing is read, a look-up's words no more than a patient's findings.
        too_long = len(typed) > MAX_CHARACTERS
        words = [] if too_long else ascii_lower(typed).split()
        if words[:1] == [TYPED_MENTION]:
            words = words[1:]
        if not too_long and (not words or (len(words) == 1 and words[0] in HELP_WORDS)):
            return HowToAsk(self.example)
        if words and words[0] in OUTCOME_WORDS:
            return HowToRecord()
        try:
            if words and words[0] in LOOK_UPS:
                look_up = LOOK_UPS[words[0]](words[1:], self.today)
                return await self.look_up(question.key, look_up, question.asker)
            if words and (near := near_look_up(words[0])) is not None:
                raise near
            understood = parse(question.text, site_uln=self.site_uln)
        except (Refusal, LookUpRefusal) as refusal:
            return await self._refuse(question, refusal)
        return await self.answer(question.key, understood.factors, understood.notes, question.asker)

    async def answer(
        self, key: str, factors: PatientFactors, notes: Sequence[str], asker: Asker, edited: int | None = None
    ) -> Reply:
        """The risks for findings already understood, recorded under the request's ``key``.

        ``edited`` is the ledger's number of the earlier answer whose findings were changed.
        """
        try:
            model = self.model()
            assessment = assess(factors, model)
        except ModelError as error:
            return no_model(error)
        evidence = load_evidence()
        payload = computed_payload(assessment, tuple(notes), asker, evidence.version, self.code_version)
        receipt = await self.record(key, Kind.COMPUTED, payload, edited)
        if not isinstance(receipt, str):
            return receipt
        view = build_view(assessment, evidence, receipt, tuple(notes), model=model)
        return Answered(view, assessment, tuple(notes), receipt, model)

    async def recall(self, receipt: str, asker: Asker) -> PastAnswer | NotShown:
        """The answer that ``asker`` was given under ``receipt``, as it stands in the ledger."""
        try:
            event = await self.history.event(receipt)
        except LedgerUnavailableError as unavailable:
            return NotShown(unavailable.code, "Not shown: the audit ledger cannot be read.", _advice(unavailable.code))
        past = past_answer(event) if event is not None else None
        reader = self.stored(asker)
        if past is None or (past.user, past.team) != (reader.user, reader.team):
            return NOT_YOURS
        try:
            same_model = past.model_sha256 == self.model().version.sha256
        except ModelError as error:
            return no_model(error)
        return past if same_model else OTHER_MODEL

    async def compare(self, key: str, past: PastAnswer, asker: Asker) -> Compared | Repeated | NotShown:
        """The patient of an earlier answer beside patients who differ in one finding: one event for them all."""
        rows: list[tuple[Variant, Assessment]] = []
        try:
            model = self.model()
            for variant in variants(past.factors):
                rows.append((variant, assess(variant.factors, model)))
                await asyncio.sleep(0)  # others who ask meanwhile wait for one patient, not for all of them
        except ModelError as error:
            return no_model(error)
        evidence = load_evidence().version
        if (changed := _changed_since(past, rows[0][1], evidence)) is not None:
            return changed
        named = [(variant.change, assessment) for variant, assessment in rows]
        payload = comparison_payload(named, asker, evidence, self.code_version)
        receipt = await self.record(key, Kind.COMPUTED, payload, past.recorded.seq)
        if not isinstance(receipt, str):
            return receipt
        return Compared(tuple(rows), evidence, receipt, past.recorded.receipt)

    async def share(self, key: str, past: PastAnswer, asker: Asker) -> tuple[Answered, str] | Repeated | NotShown:
        """An earlier answer as it was given, and the receipt of its being shared, which is recorded first."""
        try:
            model = self.model()
            assessment = assess(past.factors, model)
        except ModelError as error:
            return no_model(error)
        evidence = load_evidence()
        if (changed := _changed_since(past, assessment, evidence.version)) is not None:
            return changed
        receipt = past.recorded.receipt
        payload = shared_payload(receipt, asker, evidence.version, self.code_version)
        recorded = await self.record(key, Kind.SHARED, payload, past.recorded.seq)
        if not isinstance(recorded, str):
            return recorded
        view = build_view(assessment, evidence, receipt, past.notes, model=model)
        return Answered(view, assessment, past.notes, receipt, model), recorded

    async def look_up(self, key: str, look_up: LookUp, asker: Asker) -> LookedUp | Repeated | NotShown:
        """A look-up, recorded under the request's ``key``; without a record only what is printed elsewhere is shown."""
        payload = looked_up_payload(look_up, asker, load_evidence().version, self.code_version)
        receipt = await self.record(key, Kind.LOOKED_UP, payload)
        if isinstance(receipt, NotShown):
            return NOT_RECORDED if look_up.about_patient else LookedUp(look_up, None)
        return receipt if isinstance(receipt, Repeated) else LookedUp(look_up, receipt)

    async def record(
        self, key: str, kind: Kind, payload: dict[str, Json], ref: int | None = None
    ) -> str | Repeated | NotShown:
        """Record an event and give its receipt, or what to say where that cannot be done."""
        try:
            recorded = await self.ledger.record(Entry(key, kind, payload, ref))
        except AlreadyRecordedError as repeat:
            self.note_repeat()
            return Repeated(repeat.recorded.receipt)
        except LedgerUnavailableError as unavailable:
            advice = _advice(unavailable.code)
            return NotShown(unavailable.code, "Risk not shown: the audit ledger cannot be written.", advice)
        note_event(key, recorded)
        return recorded.receipt

    @property
    def today(self) -> str:
        """Today's date, ISO 8601, UTC."""
        return self.clock.now().date().isoformat()

    async def _refuse(self, question: Question, refusal: Refusal | LookUpRefusal) -> Reply:
        reply = Refused(refusal.code, refusal.message, refusal.example, refusal.position)
        if isinstance(refusal, Refusal):
            reply = replace(reply, suggestion=refusal.suggestion, also=refusal.also)
        payload = refused_payload(refusal.token, question.asker, len(question.text), self.code_version)
        recorded = await self.record(question.key, Kind.REFUSED, payload)
        # A refusal holds no figure; telling the user what to type does no harm where it cannot be recorded.
        return recorded if isinstance(recorded, Repeated) else reply


def _changed_since(past: PastAnswer, assessment: Assessment, evidence: str) -> NotShown | None:
    """Why an answer of the past cannot be shown under its receipt; None where it is the same today."""
    if past.evidence != evidence:
        return OTHER_EVIDENCE
    # Others would read figures under a receipt that has different ones.
    return None if past.agrees(assessment) else OTHER_FIGURES


_MEANWHILE = (
    "Use your local protocol and the label, and tell whoever runs Tarla here (tarla doctor says what is wrong)."
)
OPERATOR = f"Every answer must stand in the ledger before anyone sees it. {_MEANWHILE}"
# What another program's hold on the file, or a slow disk, is over in.
PASSING = frozenset({"locked", "timeout"})


def _advice(code: str) -> str:
    """What to do while the ledger does not serve, by the closed code of why."""
    return f"Try again in a few seconds. {OPERATOR}" if code in PASSING else OPERATOR


def no_model(error: ModelError) -> NotShown:
    """Why there is no risk. A site's own model that cannot be used is never replaced by the shipped one unasked."""
    return NO_SITE_MODEL if isinstance(error, SiteModelError) else NO_MODEL


NO_MODEL = NotShown("model", "Risk not shown: the model file is not usable.", _MEANWHILE)
NO_SITE_MODEL = NotShown(
    "site_model",
    "Risk not shown: this centre's own model is not usable.",
    f"Nothing answers in its place unasked. {_MEANWHILE} `tarla model use --shipped` goes back to the shipped model.",
)
NOT_RECORDED = NotShown("ledger", "Not shown: the audit ledger cannot be written.", OPERATOR)
NOT_YOURS = NotShown("no_such_answer", "Not shown: this answer is not in the ledger as yours.", "Ask once more.")
OTHER_MODEL = NotShown(
    "model_changed", "Not shown: the model has changed since this answer.", "Ask once more for an answer of today's."
)
OTHER_EVIDENCE = NotShown(
    "evidence_changed",
    "Not shown: the evidence has changed since this answer.",
    "Ask once more for an answer of today's.",
)
OTHER_FIGURES = NotShown(
    "figures_changed", "Not shown: this program works the answer out otherwise than it was given.", "Ask once more."
)
