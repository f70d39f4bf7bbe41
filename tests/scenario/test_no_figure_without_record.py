"""Audit or nothing: without a record, a model or a sound program there is an apology, and no figure anywhere."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from handlers import controls
from knowledge import model as model_module
from tests.support import app as support
from tests.support.app import Reply, over_http, over_socket, until
from tests.support.forms import button_of, filled
from tests.support.slack_limits import check_message

_DIGIT = re.compile(r"[0-9]")


@pytest.fixture
def unwritable(tmp_path: Path) -> Path:
    """A path below a regular file: nobody can write there, not even root."""
    file = tmp_path / "file"
    file.write_text("not a folder", encoding="utf-8")
    return file / "ledger.db"


@pytest.fixture
def model_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The shipped model copied to where it can be broken, and used from there."""
    folder = tmp_path / "model"
    folder.mkdir()
    for file in model_module.data_folder().iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(model_module, "data_folder", lambda: folder)
    model_module.load.cache_clear()
    yield folder
    model_module.load.cache_clear()


def _has_no_figure(reply: Reply) -> None:
    assert reply.status == 200
    check_message(reply.message)
    assert "Risk not shown" in reply.text
    assert not _DIGIT.search(reply.text)


async def test_without_a_ledger_there_is_no_figure(unwritable: Path) -> None:
    async with over_http(unwritable) as running:
        reply = await running.ask()
        assert await running.tarla.background.drain(1.0) == 0
    _has_no_figure(reply)
    assert "the audit ledger cannot be written" in reply.text
    assert "cannot_open" in reply.text


async def test_a_ledger_that_somebody_holds_is_worth_another_try_and_a_missing_one_is_not(
    tmp_path: Path, unwritable: Path
) -> None:
    path = tmp_path / "ledger" / "ledger.db"
    async with over_http(path) as running:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            held = await running.ask()
        assert "receipt #" in (await running.ask()).text
    _has_no_figure(held)
    assert "Try again in a few seconds." in held.text
    async with over_http(unwritable) as running:
        assert "Try again" not in (await running.ask()).text


async def test_without_a_ledger_there_is_no_figure_over_socket_mode_either(unwritable: Path) -> None:
    async with over_socket(unwritable) as (running, _):
        message = await running.slack.slash_command(support.WORDS)
    _has_no_figure(Reply(200, json.dumps(message)))


async def test_a_refusal_is_told_even_without_a_ledger(unwritable: Path) -> None:
    async with over_http(unwritable) as running:
        reply = await running.ask("ldh 480/250 livr yes")
    check_message(reply.message)
    assert "Did you mean: liver" in reply.text
    assert "%" not in reply.text


async def test_a_look_up_that_is_shown_without_a_ledger_says_that_it_is_not_recorded(unwritable: Path) -> None:
    async with over_http(unwritable) as running:
        quoted = await running.ask("monitor")
        about_a_patient = await running.ask("toci 82kg")
    for part in (quoted.message["text"], str(quoted.message["blocks"][-1])):
        assert "not recorded: the audit ledger cannot be written" in part
    assert "receipt #" not in quoted.text
    assert "Not shown: the audit ledger cannot be written." in about_a_patient.text
    assert not re.search(r"[0-9] ?mg", about_a_patient.text)


async def test_a_ledger_that_can_be_written_again_gives_answers_again(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way", encoding="utf-8")
    async with over_http(file / "ledger.db") as running:
        _has_no_figure(await running.ask(trigger_id="1.2.first"))
        file.unlink()
        reply = await running.ask(trigger_id="1.2.second")
        computed, delivered = await running.events()
    assert "receipt #1-" in reply.text
    assert (computed.kind, delivered.kind) == ("computed", "delivered")


@pytest.mark.parametrize("fault", ["no file", "no pointer", "altered", "pointer is not JSON"])
async def test_without_a_sound_model_there_is_no_figure(model_folder: Path, tmp_path: Path, fault: str) -> None:
    (data,) = model_folder.glob("*.npz")
    pointer = model_folder / "model.json"
    if fault == "no file":
        data.unlink()
    elif fault == "no pointer":
        pointer.unlink()
    elif fault == "altered":
        whole = data.read_bytes()
        data.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    else:
        pointer.write_text("{", encoding="utf-8")
    async with over_http(tmp_path / "ledger.db") as running:
        reply = await running.ask()
        assert await running.events() == []
        report = await running.readiness()
    _has_no_figure(reply)
    assert "the model file is not usable" in reply.text
    assert "Use your local protocol" in str(reply.message)
    assert "ledger" not in str(reply.message), "the ledger has no part in it"
    assert report.status == 503
    assert json.loads(report.text) == {"ready": False, "reasons": {"model": "not_usable"}, "warnings": {}}


async def test_without_a_sound_model_form_and_buttons_show_no_figure_either(model_folder: Path, tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        answer = await running.ask()
        (model_folder / "model.json").unlink()
        model_module.load.cache_clear()
        await running.ask("", response_url=running.slack.new_response_url())
        form = await running.submit(running.opened_view(), filled())
        shown = [form.text]
        for count, action_id in enumerate((controls.MODEL, controls.WHAT_IF, controls.SHARE), 2):
            await running.press(button_of(answer.message, action_id))
            await until(lambda wanted=count: len(running.called("views.open")) == wanted)
            shown.append(str(running.called("views.open")[-1]["view"]["blocks"]))
        events = await running.events()
    assert [event.kind for event in events] == ["computed", "delivered"]
    assert running.slack.responses == []
    for text in shown:
        assert "the model file is not usable" in text
        assert not re.search(r"[0-9] ?%", text)


async def test_an_unforeseen_failure_is_an_apology_with_a_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.compose.open_ledger", support.open_broken)
    with caplog.at_level(logging.DEBUG):
        async with over_http(tmp_path / "ledger.db") as running:
            reply = await running.ask("ldh 487/251 liver yes")
            assert await running.events() == []
    assert reply.status == 200
    check_message(reply.message)
    found = re.search(r"reference: ([0-9a-f]{8})", reply.text)
    assert found
    assert "something went wrong inside Tarla" in reply.text
    assert not _DIGIT.search(reply.text.replace(found[1], ""))
    (failure,) = (record for record in caplog.records if record.name == "tarla.handlers")
    assert failure.levelno == logging.ERROR
    assert f"reference={found[1]} type=RuntimeError at=record:" in failure.getMessage()
    for value in ("487", "251", "U0FELLOW01", "cannot keep"):
        assert value not in caplog.text
        assert value not in reply.text


async def test_it_is_ready_or_says_what_is_in_the_way(tmp_path: Path, unwritable: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        well = await running.readiness()
    async with over_http(unwritable) as running:
        ill = await running.readiness()
    assert (well.status, json.loads(well.text)) == (200, {"ready": True, "reasons": {}, "warnings": {}})
    assert (ill.status, json.loads(ill.text)) == (
        503,
        {"ready": False, "reasons": {"ledger": "cannot_open"}, "warnings": {}},
    )
