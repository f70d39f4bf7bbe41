"""One answer of the past, shortly, as it stands in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from handlers.answer import figures
from handlers.answer.findings import describe
from handlers.answer.view import LABELS
from handlers.blockkit import Block, button, escape, section
from handlers.controls import OUTCOME
from handlers.outcome.record import in_words, standing_outcome
from handlers.ports import Json, PastEvent
from handlers.records import factors_from_record
from knowledge.assessment import Outcome

COMPARISON = "comparison"
WHAT_IF = "What if: a comparison with other findings"


def past_block(event: PastEvent, outcome: PastEvent | None = None) -> Block:
    """When, under which receipt, for which findings, and the risks with their intervals as they were recorded.

    An answer for one patient has a button beside it, and the ``outcome`` that stands for it.
    """
    recorded, takes_outcome = event.recorded, False
    lines = [f"*{date_token(recorded.time)}* · receipt `#{recorded.receipt}`"]
    if event.payload is None:
        lines.append("What was answered is no longer kept.")
    else:
        try:
            lines += [escape(figures.unbroken(line)) for line in _told(event.payload)]
            takes_outcome = COMPARISON not in event.payload
        except (KeyError, TypeError, ValueError):
            lines.append("Recorded in a form that this version cannot read.")
    if not takes_outcome:
        return section("\n".join(lines))
    if outcome is not None:
        lines.append(_outcome(outcome))
    name = "Record outcome" if outcome is None else "Change outcome"
    return section("\n".join(lines)) | {"accessory": button(name, OUTCOME, recorded.receipt)}


def _outcome(event: PastEvent) -> str:
    try:
        outcome = standing_outcome(event).outcome
        words = "an outcome that is no longer kept" if outcome is None else in_words(outcome)
    except (KeyError, TypeError, ValueError):
        words = "an outcome in a form that this version cannot read"
    return f"*Outcome:* {escape(words)} · outcome `#{event.recorded.receipt}`"


def date_token(time: str) -> str:
    """Slack's date token, which each client shows in its own time zone; in UTC where it is not understood.

    Args:
        time: RFC 3339, UTC, as the ledger has it.
    """
    moment = datetime.fromisoformat(time).astimezone(UTC)
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{moment.strftime('%Y-%m-%d %H:%M')} UTC>"


def _told(payload: Mapping[str, Json]) -> list[str]:
    compared = payload.get(COMPARISON)
    if compared is not None:
        return [_findings(compared[0]), WHAT_IF] if isinstance(compared, list) and compared else [WHAT_IF]
    lines = [_findings(payload)]
    outcomes = payload["outcomes"]
    if not isinstance(outcomes, list):
        raise TypeError("an answer has outcomes")
    lines.append(" · ".join(_estimate(outcome) for outcome in outcomes))
    model = payload["model"]
    if not isinstance(model, dict):
        raise TypeError("an answer names its model")
    simulated = " (simulated patients)" if model.get("simulated") is True else ""
    return [*lines, f"model {model['id']}{simulated} · evidence {payload['evidence']}"]


def _findings(record: Json) -> str:
    if not isinstance(record, dict) or not isinstance(record["factors"], dict):
        raise TypeError("findings are an object")
    return describe(factors_from_record(record["factors"]))


def _estimate(outcome: Json) -> str:
    if not isinstance(outcome, dict):
        raise TypeError("an outcome is an object")
    interval = outcome["interval"]
    if not isinstance(interval, list):
        raise TypeError("an interval has two limits")
    low, high = (float(str(limit)) for limit in interval)
    label = LABELS[Outcome(str(outcome["outcome"]))]
    return f"{label}: {figures.estimate(float(str(outcome['risk'])), (low, high))}"
