"""Reading the card's texts: complete lists with known figures, or an error that names the place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from pydantic import ValidationError

from knowledge.card.records import Attribute, Attributes, Checklist, Item, Notes, Reference, Release, Trust
from knowledge.card.types import Text, Texts
from knowledge.frozen import FrozenModel
from knowledge.synthesis.spec import Spec

ATTRIBUTES = tuple(range(1, 32))
# The subitems of TRIPOD+AI, in its order: 27 items, 52 with their letters.
TRIPOD_AI_ITEMS = (
    "1", "2", "3a", "3b", "3c", "4", "5a", "5b", "6a", "6b", "6c", "7", "8a", "8b", "8c", "9a", "9b", "9c", "10", "11",
    "12a", "12b", "12c", "12d", "12e", "12f", "12g", "13", "14", "15", "16", "17",
    "18a", "18b", "18c", "18d", "18e", "18f", "19", "20a", "20b", "20c", "21", "22", "23a", "23b", "24",
    "25", "26", "27a", "27b", "27c",
)  # fmt: skip
_BRACES = re.compile(r"\{([a-z0-9_]*)\}")

Figures = Mapping[str, str]


class CardError(Exception):
    """The texts of the card are incomplete or name a figure that does not exist."""


class PriorText(FrozenModel):
    """How one field of the specification is told."""

    field: Text
    quantity: Text
    form: Text
    reason: Text
    facts: Texts


class ConditionText(FrozenModel):
    """How one condition is told, and the fields of the specification that it covers."""

    fields: Texts
    text: Text
    facts: Texts


class ChoiceText(FrozenModel):
    """How one field that is no prior is told, by its value."""

    field: Text
    by_value: dict[str, Text]


class AssumptionTexts(FrozenModel):
    """All of ``assumptions.toml``."""

    choice: tuple[ChoiceText, ...]
    prior: tuple[PriorText, ...]
    condition: tuple[ConditionText, ...]


class Prose(FrozenModel):
    """All of ``card.toml``."""

    summary: Texts
    intended: Texts
    excluded: Texts
    risks: Texts
    fairness: Texts
    maintenance: Texts
    structure: Texts
    release: Release
    trust: Trust
    notes: Notes
    chai: Reference
    reference: tuple[Reference, ...]


class _AttributeFile(FrozenModel):
    source: Reference
    attribute: tuple[Attribute, ...]


class _ChecklistFile(FrozenModel):
    source: Reference
    item: tuple[Item, ...]


def data_folder() -> Traversable:
    """Where the texts lie."""
    return files("knowledge").joinpath("data", "card")


def read_attributes(folder: Traversable, figures: Figures) -> Attributes:
    """The 31 source attributes.

    Raises:
        CardError: unreadable, one missing, out of order or twice, or an unknown figure.
    """
    table = _read(folder, "attributes.toml", _AttributeFile, figures)
    _complete("attributes.toml", [str(each.number) for each in table.attribute], [str(n) for n in ATTRIBUTES])
    return Attributes(source=table.source, attributes=table.attribute)


def read_checklist(folder: Traversable, figures: Figures) -> Checklist:
    """The TRIPOD+AI items.

    Raises:
        CardError: as ``read_attributes``; also an answered item without a place, or an unanswered one without a reason.
    """
    table = _read(folder, "tripod_ai.toml", _ChecklistFile, figures)
    _complete("tripod_ai.toml", [each.id for each in table.item], list(TRIPOD_AI_ITEMS))
    for item in table.item:
        if item.status in ("answered", "partly") and not item.places:
            raise CardError(f"tripod_ai.toml: item {item.id} is {item.status}, but no place is named")
        if item.status != "answered" and item.text is None:
            raise CardError(f"tripod_ai.toml: item {item.id} is {item.status}, but no reason is given")
    return Checklist(source=table.source, items=table.item)


def read_assumptions(folder: Traversable, figures: Figures) -> AssumptionTexts:
    """How each field of the specification is told.

    Raises:
        CardError: as ``read_attributes``; a field of the specification is not told, or more than once.
    """
    table = _read(folder, "assumptions.toml", AssumptionTexts, figures)
    told = [each.field for each in table.choice] + [each.field for each in table.prior]
    told += [name for each in table.condition for name in each.fields]
    _complete("assumptions.toml", sorted(told), sorted(Spec.model_fields))
    return table


def read_prose(folder: Traversable, figures: Figures) -> Prose:
    """The card's prose.

    Raises:
        CardError: unreadable, incomplete, or an unknown figure.
    """
    return _read(folder, "card.toml", Prose, figures)


_T = TypeVar("_T", bound=FrozenModel)


def _read(folder: Traversable, name: str, kind: type[_T], figures: Figures) -> _T:
    try:
        table = tomllib.loads(folder.joinpath(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CardError(f"{name}: cannot be read: {error}") from error
    try:
        return kind.model_validate(_filled(table, figures, name))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise CardError(f"{name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _filled(value: Any, figures: Figures, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, figures, name) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, figures, name) for each in value]
    if not isinstance(value, str):
        return value

    def figure(match: re.Match[str]) -> str:
        if match[1] not in figures:
            raise CardError(f"{name}: no figure is called {match[1]!r}")
        return figures[match[1]]

    return _BRACES.sub(figure, value)


def _complete(name: str, found: list[str], expected: list[str]) -> None:
    if found == expected:
        return
    if missing := [each for each in expected if each not in found]:
        raise CardError(f"{name}: missing: {', '.join(missing)}")
    if unknown := [each for each in found if each not in expected]:
        raise CardError(f"{name}: not on the list: {', '.join(unknown)}")
    raise CardError(f"{name}: an entry occurs twice or out of order")
