"""Every place in Slack where somebody can type, with anything typed there."""

from __future__ import annotations

import itertools
import logging
import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bot.logs import JsonLines, PlainLines
from bot.standin import Caller, slash_command_payload, submitted
from handlers import controls
from handlers.form import Door, Origin, form_view
from tests.support.app import RunningApp
from tests.support.forms import filled
from tests.support.signing import FORM, interaction_request, signed

COMMANDS = ("{}", "ldh 480/250 liver yes {}", "ldh={}", "ldh 480/{}", "{}, dm no", "grade {}", "site {}")
LOOK_UPS = ("dose {}", "dose c1d8 {}", "toci {}", "manage crs {}", "monitor {}", "evidence {}", "evidence crs {}")
MESSAGES = ("<@U0TARLABOT> {}", "{} liver yes")
_numbers = itertools.count(1)
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


async def type_everywhere(running: RunningApp, text: str) -> dict[str, str]:
    """Type ``text`` into command, look-ups, mention, direct message, both number fields, and what buttons carry.

    Returns what came back over HTTP by surface; what went through Slack's API is kept by the stand-in.
    """
    replies: dict[str, str] = {}

    async def note(surface: str, request: Any) -> None:
        reply = await running.send(request)
        assert reply.status in (200, 400, 404), (surface, reply.status)
        replies[surface] = reply.text

    for frame in (*COMMANDS, *LOOK_UPS):
        fields = slash_command_payload(frame.format(text), response_url=running.slack.new_response_url())
        await note(f"/tarla {frame}", _signed_form(fields | {"trigger_id": f"1.2.t{next(_numbers)}"}))
    for frame, kind in ((MESSAGES[0], "app_mention"), (MESSAGES[1], "message")):
        ts = f"1800000000.{next(_numbers):06d}"
        replies[kind] = (await running.write(frame.format(text), kind=kind, ts=ts)).text
    for field in ("ldh", "uln"):
        view = {**_form(), "id": f"V{next(_numbers)}", "hash": "1.a"}
        await note(f"form {field}", interaction_request(submitted(view, filled(**{field: text}))))
    button = {"type": "button", "action_id": controls.SHARE, "value": text}
    replies["button"] = (await running.press(button)).text
    return replies


async def type_into_ids(running: RunningApp, text: str) -> list[str]:
    """Put ``text`` where Slack puts ids: user, team, channel, trigger, a modal's id, hash and memory."""
    replies = []
    for field in ("user_id", "team_id", "channel_id", "trigger_id", "user_name", "channel_name", "command"):
        fields = slash_command_payload("ldh 480/250", response_url=running.slack.new_response_url())
        replies.append(await running.send(_signed_form(fields | {"trigger_id": f"1.2.t{next(_numbers)}", field: text})))
    for field in ("id", "hash", "private_metadata", "callback_id"):
        view = {**_form(), "id": f"V{next(_numbers)}", "hash": "1.a", field: text}
        replies.append(await running.send(interaction_request(submitted(view, filled()))))
    caller = Caller(user_id=text)
    replies.append(
        await running.send(interaction_request(submitted({**_form(), "id": "V", "hash": "1"}, {}, caller=caller)))
    )
    assert all(reply.status in (200, 400, 404) for reply in replies)
    return [reply.text for reply in replies]


def sent_through_slack(running: RunningApp) -> str:
    """Everything that went out through the Web API or a response_url, apart from whom and where it was for."""
    bodies: list[Mapping[str, Any]] = [call.args for call in running.slack.calls if call.method != "users.info"]
    return "\n".join(map(repr, [*bodies, *(response.body for response in running.slack.responses)]))


def log_lines(records: list[logging.LogRecord]) -> list[str]:
    """The app's own records as the operator sees them, first all as plain lines, then all as JSON.

    Raises:
        AssertionError: a record is more than one line, or holds a control character.
    """
    own = [record for record in records if record.name.startswith("tarla")]
    lines = [PlainLines().format(record) for record in own]
    lines += [JsonLines().format(record) for record in own]
    for line in lines:
        assert "\n" not in line
        assert not _CONTROLS.search(line)
    return lines


def backup_of(path: Path, name: str = "backup.db") -> Path:
    """An online copy, made with SQLite's backup interface while the ledger may be written."""
    copy = path.with_name(name)
    source, target = sqlite3.connect(path), sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
    return copy


def all_bytes(folder: Path) -> dict[str, bytes]:
    """Every file of the folder in lower case: ledger, journal, backup and whatever else there is."""
    return {file.name: file.read_bytes().lower() for file in folder.iterdir() if file.is_file()}


def _form() -> dict[str, Any]:
    return form_view(Origin(Door.SHORTCUT), None)


def _signed_form(fields: Mapping[str, str]) -> Any:

    return signed(urlencode(fields, errors="surrogatepass"), content_type=FORM)
