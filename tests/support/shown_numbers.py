"""Every number that a block shows must stand in a record whose id the same block shows, or be arithmetic shown there.

A number counts as shown where it came from if

- a record with an id in the block holds it (dates count as a whole; ids and sources of a record do not), or
- it was asked for (``given``: the understood arguments of the look-up), or
- it is the result of arithmetic in the block, right to the last digit, whose operands are themselves accounted for.

The one thing left out is a command in code (`/tarla manage crs 2`): it is an example to type, not a statement.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

# The record behind an id, as plain data; None where there is none of that id.
Resolver = Callable[[str], Any]

_ID = re.compile(r"(?<![\w./])[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*(?![\w/])")
_COMMAND = re.compile(r"`/tarla[^`]*`")
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_FIGURE = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?"
_NUMBER = re.compile(f"{_DATE}|{_FIGURE}")
_TERM = rf"(?:{_FIGURE})(?: [A-Za-z]+(?:/[A-Za-z]+)?)?"
_ARITHMETIC = re.compile(rf"({_TERM}(?: [×÷+−] {_TERM})+) = ({_FIGURE})")
_OPERATIONS = {"×": operator.mul, "÷": operator.truediv, "+": operator.add, "−": operator.sub}
# Of a record, what names it or its sources says nothing about the world.
_NAMES = frozenset({"id", "source", "grade5_source", "cross_check", "based_on", "key", "keys", "last"})
# Of a block, what a reader sees.
_SEEN = frozenset({"text", "alt_text"})


@dataclass(frozen=True)
class Uncovered:
    """A number without origin, or arithmetic that is wrong, and the block it stands in (from 0)."""

    block: int
    what: str


def uncovered(blocks: Iterable[Mapping[str, Any]], resolve: Resolver, given: Collection[str] = ()) -> list[Uncovered]:
    """What in ``blocks`` no record in the same block, no argument and no shown arithmetic accounts for."""
    asked = {number for text in given for number in numbers(text)}
    found = []
    for at, block in enumerate(blocks):
        text = _COMMAND.sub(" ", "\n".join(shown(block)))
        ids = [name for name in _ID.findall(text) if resolve(name) is not None]
        known = asked | {number for name in ids for number in in_record(resolve(name))}
        text = _ID.sub(lambda match: " " if resolve(match[0]) is not None else match[0], text)
        for expression, result in _ARITHMETIC.findall(text):
            if not set(numbers(expression)) <= known:
                continue  # its operands are reported below, and so is its result
            if _value(expression) == _canonical(result):
                known.add(_canonical(result))
            else:
                found.append(Uncovered(at, f"{expression} = {result}"))
        found += [Uncovered(at, str(number)) for number in dict.fromkeys(numbers(text)) if number not in known]
    return found


def shown(block: Any) -> Iterator[str]:
    """Every text of a block that a reader sees, in order."""
    if isinstance(block, Mapping):
        for key, value in block.items():
            if key in _SEEN and isinstance(value, str):
                yield value
            else:
                yield from shown(value)
    elif isinstance(block, list | tuple):
        for each in block:
            yield from shown(each)


def numbers(text: str) -> list[Decimal | str]:
    """Numbers in a text in order, those within words too; a date is one of them, as text."""
    return [_canonical(found) for found in _NUMBER.findall(text)]


def in_record(record: Any) -> set[Decimal | str]:
    """Numbers anywhere in a record, apart from ids and sources."""
    if isinstance(record, Mapping):
        return {number for key, value in record.items() if key not in _NAMES for number in in_record(value)}
    if isinstance(record, list | tuple):
        return {number for value in record for number in in_record(value)}
    if record is None or isinstance(record, bool):
        return set()
    return set(numbers(str(record)))


def _canonical(text: str) -> Decimal | str:
    return text if re.fullmatch(_DATE, text) else Decimal(text.replace(",", ""))


def _value(expression: str) -> Decimal:
    """The value of a chain of operations, from left to right."""
    first, *rest = re.split(r" ([×÷+−]) ", expression)
    value = _operand(first)
    for sign, term in zip(rest[::2], rest[1::2], strict=True):
        other = _operand(term)
        value = {"×": value * other, "÷": value / (other or Decimal("NaN")), "+": value + other, "−": value - other}[
            sign
        ]
    return value


def _operand(term: str) -> Decimal:
    value = _canonical(_NUMBER.findall(term)[0])
    assert isinstance(value, Decimal)
    return value
