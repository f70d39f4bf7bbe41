"""With TARLA_ID_KEY no Slack id stands in the ledger, and everybody still finds their own answers."""

import hashlib
import hmac
import json
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.clock import SystemClock
from bot.ledger.id_key import Pseudonyms, pseudonyms_of
from bot.ledger.store import Store, prepare
from bot.settings import SettingsError
from bot.standin import Caller
from handlers.ports import Entry
from tests.support.answers import WORDS
from tests.support.app import home_opened, over_http, settings_for, until
from tests.support.signing import event_request

USER, OTHER = "U0FELLOW01", "U0SOMEONE"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "ids.key"


def hashed(key: Path, name: str) -> str:
    """The keyed hash, worked out here."""
    secret = bytes.fromhex(key.read_text(encoding="ascii").strip())
    return "hmac:" + hmac.new(secret, name.encode(), hashlib.sha256).hexdigest()


async def test_no_id_is_in_the_ledger_and_own_answers_are_found(tmp_path: Path, key: Path) -> None:
    path = tmp_path / "ledger" / "ledger.db"
    async with over_http(path, tarla_id_key=key) as running:
        answer = await running.ask(WORDS)
        await running.ask("ldh 777/250", caller=Caller(user_id=OTHER))
        await running.ask("zaphod")
        await running.write(WORDS, kind="message")
        await until(lambda: running.called("chat.postMessage"))
        what_if = next(
            element
            for block in answer.message["blocks"]
            if block["type"] == "actions"
            for element in block["elements"]
            if element["text"]["text"] == "What if"
        )
        await running.press(what_if)
        await running.press(what_if, caller=Caller(user_id=OTHER))
        await until(lambda: len(running.slack.responses) + len(running.slack.api.views) >= 2)
        for user in (USER, OTHER):
            await running.send(event_request(home_opened(user=user)))
        await until(lambda: len(running.called("views.publish")) == 2)
        events = await running.events()
    content = path.read_bytes()
    for name in (USER, OTHER, "T0HOSPITAL", "C0TUMOURBD", "D0FELLOW01"):
        assert name.encode() not in content
    askers = [event.payload["asker"] for event in events if event.payload and "asker" in event.payload]
    assert {asker["user"] for asker in askers} == {hashed(key, USER), hashed(key, OTHER)}  # type: ignore[index,call-overload]
    assert all(str(asker[name]).startswith("hmac:") for asker in askers for name in asker if name != "via")  # type: ignore[union-attr,index,call-overload]
    kinds = [(event.kind, "comparison" in (event.payload or {})) for event in events]
    assert kinds.count(("computed", True)) == 1  # the other person's press was turned away
    homes = {
        args["user_id"]: json.dumps(args["view"], ensure_ascii=False).replace("\N{NO-BREAK SPACE}", " ")
        for args in running.called("views.publish")
    }
    mine, others = homes[USER], homes[OTHER]
    assert "LDH 777" not in mine
    assert "480 U/L" in mine
    assert "LDH 777" in others
    assert "480 U/L" not in others


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path, key: Path) -> None:
    settings = settings_for(tmp_path / "ledger" / "ledger.db", tarla_id_key=key)
    first = pseudonyms_of(settings)
    made = key.read_bytes()
    second = pseudonyms_of(settings)
    assert first is not None
    assert second is not None
    assert first.of(USER) == second.of(USER) == hashed(key, USER)
    assert first.of(first.of(USER)) == first.of(USER)
    assert key.read_bytes() == made
    assert len(made) == 65
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert made.decode().strip() not in repr(first)


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        ("ab" * 32, 0o640, "others may read"),
        ("ab" * 31, 0o600, "32 bytes"),
        ("\N{MICRO SIGN}", 0o600, "cannot be read"),
    ],
)
def test_a_key_that_cannot_be_trusted_is_refused(tmp_path: Path, key: Path, content: str, mode: int, told: str) -> None:
    key.parent.mkdir()
    key.write_text(content, encoding="utf-8")
    key.chmod(mode)
    with pytest.raises(SettingsError, match=told) as refused:
        pseudonyms_of(settings_for(tmp_path / "ledger" / "ledger.db", tarla_id_key=key))
    assert content not in str(refused.value)


async def test_a_lost_key_is_not_replaced_unnoticed(tmp_path: Path, key: Path) -> None:
    path = tmp_path / "ledger" / "ledger.db"
    async with over_http(path, tarla_id_key=key) as running:
        await running.ask(WORDS)
    key.unlink()
    with pytest.raises(SettingsError, match="missing"):
        pseudonyms_of(settings_for(path, tarla_id_key=key))
    with closing(Store(path, SystemClock())) as store:  # many starts without a question
        starts = [prepare(Entry(f"started-{number}", "started", {"version": 1})) for number in range(300)]
        store.append(starts, time.monotonic() + 2)
    with pytest.raises(SettingsError, match="was written with one"):
        pseudonyms_of(settings_for(path, tarla_id_key=key))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SettingsError, match="locked"):
            pseudonyms_of(settings_for(path, tarla_id_key=key))
    assert not key.exists()


def test_only_ids_are_replaced() -> None:
    ids = Pseudonyms(b"k" * 32)
    payload = {"asker": {"via": "mention", "user": USER, "team": "T0X", "channel": "C0X"}, "length": 3}
    entry = ids.entry(Entry("message:T0X:C0X:17.1#delivery", "refused", payload))
    assert entry.payload["length"] == 3
    asker = entry.payload["asker"]
    assert asker == {"via": "mention", "user": ids.of(USER), "team": ids.of("T0X"), "channel": ids.of("C0X")}
    assert entry.idem_key == f"message:{ids.of('message:T0X:C0X:17.1')}#delivery"
    assert ids.entry(Entry("command:1.2.3", "refused", {})).idem_key == "command:1.2.3"


def test_the_auditor_is_told_how_an_id_is_kept(tmp_path: Path, key: Path) -> None:
    environment = {"TARLA_LEDGER": str(tmp_path / "ledger" / "ledger.db"), "TARLA_ID_KEY": str(key)}
    done = CliRunner().invoke(main, ["audit", "whois", USER], env=environment)
    assert (done.exit_code, done.output.strip()) == (0, hashed(key, USER))
    plain = CliRunner().invoke(main, ["audit", "whois", USER], env={**environment, "TARLA_ID_KEY": ""})
    assert plain.output.strip() == USER
