"""Modals: an answer, its sources, the model. Within Slack's limits, every figure with its record."""

from __future__ import annotations

import re
from typing import Any

import pytest

from handlers.answer import TableMode
from handlers.controls import SHARE, answer_buttons
from handlers.form.origin import Door, Origin
from handlers.modals.answer import EXPIRED, NOT_TAKEN, answer_modal
from handlers.modals.model import model_modal
from handlers.outcomes import Answered
from handlers.sharing import shared_message
from knowledge.evidence import load as load_evidence
from knowledge.model import load as load_model
from tests.support import answers
from tests.support.slack_limits import check_message, check_view

RECEIPT = "9" * 18 + "-ffff"
ORIGIN = Origin(Door.COMMAND, "https://hooks.slack.com/commands/1", 1_800_000_000, "C0TUMOURBD")
TODAY = "2026-11-24"
# A digit that is no part of a name, as CRS grade ≥ 2 or cycle 1 day 1 are not figures of a study.
_DIGIT = re.compile(r"\d")


def answered() -> Answered:
    return Answered(answers.expected_view(RECEIPT), answers.expected_assessment(), (), RECEIPT, load_model())


def texts(view: dict[str, Any]) -> list[str]:
    return [
        element["text"] if isinstance(element["text"], str) else element["text"]["text"]
        for block in view["blocks"]
        for element in ([block] if "text" in block else block.get("elements", []))
    ]


@pytest.mark.parametrize("said", [None, "", EXPIRED, NOT_TAKEN])
def test_an_answer_in_a_modal_is_the_whole_answer_without_a_table_or_share(said: str | None) -> None:
    view = answer_modal(answered(), ORIGIN, said)
    check_view(view)
    shown = "\n".join(texts(view)).replace("\N{NO-BREAK SPACE}", " ")
    assert all(figure in shown for figure in answers.expected_estimates())
    assert (said or "Tarlatamab") in texts(view)[0]
    assert SHARE not in str(view)
    assert "hooks.slack.com" not in str(view)


@pytest.mark.parametrize("mode", TableMode)
def test_a_shared_answer_has_nothing_to_press_and_both_receipts(mode: TableMode) -> None:
    body = shared_message(answered(), mode, "U0FELLOW01", "7-abcd")
    check_message(body, allowed_links=("@U0FELLOW01",))
    assert body["response_type"] == "in_channel"
    assert "actions" not in {block["type"] for block in body["blocks"]}
    assert "#7-abcd" in str(body["blocks"][-1])
    assert RECEIPT in str(body["blocks"][-1])


def test_every_block_of_the_model_with_a_figure_names_the_model_or_a_record() -> None:
    evidence, model = load_evidence(), load_model()
    known = {*evidence.facts, *evidence.associations, *evidence.sources, model.version.id}
    view = model_modal("0.1.0", load_model())
    check_view(view)
    for text in texts(view):
        heading = re.fullmatch(r"\*.*\*", text)
        if _DIGIT.search(text) and not heading:
            assert any(record in text for record in known) or f"evidence {evidence.version}" in text, text


def test_the_model_is_described_from_its_own_file() -> None:
    model = load_model()
    shown = "\n".join(texts(model_modal("0.1.0", load_model())))
    for wanted in (model.version.sha256[:12], model.facts_sha256[:12], str(model.content.seed), model.version.id):
        assert wanted in shown
    for pool in (model.draws("crs"), model.draws("icans")):
        assert f"{pool.weight.size:,}" in shown
    assert "never been validated" in shown
    assert "see *" not in shown
    assert "listed under" not in shown


def test_the_confirmation_says_who_will_see_it_and_that_nobody_may_be_identified() -> None:
    *_, share = answer_buttons("1-abcd")["elements"]
    said = share["confirm"]["text"]["text"]
    assert "Everyone in this channel" in said
    assert "must not identify a patient" in said
