"""Every line of phrases.toml and free_words.toml, which are also the manual of the grammar."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from handlers.parsing import Refusal, Understood, parse
from knowledge.factors import Ldh, LdhCategory, LdhMultiple, LdhUnit, PatientFactors, UpperLimit

_SECTIONS: dict[str, dict[str, Any]] = {
    f"{table}-{name}": section
    for table in ("phrases", "free_words")
    for name, section in tomllib.loads(Path(__file__).with_name(f"{table}.toml").read_text(encoding="utf-8")).items()
}
_CASES = [pytest.param(case, id=f"{name}-{n}") for name, s in _SECTIONS.items() for n, case in enumerate(s["cases"], 1)]
_KEYS = {"text", "site", "refused", "suggestion", "says", "ldh", "liver", "dm", "cvd", "notes"}


def _limit(text: str) -> UpperLimit:
    value, unit = text.split(" ")
    return UpperLimit(value=float(value), unit=LdhUnit(unit))


def _ldh_in_words(ldh: Ldh | None) -> str:
    if ldh is None:
        return "unknown"
    if isinstance(ldh, LdhCategory):
        return ldh.category
    if isinstance(ldh, LdhMultiple):
        return f"{ldh.multiple:g}x"
    return f"{ldh.value:g} {ldh.unit} / {ldh.uln.value:g} {ldh.uln.unit}"


def _in_words(factors: PatientFactors) -> dict[str, str]:
    return {
        "ldh": _ldh_in_words(factors.ldh),
        "liver": str(factors.liver_metastases),
        "dm": str(factors.diabetes),
        "cvd": str(factors.cardiovascular_disease),
    }


@pytest.mark.parametrize("case", _CASES)
def test_phrase(case: dict[str, Any]) -> None:
    assert case.keys() <= _KEYS
    site = _limit(case["site"]) if "site" in case else None
    try:
        understood: Understood | Refusal = parse(case["text"], site_uln=site)
    except Refusal as refusal:
        understood = refusal
    if "refused" in case:
        assert isinstance(understood, Refusal), understood
        assert (understood.token, understood.suggestion) == (case["refused"], case.get("suggestion"))
        assert case.get("says", "") in understood.message
        return
    assert isinstance(understood, Understood), understood
    expected = {key: case.get(key, "unknown") for key in ("ldh", "liver", "dm", "cvd")}
    assert _in_words(understood.factors) == expected
    notes = case.get("notes", [])
    assert len(understood.notes) == len(notes)
    assert all(part in note for part, note in zip(notes, understood.notes, strict=True))


def test_uln_from_tells_whose_limit_was_used() -> None:
    site = UpperLimit(value=250)
    assert parse("ldh 480", site_uln=site).factors.ldh.uln_from == "site"  # type: ignore[union-attr] # measured here
    assert parse("ldh 480/250", site_uln=site).factors.ldh.uln_from == "given"  # type: ignore[union-attr] # measured


def test_the_table_is_a_manual() -> None:
    assert len(_CASES) >= 600
    assert all(section["title"] for section in _SECTIONS.values())
