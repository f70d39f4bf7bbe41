"""What was sent with an outcome's form: the outcome, or what is wrong, field by field. Nothing has a default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.outcome import fields
from handlers.outcome.record import PatientOutcome
from handlers.requests import MalformedPayloadError
from knowledge.factors import Presence

CHOOSE = "Choose one."


def read_outcome_form(values: object) -> PatientOutcome | dict[str, str]:
    """The outcome in a submitted view's ``state.values``, or the errors for ``response_action: errors``.

    Raises:
        MalformedPayloadError: the values are not of the shape Slack documents, or not of this form.
    """
    chosen = {name: _chosen(values, name, choices) for name, choices in fields.CHOICES.items()}
    errors = {name: CHOOSE for name, value in chosen.items() if value is None}
    if errors:
        return errors
    said = {name: str(value) for name, value in chosen.items()}
    return PatientOutcome(
        crs_grade=fields.GRADES[said[fields.CRS]],
        icans_grade=fields.GRADES[said[fields.ICANS]],
        prophylaxis=Presence(said[fields.PROPHYLAXIS]),
        day=int(said[fields.DAY]),
    )


def _chosen(values: object, name: str, choices: Mapping[str, str]) -> str | None:
    """The choice in a field; None where nothing was sent, whatever it may have been prefilled with."""
    option = _element(values, name).get("selected_option")
    if option is None:
        return None
    value = option.get("value") if isinstance(option, Mapping) else None
    if not isinstance(value, str) or value not in choices:
        raise MalformedPayloadError(name)
    return value


def _element(values: object, name: str) -> Mapping[str, Any]:
    block = values.get(name, {}) if isinstance(values, Mapping) else None
    element = block.get(name, {}) if isinstance(block, Mapping) else None
    if not isinstance(element, Mapping):
        raise MalformedPayloadError(name)
    return element
