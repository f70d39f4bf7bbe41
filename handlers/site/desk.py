"""``/tarla site``: settings, versions and counts, for the administrators' user group alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from handlers.access import NO_WORD_FROM_SLACK, AccessCode, Denial
from handlers.blockkit import Block
from handlers.conversation import Conversation
from handlers.lookup import LookUp
from handlers.outcomes import LookedUp, Repeated
from handlers.ports import (
    Directory,
    DirectoryUnavailableError,
    Kind,
    LedgerCounts,
    LedgerUnavailableError,
    model_or_none,
)
from handlers.records import looked_up_payload, refused_payload
from handlers.requests import Question
from handlers.site.settings import SiteSettings
from handlers.site.view import site_blocks, site_text
from knowledge.evidence import load as load_evidence

SITE_WORD = "site"
WEEKS = 8


@dataclass(frozen=True)
class SiteDesk:
    """Shows administrators what is set and how much is asked; never who asked what."""

    conversation: Conversation
    directory: Directory
    site: SiteSettings

    async def reply_to(self, question: Question) -> LookedUp | Denial | Repeated:
        """The overview, recorded as a look-up, or why it is not shown, recorded as a refusal."""
        denial = await self._denial(question.asker.user)
        if denial is not None:
            payload = refused_payload(f"{denial.code}@0", question.asker, 0, self.conversation.code_version)
            recorded = await self.conversation.record(question.key, Kind.REFUSED, payload)
            return recorded if isinstance(recorded, Repeated) else denial
        # Counted before this look itself is recorded.
        blocks, text = await self._overview()
        look_up = LookUp(code=SITE_WORD, text=text, blocks=blocks, records=())
        evidence = load_evidence().version
        payload = looked_up_payload(look_up, question.asker, evidence, self.conversation.code_version)
        receipt = await self.conversation.record(question.key, Kind.LOOKED_UP, payload)
        if isinstance(receipt, Repeated):
            return receipt
        # It holds nothing of a patient: settings may be seen where the ledger cannot be written, and then most of all.
        return LookedUp(look_up, receipt if isinstance(receipt, str) else None)

    async def _denial(self, user: str) -> Denial | None:
        if self.site.admin_group is None:
            return NO_ADMINS
        try:
            members = await self.directory.members(self.site.admin_group)
        except DirectoryUnavailableError:
            return NO_WORD_FROM_SLACK
        return None if user in members else NOT_ADMIN

    async def _overview(self) -> tuple[tuple[Block, ...], str]:
        weeks = mondays(self.conversation.today)
        counts: LedgerCounts | str
        try:
            counts = await self.conversation.history.counts_since(weeks[0])
        except LedgerUnavailableError as unavailable:
            counts = unavailable.code
        model = model_or_none(self.conversation.model)
        blocks = site_blocks(self.site, self.conversation.code_version, model, weeks, counts)
        return blocks, site_text(self.site, counts)


def mondays(today: str) -> tuple[str, ...]:
    """The Mondays (ISO 8601) of this week and of those before it, oldest first."""
    day = date.fromisoformat(today)
    this = day - timedelta(days=day.weekday())
    return tuple((this - timedelta(weeks=back)).isoformat() for back in reversed(range(WEEKS)))


NO_ADMINS = Denial(
    AccessCode.NOT_ADMIN,
    "The site's overview is shown to nobody here.",
    "No user group of administrators is set (TARLA_ADMIN_GROUP). Whoever runs Tarla here can set one.",
)
NOT_ADMIN = Denial(
    AccessCode.NOT_ADMIN,
    "The site's overview is for Tarla's administrators.",
    "They are the members of the user group in TARLA_ADMIN_GROUP. Whoever runs Tarla here can add you.",
)
