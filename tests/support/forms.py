"""A form filled in as Slack sends it: values by block and element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.form import fields

KNOWN = {
    fields.LDH: "480",
    fields.LDH_AS: "u_per_l",
    fields.ULN: "250",
    fields.LIVER: "yes",
    fields.DIABETES: "no",
    fields.CVD: "yes",
}
NUMBERS = (fields.LDH, fields.ULN)


def filled(**changed: str | None) -> dict[str, Any]:
    """The values of a form in which everything is known; ``changed`` by the field's constant, in lower case."""
    by_name = {name.lower(): field for name, field in vars(fields).items() if isinstance(field, str) and field in KNOWN}
    chosen: dict[str, str | None] = {**KNOWN, **{by_name[name]: value for name, value in changed.items()}}
    return {name: {name: _element(name, value)} for name, value in chosen.items()}


def untouched(view: Mapping[str, Any]) -> dict[str, Any]:
    """What Slack sends when nothing was changed in a form: whatever it was prefilled with."""
    values: dict[str, Any] = {}
    for block in view["blocks"]:
        if block["type"] == "input":
            element, name = block["element"], block["block_id"]
            initial = element.get("initial_value") or element.get("initial_option", {}).get("value")
            values[name] = {element["action_id"]: _element(name, initial)}
    return values


def _element(name: str, value: str | None) -> dict[str, Any]:
    if name in NUMBERS:
        return {"type": "number_input", "value": value}
    kind = "static_select" if name == fields.LDH_AS else "radio_buttons"
    option = None if value is None else {"text": {"type": "plain_text", "text": value}, "value": value}
    return {"type": kind, "selected_option": option}


def button_of(body: Mapping[str, Any], action_id: str) -> dict[str, Any]:
    """The button with this id in a message or a view."""
    (found,) = [
        element
        for block in body["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
        if element["action_id"] == action_id
    ]
    return dict(found)
