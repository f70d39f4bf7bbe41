"""An outcome's form filled in as Slack sends it, and outcomes written straight into a ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.outcome import fields

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
