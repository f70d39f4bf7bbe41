"""What if: which patients are set side by side, and how that looks."""

from __future__ import annotations

import re
from typing import Any

import pytest

from handlers.answer import TableMode
from handlers.answer.figures import estimate
from handlers.blockkit import ephemeral, modal
from handlers.comparison import AS_ANSWERED, Compared, Variant, comparison_blocks, comparison_text, variants
from handlers.comparison.view import OUTCOMES
from handlers.parsing import parse
from handlers.ports import Kind, PastEvent
from handlers.records import comparison_payload, factors_from_record, past_answer
from handlers.requests import Asker
from knowledge import Assessment, LdhCategory, PatientFactors, Presence, assess
from tests.support.fakes import recorded
from tests.support.slack_limits import check_message, check_view

WIDEST = 80  # a Slack message on a laptop; a phone scrolls
ASKER = Asker(via="button", user="U0FELLOW01", channel="C0TUMOURBD", team="T0TARLADEV")
CASES = {
    "ldh 480/250 liver yes dm no cvd yes": ["LDH normal", "liver mets no", "diabetes yes", "CVD no"],
    "ldh 250/250 liver no dm yes cvd no": ["LDH high", "liver mets yes", "diabetes no", "CVD yes"],
    "ldh 1.9x liver yes dm no cvd yes": ["LDH normal", "liver mets no", "diabetes yes", "CVD no"],
    "ldh high liver yes dm no cvd yes": ["LDH normal", "liver mets no", "diabetes yes", "CVD no"],
    "ldh normal liver yes dm no cvd yes": ["LDH high", "liver mets no", "diabetes yes", "CVD no"],
    "ldh unknown": [
        *("LDH high", "LDH normal", "liver mets yes", "liver mets no"),
        *("diabetes yes", "diabetes no", "CVD yes", "CVD no"),
    ],
}


def compared(words: str) -> Compared:
    rows = tuple((each, assess(each.factors)) for each in variants(parse(words).factors))
    return Compared(rows, "2026-11-22", "1286-0c1d", "1284-3f9a")


@pytest.mark.parametrize(("words", "changes"), CASES.items())
def test_unknown_findings_both_ways_and_known_ones_the_other_way(words: str, changes: list[str]) -> None:
    first, *others = variants(parse(words).factors)
    assert first == Variant(AS_ANSWERED, parse(words).factors)
    assert [each.change for each in others] == changes


@pytest.mark.parametrize("words", CASES)
def test_each_differs_in_the_finding_it_names_and_in_nothing_else(words: str) -> None:
    fields = {
        "LDH": "ldh",
        "liver mets": "liver_metastases",
        "diabetes": "diabetes",
        "CVD": "cardiovascular_disease",
    }
    given = parse(words).factors
    for each in variants(given)[1:]:
        name, _, value = each.change.rpartition(" ")
        changed = fields[name]
        wanted: object = LdhCategory.model_validate({"category": value}) if changed == "ldh" else Presence(value)
        assert each.factors == given.model_copy(update={changed: wanted})
        assert each.factors != given


@pytest.mark.parametrize("mode", TableMode)
@pytest.mark.parametrize("words", CASES)
def test_every_estimate_is_the_engines_and_stands_beside_its_change(words: str, mode: TableMode) -> None:
    found = compared(words)
    blocks = comparison_blocks(found, mode)
    check_message(ephemeral(comparison_text(found), blocks))
    lines = _lines(blocks[1])
    assert len(lines) == len(found.rows) + 1
    for line, (variant, assessment) in zip(lines[1:], found.rows, strict=True):
        risks = [assess(variant.factors).risk_of(outcome) for outcome in OUTCOMES]
        assert line == [variant.change, *(estimate(risk.risk, risk.interval) for risk in risks)]
        assert assessment == assess(variant.factors)


def _lines(block: dict[str, Any]) -> list[list[str]]:
    if block["type"] == "table":
        return [[cell["text"].replace("\N{NO-BREAK SPACE}", " ") for cell in row] for row in block["rows"]]
    return [re.split(r" {3,}", line) for line in block["text"]["text"].strip("`").splitlines()]


@pytest.mark.parametrize("words", CASES)
def test_it_says_what_it_is_not(words: str) -> None:
    for text in (comparison_text(compared(words)), str(comparison_blocks(compared(words), TableMode.TEXT))):
        assert "not the effect of a treatment" in text
        assert "nothing here says that changing a finding changes the risk" in text


@pytest.mark.parametrize("mode", TableMode)
@pytest.mark.parametrize("interval", [(0.0001, 0.0002), (0.001, 0.999), (0.9995, 0.9999)])
def test_extreme_figures_fit_slack(mode: TableMode, interval: tuple[float, float]) -> None:
    found = compared("ldh unknown")
    rows = tuple((variant, _with(assessment, interval)) for variant, assessment in found.rows)
    extreme = Compared(rows, found.evidence, "9" * 18 + "-ffff", "9" * 18 + "-ffff")
    check_message(ephemeral(comparison_text(extreme), comparison_blocks(extreme, mode)))
    check_view(modal("What if", comparison_blocks(extreme, TableMode.TEXT)))


def _with(assessment: Assessment, interval: tuple[float, float]) -> Assessment:
    outcomes = tuple(
        outcome.model_copy(update={"risk": interval[0], "interval": interval}) for outcome in assessment.outcomes
    )
    return assessment.model_copy(update={"outcomes": outcomes})


@pytest.mark.parametrize("words", CASES)
def test_its_lines_fit_a_message(words: str) -> None:
    text = comparison_blocks(compared(words), TableMode.TEXT)[1]["text"]["text"]
    assert max(map(len, text.strip("`").splitlines())) <= WIDEST


@pytest.mark.parametrize("words", CASES)
def test_the_record_computes_every_patient_again_and_is_no_single_answer(words: str) -> None:
    found = compared(words)
    named = [(variant.change, assessment) for variant, assessment in found.rows]
    payload = comparison_payload(named, ASKER, found.evidence, "0.0.0")
    rows: Any = payload["comparison"]
    for row, (variant, assessment) in zip(rows, found.rows, strict=True):
        assert row["change"] == variant.change
        assert factors_from_record(row["factors"]) == variant.factors
        assert [each["risk"] for each in row["outcomes"]] == [f"{each.risk:.6f}" for each in assessment.outcomes]
    assert past_answer(PastEvent(recorded(7), Kind.COMPUTED, payload)) is None


def test_nothing_known_is_compared_too() -> None:
    assert variants(PatientFactors())[0].factors == PatientFactors()
