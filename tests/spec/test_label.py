"""Every line of label.toml: thresholds at their boundaries, grades, doses, and what is refused."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from handlers.lookup.registry import LOOK_UPS
from handlers.lookup.reply import LookUpRefusal
from knowledge.label import Ice, Label, Restart, TocilizumabDose, Version, load
from knowledge.label.dosing import restart, tocilizumab
from knowledge.label.grading import CrsFindings, Fever, IcansFindings, crs_grade, icans_grade
from tests.support.lookups import SPEC, TODAY, look_up
from tests.support.shown_numbers import in_record

_ROWS = {"c1d1": "c1d1", "c1d8": "c1d8"}
_NOTHING = {"consciousness": "alert", "seizure": "none", "motor": "none", "oedema": "none"}


@pytest.fixture(scope="module")
def label() -> Label:
    return load()


def _cases(section: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = SPEC[section]["cases"]
    return cases


def _words(case: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in case.items())


def ice_points(score: int) -> dict[str, int]:
    """Points item by item that add up to ``score``, the first items first."""
    points = {}
    for key, most in SPEC["ice_items"]["points"].items():
        points[key] = min(most, score)
        score -= points[key]
    return points


@pytest.mark.parametrize("case", _cases("restart"), ids=_words)
def test_restart(case: dict[str, Any], label: Label) -> None:
    """By the reckoning, and in the answer to the typed question."""
    advice = restart(_ROWS.get(case["last"], "later"), case["days"], label)
    assert advice.repeat is case["again"]
    answer = look_up(f"dose {case['last']} {case['days']}")
    title, first = (str(block["text"]["text"]) for block in answer.blocks[:2])
    assert "After CRS, ICANS or another reaction its own rules come first" in title
    action = f"Repeat {case['give']} mg; if tolerated, 10 mg" if case["again"] else f"Give {case['give']} mg, then"
    early = case.get("early", False)
    assert ("*Not yet due by the schedule*" in first) is early
    assert (f"*{action}" in first) is not early
    assert answer.about_patient


@pytest.mark.parametrize("case", _cases("care"), ids=_words)
def test_what_goes_with_the_next_dose(case: dict[str, Any]) -> None:
    answer = look_up(f"dose {case['last']} {case['days']}")
    cared = {"lab.us.premed", "lab.eu.premed", "lab.us.monitor.c1d1_d8", "lab.eu.monitor"}
    assert (cared <= set(answer.records)) is case["care"]
    assert bool(cared & set(answer.records)) is case["care"]


@pytest.mark.parametrize("case", _cases("care"), ids=_words)
def test_that_the_table_has_no_row_after_a_repeated_1_mg_is_said(case: dict[str, Any]) -> None:
    """Where 1 mg was the last dose, a repeated one perhaps, and where it comes next."""
    answer = look_up(f"dose {case['last']} {case['days']}")
    assert ("no row for a delay after a repeated 1 mg" in answer.text) is case["care"]


def test_the_overview_says_what_goes_with_a_restart() -> None:
    restart_block = next(str(block) for block in look_up("dose").blocks if "*Restart after a delay*" in str(block))
    for wanted in (
        "with a repeated 1 mg, with the 10 mg one week after it, and with a late first 10 mg",
        "no row for a delay after a repeated 1 mg",
        "its own rules come first",
    ):
        assert wanted in restart_block


def test_the_limits_of_the_data_are_those_typed_here(label: Label) -> None:
    rules = {rule.last: rule.limit_days for rule in label.get(Restart, "lab.us.restart").rules}
    assert rules == {"c1d1": 14, "c1d8": 21, "later": 28}
    dose = label.get(TocilizumabDose, "toc.dose.us")
    assert (dose.mg_per_kg, dose.mg_per_kg_below, dose.below_kg, dose.max_mg) == (8, 12, 30, 800)
    assert (dose.further_doses, dose.hours_apart, dose.total_doses, dose.infusion_minutes) == (3, 8, 4, 60)
    ice = label.get(Ice, "grd.ice")
    assert {item.key: item.points for item in ice.items} == SPEC["ice_items"]["points"]
    assert ice.total == 10


@pytest.mark.parametrize("case", _cases("tocilizumab"), ids=_words)
def test_tocilizumab(case: dict[str, Any], label: Label) -> None:
    amount = tocilizumab(Decimal(case["kg"]), label)
    assert (amount.mg, amount.volume_ml) == (Decimal(case["mg"]), Decimal(case["ml"]))
    answer = look_up(f"toci {case['kg']} kg")
    assert dict(answer.arguments) == {"weight_kg": case["kg"], "mg": case["mg"], "volume_ml": case["ml"]}
    first = str(answer.blocks[0]["text"]["text"])
    assert f"{case['kg']} kg: {case['mg']} mg*" in first
    assert f"{case['mg']} mg ÷ 20 mg/mL = {case['ml']} mL" in first
    assert ("check the weight" in first) is (Decimal(case["kg"]) < 30)
    assert ("above the maximum of 800 mg" in first) is (Decimal(case["kg"]) > 100)


def test_a_weight_without_unit_is_asked_about() -> None:
    """180 may be pounds, and 656 mg become 800."""
    with pytest.raises(LookUpRefusal, match="E_LOOKUP_NOT_UNDERSTOOD@2") as refused:
        look_up("toci 180")
    assert "with its unit, in kg" in refused.value.message


@pytest.mark.parametrize("case", _cases("crs"), ids=_words)
def test_crs(case: dict[str, Any], label: Label) -> None:
    findings = CrsFindings(Fever(case["fever"]), case["hypotension"], case["hypoxia"])
    assert (crs_grade(findings, label).grade or 0) == case["grade"]


@pytest.mark.parametrize("score", range(11))
def test_ice_score(score: int, label: Label) -> None:
    graded = icans_grade(IcansFindings(ice_points(score), **_NOTHING), label)
    assert graded.ice_score == score
    assert (graded.grade or 0) == SPEC["ice"]["grades"][str(score)]


@pytest.mark.parametrize("case", _cases("icans"), ids=_words)
def test_icans(case: dict[str, Any], label: Label) -> None:
    findings = _NOTHING | {key: value for key, value in case.items() if key not in ("grade", "ice")}
    graded = icans_grade(IcansFindings(ice_points(case.get("ice", 10)), **findings), label)
    assert (graded.grade or 0) == case["grade"]


def test_ice_0_counts_as_unarousable_only_at_0_and_only_then(label: Label) -> None:
    """In its own domain: what the answer says of the ICE score, whatever the other domains add."""
    for score in range(11):
        for consciousness in ("tactile", "unarousable"):
            findings = IcansFindings(ice_points(score), **(_NOTHING | {"consciousness": consciousness}))
            unarousable = score == 0 and consciousness == "unarousable"
            wanted = 4 if unarousable else SPEC["ice"]["grades"][str(score)]
            assert icans_grade(findings, label).by_domain["ice"] == wanted


def test_every_figure_of_every_record(label: Label) -> None:
    """The data's figures against those typed here; the versions' own dates are tested beside their records."""
    typed = {name: {Decimal(figure) for figure in figures.split()} for name, figures in SPEC["figures"].items()}
    assert typed.keys() <= set(label.records)
    for record in label:
        if not isinstance(record, Version):
            held = record.model_dump(mode="json", exclude={"topic"})
            assert in_record(held) == typed.get(record.id, set()), record.id


@pytest.mark.parametrize("case", _cases("monitor"), ids=_words)
def test_monitor(case: dict[str, Any]) -> None:
    answer = look_up(f"monitor {case['dose']}")
    us = [str(block["text"]["text"]) for block in answer.blocks[1:-1] if "*US: " in str(block)]
    eu = [str(block["text"]["text"]) for block in answer.blocks[1:-1] if "*EU" in str(block)]
    assert len(us) == len(eu) == 1
    assert f"• {case['us']}" in us[0]
    assert f"• {case.get('eu', 'After later doses')}" in eu[0]


@pytest.mark.parametrize("case", _cases("manage"), ids=_words)
def test_manage(case: dict[str, Any]) -> None:
    text = look_up(f"manage {case['ask']}").text.rsplit("\nIMDELLTRA", 1)[0]
    for wanted in case["has"]:
        assert wanted in text
    for unwanted in case["not"]:
        assert unwanted not in text


@pytest.mark.parametrize("case", _cases("understood"), ids=lambda case: case["text"])
def test_understood(case: dict[str, Any]) -> None:
    answer = look_up(case["text"])
    wanted = {key: value for key, value in case.items() if key != "text"}
    assert {key: answer.arguments[key] for key in wanted} == wanted


@pytest.mark.parametrize("case", _cases("refused"), ids=lambda case: case["text"])
def test_refused(case: dict[str, Any]) -> None:
    """With the right reason and place, an example that works, and nothing of what was typed."""
    first, *rest = case["text"].split()
    with pytest.raises(LookUpRefusal) as refused:
        LOOK_UPS[first](rest, TODAY)
    refusal = refused.value
    assert refusal.token == case["token"]
    look_up(refusal.example.removeprefix("/tarla "))
    for name in re.findall("john|rash|82,5|022|2e1|656|366|9999|082", case["text"]):
        assert name not in refusal.message
