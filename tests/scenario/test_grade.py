"""The forms that work out a grade, through their real doors: command, button, submission."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import answers
from tests.support.app import over_http
from tests.support.forms import button_of

CRS = {"grade_fever": "yes", "grade_hypotension": "one_vasopressor", "grade_hypoxia": "low_flow"}


def values(chosen: dict[str, str | None]) -> dict[str, Any]:
    """A form's state as Slack sends it; None is a field left alone."""
    return {
        block: {"value": {"type": "radio_buttons", "selected_option": None if value is None else {"value": value}}}
        for block, value in chosen.items()
    }


def choices(view: dict[str, Any]) -> dict[str, list[str]]:
    """What can be chosen in each field of a form."""
    inputs = [block for block in view["blocks"] if block["type"] == "input"]
    return {block["block_id"]: [option["value"] for option in block["element"]["options"]] for block in inputs}


@pytest.mark.parametrize("kind", ["crs", "icans"])
async def test_the_command_opens_the_form(tmp_path: Path, kind: str) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        reply = await running.ask(f"grade {kind}")
        (opened,) = running.called("views.open")
        assert await running.events() == []
    assert (reply.status, reply.text) == (200, "")
    assert opened["view"]["callback_id"] == f"tarla_grade_{kind}"
    assert not any("initial_option" in str(block) for block in opened["view"]["blocks"])


async def test_the_grade_is_recorded_and_shown_in_the_forms_place(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        await running.ask("grade crs")
        view = running.opened_view()
        assert set(CRS) == set(choices(view))
        reply = await running.submit(view, values(CRS))
        looked_up, delivered = await running.events()
        again = await running.submit(view, values(CRS))
        assert len(await running.events()) == 2
        assert running.tarla.operations.counts.requests.value("grade_form", "looked_up") == 1
    shown = reply.message
    assert shown["response_action"] == "update"
    assert shown["view"]["title"]["text"] == "CRS grade 3"
    # One vasopressor with low-flow oxygen: the worse of the two (ASTCT 2019).
    assert "CRS grade 3 by ASTCT 2019" in str(shown["view"]["blocks"][0])
    assert f"receipt #{looked_up.seq}-{looked_up.leaf.hex()[:4]}" in str(shown["view"]["blocks"][-1])
    assert looked_up.payload is not None
    assert (looked_up.kind, delivered.kind, delivered.ref) == ("looked_up", "delivered", looked_up.seq)
    assert looked_up.payload["look_up"] == "grade.crs"
    assert looked_up.payload["arguments"] == {
        "fever": "yes",
        "hypotension": "one_vasopressor",
        "hypoxia": "low_flow",
        "grade": 3,
    }
    assert looked_up.payload["asker"] == {
        "via": "grade_form",
        "user": "U0FELLOW01",
        "channel": "C0TUMOURBD",
        "team": "T0TARLADEV",
    }
    assert "answered already" in again.text
    assert f"receipt #{looked_up.seq}-" in again.text
    assert "grade 3" not in again.text


@pytest.mark.parametrize("kind", ["crs", "icans"])
async def test_a_field_left_alone_is_an_error_under_it_and_never_a_default(tmp_path: Path, kind: str) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        await running.ask(f"grade {kind}")
        view = running.opened_view()
        fields = choices(view)
        for left_alone in fields:
            chosen = {block: (None if block == left_alone else options[0]) for block, options in fields.items()}
            for sent in (values(chosen), {block: at for block, at in values(chosen).items() if block != left_alone}):
                reply = await running.submit(view, sent)
                assert reply.message == {"response_action": "errors", "errors": {left_alone: "Choose one."}}
        assert await running.events() == []


async def test_buttons_lead_to_the_forms(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        about = (await running.ask("grade")).message
        symptoms = (await running.ask("fever ldh 480/250")).message
        for message in (about, symptoms):
            for kind in ("crs", "icans"):
                await running.press(button_of(message, f"tarla_grade_{kind}"))
                assert running.opened_view()["callback_id"] == f"tarla_grade_{kind}"
                assert running.opened_view()["private_metadata"] == "C0TUMOURBD"


async def test_where_the_form_cannot_be_opened_tables_and_button_are_shown(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        running.slack.api.failing["views.open"] = "expired_trigger_id"
        reply = await running.ask("grade icans")
    assert "Grade of ICANS by ASTCT 2019" in reply.message["text"]
    assert button_of(reply.message, "tarla_grade_icans")


async def test_without_a_record_no_grade_is_shown(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    async with over_http(tmp_path / "file" / "ledger.db") as running:
        await running.ask("grade crs")
        reply = await running.submit(running.opened_view(), values(CRS))
    assert "cannot be written" in reply.text
    assert "grade 3" not in reply.text


@pytest.mark.parametrize("metadata", ["Mr Miller", "C0<@U1>", "c" * 40])
async def test_a_form_that_was_tampered_with_is_no_form(tmp_path: Path, metadata: str) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        await running.ask("grade crs")
        reply = await running.submit(running.opened_view() | {"private_metadata": metadata}, values(CRS))
        assert await running.events() == []
    assert "something went wrong" in reply.text
    assert metadata not in reply.text


async def test_a_refused_look_up_is_told_without_a_way_to_a_risk(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        reply = (await running.ask("manage crs nine Miller")).message
        (refused, _) = await running.events()
    assert reply["text"].startswith("Nothing was looked up.")
    assert "Miller" not in str(reply)
    assert "tarla_form" not in str(reply)
    assert refused.kind == "refused"
    answers.assert_no_estimate(reply["text"])
