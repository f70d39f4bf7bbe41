"""The words a label may hold. Whatever is not listed here becomes ``other``.

So a label can hold no Slack id and nothing of a patient, whatever comes in, and the number of series is known
beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.ledger.kinds import LedgerKind
from handlers.access import AccessCode
from handlers.listeners.arrivals import Door
from handlers.listeners.turned_away import ACKNOWLEDGED
from handlers.lookup import LookUpCode
from handlers.parsing import RefusalCode
from handlers.ports import Kind

OTHER = "other"

# Doors, and what else a request is recorded as having come through: an answer's button, a form that grades,
# one that takes an outcome, a terminal.
DOORS = frozenset({*(door.value for door in Door), "button", "grade_form", "outcome_form", "cli"})
# `repeated`: the same request again, which has had its answer. `not_shown`: the ledger did not take it.
OUTCOMES = frozenset({"computed", "refused", "looked_up", "shared", "outcome_recorded", "repeated", "not_shown"})
REFUSALS = frozenset(code.value for codes in (RefusalCode, LookUpCode, AccessCode) for code in codes)
KINDS = frozenset(kind.value for kinds in (Kind, LedgerKind) for kind in kinds)
LEDGER_CODES = frozenset({"locked", "disk_full", "read_only", "cannot_open", "timeout", "damaged", "closed"})
# The transports, and the ways of replies sent on the app's own account; where the reply is the acknowledgement itself,
# it goes by the transport's.
WAYS = frozenset(
    {"http", "socket", "response_url", "modal", *(door.value for door in Door if door not in ACKNOWLEDGED)}
)
DELIVERY_REASONS = frozenset(
    {
        *("late", "stopped", "not_drawn", "not_sent", "not_acknowledged", "connection_lost", "timeout"),
        *("modal_not_shown", "no_response_url"),
        *("response_url_timeout", "response_url_unreachable", "response_url_refused"),
        *(f"response_url_{status}" for status in (200, 400, 403, 404, 410, 429, 500, 502, 503, 504)),
        # Slack's own, of those methods that send an answer.
        *("slack_refused", "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"),
        *("channel_not_found", "is_archived", "not_in_channel", "user_not_in_channel", "restricted_action"),
        *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope"),
        *("invalid_blocks", "invalid_arguments", "msg_too_long", "no_text"),
    }
)
# Requests that never become a question.
TURNED_AWAY = frozenset({"busy", "replayed", "unsigned", "unreadable"})


def known(word: object, words: frozenset[str]) -> str:
    """The word itself where it is listed, else ``other``."""
    text = str(word)
    return text if text in words else OTHER


def with_other(words: Iterable[str]) -> tuple[str, ...]:
    """All that a label may hold, in order."""
    return (*sorted(words), OTHER)
