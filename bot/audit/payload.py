"""A payload read with care: whatever is not of the shape that Tarla writes is left out, not a reason to stop."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

# Outcomes in the order of an answer; the names in a payload.
OUTCOMES = ("crs_any", "crs_grade2plus", "icans_any")
PRESENCES = ("liver_metastases", "diabetes", "cardiovascular_disease")

# What an ``outcome_recorded`` event says of a patient, and which outcome it takes the place of.
RECORDED = ("crs_grade", "icans_grade", "grading", "tocilizumab_prophylaxis", "day", "replaces")


def parsed(body: object) -> dict[str, Any]:
    """The payload; empty where it was pruned or is no JSON object."""
    if not isinstance(body, bytes | str):
        return {}
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def part(payload: dict[str, Any], name: str) -> dict[str, Any]:
    """A part that is itself a mapping; empty where there is none."""
    found = payload.get(name)
    return found if isinstance(found, dict) else {}


def parts(payload: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A part that is a list of mappings."""
    found = payload.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def text(value: object) -> str:
    """A value in a cell; empty where there is none."""
    return "" if value is None else str(value)


def outcome_said(payload: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Of a recorded outcome: the name and value of each part; a grade that is not known has none."""
    if "crs_grade" in payload and "icans_grade" in payload:
        for name in RECORDED:
            yield name, text(payload.get(name))


def figures(payload: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Of each outcome: its name, risk and limits, as decimal strings."""
    for outcome in parts(payload, "outcomes"):
        interval = outcome.get("interval")
        low, high = interval if isinstance(interval, list) and len(interval) == 2 else (None, None)
        yield text(outcome.get("outcome")), text(outcome.get("risk")), text(low), text(high)


def account_of(asker: Mapping[str, str]) -> str:
    """One name for a person: the account with its organisation or workspace, or the account at a terminal.

    Raises:
        KeyError: the asker names no door or no account.
    """
    if asker["via"] == "cli":
        return f"terminal/{asker['user']}"
    return f"{asker.get('enterprise') or asker.get('team') or 'unknown'}/{asker['user']}"
