"""The check on shown numbers finds what it must: it is only worth something if it can fail."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.blockkit import context, section, table
from tests.support.shown_numbers import Uncovered, in_record, numbers, uncovered

RECORDS = {
    "lab.a": {
        "id": "lab.a17",
        "source": "label_2025_11",
        "limit": 21,
        "text": "on 2025-11-19: 8 mg/kg",
    },
    "lab.b": {"mg": ["0.4", 20], "absent": False, "deep": {"low": 3, "key": "k99"}},
}


def _uncovered(*blocks: dict[str, Any], given: tuple[str, ...] = ()) -> list[str]:
    return [found.what for found in uncovered(blocks, RECORDS.get, given)]


def test_a_number_counts_with_the_record_in_its_block() -> None:
    assert _uncovered(section("at most 21 days `lab.a`")) == []
    assert _uncovered(section("at most 22 days `lab.a`")) == ["22"]
    assert _uncovered(section("at most 21 days `lab.b`")) == ["21"]
    assert _uncovered(section("at most 21 days")) == ["21"]
    assert _uncovered(section("at most 21 days (lab.a).")) == []


def test_a_record_elsewhere_does_not_count() -> None:
    blocks = [section("at most 21 days"), context("`lab.a`")]
    assert uncovered(blocks, RECORDS.get) == [Uncovered(0, "21")]


def test_ids_and_sources_of_a_record_are_no_figures() -> None:
    assert _uncovered(section("17 of 2025 in 11, k99 `lab.a` `lab.b`")) == ["17", "2025", "11", "99"]


def test_a_date_counts_as_a_whole() -> None:
    assert _uncovered(section("2025-11-19 `lab.a`")) == []
    assert _uncovered(section("2025-11-18 `lab.a`")) == ["2025-11-18"]
    assert _uncovered(section("the 19th `lab.a`")) == ["19"]


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("82 kg × 8 mg/kg = 656 mg, so 656 `lab.a`", []),
        ("82 kg × 8 mg/kg = 657 mg `lab.a`", ["82 kg × 8 mg/kg = 657", "657"]),
        ("82 kg × 7 mg/kg = 574 mg `lab.a`", ["7", "574"]),
        ("82 mg ÷ 20 mg/mL = 4.1 mL `lab.b`", []),
        ("82 mg ÷ 20 mg/mL = 4 mL `lab.b`", ["82 mg ÷ 20 mg/mL = 4", "4"]),
        ("3 + 20 + 3 = 26 `lab.b`", []),
        ("20 − 3 = 17 `lab.b`", []),
    ],
)
def test_arithmetic_counts_if_it_is_right(text: str, missing: list[str]) -> None:
    assert _uncovered(section(text), given=("82",)) == missing


def test_a_command_in_code_is_an_example() -> None:
    assert _uncovered(section("`/tarla manage crs 2`")) == []
    assert _uncovered(section("`manage crs 2`")) == ["2"]


def test_tables_options_and_hints_are_seen() -> None:
    assert _uncovered(table([["a", "b"], ["7", "x"]])) == ["7"]
    field = {
        "type": "input",
        "label": {"type": "plain_text", "text": "5 points"},
        "hint": {"type": "plain_text", "text": "6"},
        "element": {"type": "static_select", "options": [{"text": {"type": "plain_text", "text": "9"}, "value": "4"}]},
    }
    assert _uncovered(field) == ["5", "6", "9"]


def test_numbers_are_compared_by_value() -> None:
    assert numbers("2,000 cells, 2000.0 and C1D8") == [2000, 2000, 1, 8]
    assert in_record(RECORDS["lab.b"]) == {numbers("0.4")[0], 20, 3}
