"""The evidence shows the figures of the table, which was read and typed a second time."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from knowledge.evidence import load

SPEC = tomllib.loads((Path(__file__).parent / "evidence.toml").read_text(encoding="utf-8"))["figure"]


def test_table_is_long_enough_and_names_each_record_once() -> None:
    assert len(SPEC) >= 50
    assert len({figure["id"] for figure in SPEC}) == len(SPEC)


@pytest.mark.parametrize("figure", SPEC, ids=lambda figure: figure["id"])
def test_record_shows_the_figure(figure: dict[str, Any]) -> None:
    evidence = load()
    record = evidence.facts.get(figure["id"]) or evidence.association(figure["id"])
    fields = {name: value for name, value in figure.items() if name not in {"id", "holds"}}
    assert {name: getattr(record, name) for name in fields} == fields
    texts = [value for value in record.model_dump().values() if isinstance(value, str)]
    texts += [] if record.derived is None else [str(record.derived.percent), str(record.derived.value)]
    for piece in figure.get("holds", []):
        assert any(piece in text for text in texts), piece
