"""What the fields of a submitted view sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.requests import MalformedPayloadError


def chosen(values: object, name: str, choices: Mapping[str, str]) -> str | None:
    """The choice in a field; None where nothing was sent, whatever it may have been prefilled with.

    Raises:
        MalformedPayloadError: the values are not of the shape Slack documents, or not of this form.
    """
    option = element(values, name).get("selected_option")
    if option is None:
        return None
    value = option.get("value") if isinstance(option, Mapping) else None
    if not isinstance(value, str) or value not in choices:
        raise MalformedPayloadError(name)
    return value


def element(values: object, name: str) -> Mapping[str, Any]:
    """What a field sent; a field that is not there has sent nothing.

    Raises:
        MalformedPayloadError: as ``chosen``.
    """
    block = values.get(name, {}) if isinstance(values, Mapping) else None
    found = block.get(name, {}) if isinstance(block, Mapping) else None
    if not isinstance(found, Mapping):
        raise MalformedPayloadError(name)
    return found
