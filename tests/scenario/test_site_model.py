"""A site's own model through the real door: every place names it, says nothing false, and nothing replaces it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.models.folder import ModelFolder
from bot.standin import Caller
from handlers import controls
from handlers.answer import TableMode
from handlers.answer.figures import estimate
from knowledge import assess
from knowledge.model import load
from tests.support import answers
from tests.support.app import RunningApp, home_opened, over_http, over_socket, until
from tests.support.forms import button_of, filled
from tests.support.signing import event_request
from tests.support.site_models import DATA_SHA256, SITE_ID, artefact, in_use, site_model

ADMIN = Caller(user_id="U0SOMEONE")
ADMINS: dict[str, Any] = {"tarla_admin_group": "S0ADMINS"}
# Said of the shipped model, and untrue of one that this centre's patients updated.
FALSE_HERE = (
    *("centre not in the evidence", "a new centre", "the unknown centre", "at another centre"),
    *("never validated elsewhere", "30 patients, one centre", "the study's size"),
)
COUNTS = "CRS in 37 of 47, grade ≥ 2 in 14; ICANS in 9 of 46"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def words(body: Any) -> str:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("&gt;", ">")


async def everything(running: RunningApp) -> dict[str, str]:
    """What each door and each button shows of one patient."""
    running.slack.api.groups["S0ADMINS"] = [ADMIN.user_id]
    answer = await running.ask()
    shown = {"answer": words(answer.message)}
    for name, action_id in (("what if", controls.WHAT_IF), ("share", controls.SHARE)):
        before = len(running.slack.responses)
        await running.press(button_of(answer.message, action_id))
        await until(lambda count=before: len(running.slack.responses) > count)
        shown[name] = words(running.slack.responses[-1].body)
    await running.press(button_of(answer.message, controls.MODEL))
    await until(lambda: running.called("views.open"))
    shown["model"] = words(running.called("views.open")[-1]["view"])
    await running.use_shortcut(controls.SHORTCUT)
    await until(lambda: len(running.called("views.open")) == 2)
    form = await running.submit(running.opened_view(), filled())
    shown["form"] = words(form.message["view"])
    await running.send(event_request(home_opened()))
    await until(lambda: running.called("views.publish"))
    shown["home"] = words(running.called("views.publish")[-1]["view"])
    shown["site"] = words((await running.ask("site", caller=ADMIN)).message)
    await running.write(answers.WORDS, kind="message")
    await until(lambda: running.called("chat.postEphemeral") or running.called("chat.postMessage"))
    said = running.called("chat.postEphemeral") or running.called("chat.postMessage")
    shown["mention"] = words(said[-1])
    return shown


@pytest.mark.parametrize("mode", TableMode)
async def test_every_place_names_it_and_says_nothing_false(path: Path, mode: TableMode) -> None:
    in_use(path.parent / "models", artefact())
    async with over_http(path, table=mode, **ADMINS) as running:
        shown = await everything(running)
        events = await running.events()
    for place, text in shown.items():
        assert SITE_ID in text, place
        # The card in the modal is the parent's, and says so; the rest speaks of the model in use.
        for phrase in FALSE_HERE if place != "model" else ():
            assert phrase not in text, (place, phrase)
        assert "simulated patients" not in text.lower(), place
    for place in ("answer", "share", "form", "mention", "model", "what if", "home", "site"):
        assert COUNTS in shown[place], place
    model = site_model()
    for outcome in assess(answers.FACTORS, model).outcomes:
        printed = estimate(outcome.risk, outcome.interval)
        assert all(printed in shown[place] for place in ("answer", "what if", "share", "form", "mention", "home"))
    assert "facts-2" in shown["model"]
    assert model.version.sha256[:12] in shown["model"]
    assert DATA_SHA256[:12] in shown["model"]
    named = [(event.payload or {})["model"] for event in events if event.kind == "computed"]
    parent = {"id": load().version.id, "sha256": load().version.sha256}
    record = {"id": SITE_ID, "sha256": model.version.sha256, "parent": parent, "data_sha256": DATA_SHA256}
    assert named == [record] * len(named)
    assert len(named) >= 4


async def test_by_simulated_patients_every_place_says_so(path: Path) -> None:
    in_use(path.parent / "models", artefact(simulated=True))
    async with over_http(path, **ADMINS) as running:
        shown = await everything(running)
        events = await running.events()
    for place, text in shown.items():
        assert "simulated patients" in text.lower(), place
        assert "own patients" not in text, place
    for place in ("answer", "what if", "share", "form", "mention", "model"):
        assert "SIMULATED PATIENTS, not for care" in shown[place], place
    named = [dict(event.payload or {})["model"] for event in events if event.kind == "computed"]
    assert all(model["simulated"] is True for model in named)


async def test_the_notification_says_it_before_any_figure(path: Path) -> None:
    in_use(path.parent / "models", artefact(simulated=True))
    async with over_socket(path) as (running, _):
        message = await running.slack.slash_command("ldh 480/250 liver yes dm no cvd yes")
    text = str(message["text"])
    assert text.startswith("SIMULATED PATIENTS, not for care: ")
    assert f"model {SITE_ID} (simulated patients)" in text


async def test_a_model_that_is_gone_is_no_answer_and_not_another(path: Path) -> None:
    version = in_use(path.parent / "models", artefact())
    ModelFolder(path.parent / "models").place_of(version.sha256).unlink()
    async with over_http(path, **ADMINS) as running:
        running.slack.api.groups["S0ADMINS"] = [ADMIN.user_id]
        reply = await running.ask()
        await running.use_shortcut(controls.SHORTCUT)
        await until(lambda: running.called("views.open"))
        form = await running.submit(running.opened_view(), filled())
        await running.send(event_request(home_opened()))
        await until(lambda: running.called("views.publish"))
        home = words(running.called("views.publish")[-1]["view"])
        overview = words((await running.ask("site", caller=ADMIN)).message)
        ready = await running.readiness()
        async with (
            aiohttp.ClientSession() as session,
            session.get(running.address.replace("/slack/events", "/metrics")) as got,
        ):
            metrics = await got.text()
        events = await running.events()
    for text in (reply.text, form.text):
        assert "this centre's own model is not usable" in text
        assert "`tarla model use --shipped`" in text
        assert not re.search(r"[0-9] ?%", text)
    assert "not usable, so no risk is shown" in home
    assert "not usable, so no risk is shown" in overview
    assert (ready.status, json.loads(ready.text)["reasons"]) == (503, {"model": "site_model_not_usable"})
    assert 'tarla_probe_ok{probe="model"} 0.0' in metrics
    assert 'model="not usable"' in metrics
    assert "computed" not in {event.kind for event in events}


async def test_an_answer_of_the_shipped_model_is_not_shown_again_under_a_site_model(path: Path) -> None:
    """Restarted with another model, the buttons of older answers say that the model has changed."""
    async with over_http(path) as running:
        answer = await running.ask()
    in_use(path.parent / "models", artefact())
    async with over_http(path) as running:
        for count, action_id in enumerate((controls.WHAT_IF, controls.SHARE, controls.EDIT), 1):
            await running.press(button_of(answer.message, action_id))
            await until(lambda wanted=count: len(running.called("views.open")) == wanted)
            assert "the model has changed since this answer" in words(running.called("views.open")[-1])
        assert running.slack.responses == []


async def test_a_running_bot_keeps_its_model_until_it_is_started_again(path: Path) -> None:
    async with over_http(path) as running:
        before = await running.ask()
        in_use(path.parent / "models", artefact())
        meanwhile = await running.ask()
    async with over_http(path) as running:
        after = await running.ask()
    assert [SITE_ID in reply.text for reply in (before, meanwhile, after)] == [False, False, True]
