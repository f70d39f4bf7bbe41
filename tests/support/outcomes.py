"""An outcome's form filled in as Slack sends it, and outcomes written straight into a ledger."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.ledger import open_ledger
from handlers.outcome import fields
from handlers.outcome.record import PatientOutcome, outcome_payload
from handlers.ports import Entry, Json, Kind, Recorded, outcome_key
from handlers.records import comparison_payload, computed_payload
from handlers.requests import Asker
from knowledge import PatientFactors, assess
from knowledge.model import Model
from tests.support.fakes import FakeClock

ASKER = Asker("form", "U0FELLOW01", "C0TUMOURBD", "T0TARLADEV")

SEEN = {fields.CRS: "1", fields.ICANS: "0", fields.PROPHYLAXIS: "no", fields.DAY: "8"}
SEEN_WORDS = "CRS grade 1, ICANS none, no prophylactic tocilizumab, seen to day 8"


def chosen(**changed: str | None) -> dict[str, Any]:
    """The values of a form; ``changed`` by ``crs``, ``icans``, ``prophylaxis`` and ``day``; None is left alone."""
    said: dict[str, str | None] = {**SEEN, **{f"outcome_{name}": value for name, value in changed.items()}}
    return {name: {name: _element(name, value)} for name, value in said.items()}


def untouched(view: Mapping[str, Any]) -> dict[str, Any]:
    """What Slack sends when nothing is changed in a form: whatever it was filled with."""
    values = {}
    for block in view["blocks"]:
        if block["type"] == "input":
            name = block["block_id"]
            initial = block["element"].get("initial_option", {}).get("value")
            values[name] = {block["element"]["action_id"]: _element(name, initial)}
    return values


def _element(name: str, value: str | None) -> dict[str, Any]:
    option = None if value is None else {"text": {"type": "plain_text", "text": value}, "value": value}
    return {"type": "radio_buttons" if name == fields.PROPHYLAXIS else "static_select", "selected_option": option}


class RecordedCentre:
    """Answers and outcomes in a real ledger, one event after another, as the conversation records them."""

    def __init__(self, path: Path) -> None:
        self._writer = open_ledger(path, clock=FakeClock())
        self._standing: dict[int, int] = {}
        self._number = 0

    def close(self) -> None:
        """End the writer."""
        self._writer.close()

    def answer(
        self, factors: PatientFactors, *, edits: int | None = None, compared: bool = False, by: Model | None = None
    ) -> Recorded:
        """An answer to these findings, which may be an earlier one's edited; or a comparison. ``by`` a site model."""
        assessment = assess(factors, by)
        if compared:
            payload = comparison_payload([("as asked", assessment)], ASKER, "2026-11-22", "0.1.0")
        else:
            payload = computed_payload(assessment, (), ASKER, "2026-11-22", "0.1.0")
        self._number += 1
        return self._writer.record_blocking(Entry(f"command:{self._number}", Kind.COMPUTED, payload, edits))

    def record(self, entry: Entry) -> Recorded:
        """Anything else."""
        return self._writer.record_blocking(entry)

    def outcome(self, answer: Recorded, outcome: PatientOutcome, **changed: Json) -> Recorded:
        """An outcome in the place of the one that stands; ``changed`` is put into its payload."""
        replaces = self._standing.get(answer.seq)
        payload = outcome_payload(answer.receipt, outcome, replaces, ASKER, "0.1.0") | changed
        key = outcome_key(answer.seq, replaces)
        recorded = self._writer.record_blocking(Entry(key, Kind.OUTCOME, payload, answer.seq))
        self._standing[answer.seq] = recorded.seq
        return recorded
