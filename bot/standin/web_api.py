"""The few Web API methods that Tarla calls, answered in Slack's own words.

Anything else is ``unknown_method``, so that a new call cannot pass unnoticed.
"""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.standin.payloads import Workspace

Args = dict[str, Any]
Answer = dict[str, Any]

# Arguments that a form carries as JSON text.
_JSON_ARGUMENTS = ("blocks", "attachments", "view", "metadata")
# What of a user is told by users.info beyond the name, where it is not the default.
Flags = dict[str, Any]
APP_TOKEN_METHODS = frozenset({"apps.connections.open"})


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call of the Web API: method, arguments (without the token) and the answer given."""

    method: str
    args: Args
    answer: Answer


def failed(error: str) -> Answer:
    """Slack's shape of a refusal; the HTTP status stays 200."""
    return {"ok": False, "error": error}


async def read_arguments(request: web.Request) -> tuple[str | None, Args]:
    """Token and arguments of a call, wherever they stand: header, query, form or JSON."""
    args: Args = dict(request.query)
    if request.content_type == "application/json":
        body = await request.json() if await request.text() else {}
        args |= body if isinstance(body, dict) else {}
    else:
        args |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    for name in _JSON_ARGUMENTS:
        if isinstance(args.get(name), str):
            args[name] = json.loads(args[name])
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    in_body = args.pop("token", None)
    return (bearer if scheme == "Bearer" else in_body), args


@dataclass
class WebApi:
    """Answers calls for one installed app. ``open_socket`` gives a new Socket Mode address."""

    bot_token: str
    app_token: str
    workspace: Workspace
    users: dict[str, str]
    open_socket: Callable[[], str]
    calls: list[ApiCall] = field(default_factory=list)
    # By user id: is_restricted, is_ultra_restricted, is_stranger, team_id ...
    flags: dict[str, Flags] = field(default_factory=dict)
    # Members by the id of a user group.
    groups: dict[str, list[str]] = field(default_factory=dict)
    # Open modals by id, as Slack would show them.
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    # A trigger_id opens one modal; those put here are past their three seconds.
    spent_triggers: set[str] = field(default_factory=set)
    # Methods that answer with this error instead.
    failing: dict[str, str] = field(default_factory=dict)
    # HTTP status and headers for the next calls of a method, one each: Slack's 429 among them.
    script: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)
    # Methods that answer only after this many seconds.
    slow: dict[str, float] = field(default_factory=dict)
    # Methods whose answer is this text instead, named JSON as Slack's is.
    garbled: dict[str, str] = field(default_factory=dict)
    _clock: itertools.count[int] = field(default_factory=lambda: itertools.count(1_800_000_000))

    def answer(self, method: str, token: str | None, args: Args) -> Answer:
        """Answer one call and keep it in ``calls``."""
        known = self._methods().get(method)
        if known is None:
            answer = failed("unknown_method")
        elif method in self.failing:
            answer = failed(self.failing[method])
        else:
            answer = self._refusal(token, method) or known(args)
        self.calls.append(ApiCall(method, args, answer))
        return answer

    def _methods(self) -> dict[str, Callable[[Args], Answer]]:
        return {
            "auth.test": self._auth_test,
            "apps.connections.open": self._open_connection,
            "team.info": self._team_info,
            "users.info": self._users_info,
            "usergroups.users.list": self._group_members,
            "views.open": self._open_view,
            "views.push": self._open_view,
            "views.update": self._update_view,
            "views.publish": self._publish_view,
            "chat.postMessage": self._post_message,
            "chat.postEphemeral": self._post_ephemeral,
        }

    def _refusal(self, token: str | None, method: str) -> Answer | None:
        if not token:
            return failed("not_authed")
        if token not in (self.bot_token, self.app_token):
            return failed("invalid_auth")
        wanted = self.app_token if method in APP_TOKEN_METHODS else self.bot_token
        return None if token == wanted else failed("not_allowed_token_type")

    def _auth_test(self, _args: Args) -> Answer:
        place = self.workspace
        return {
            "ok": True,
            "url": f"https://{place.team_domain}.example/",
            "team": place.team_name,
            "user": place.bot_name,
            "team_id": place.team_id,
            "user_id": place.bot_user_id,
            "bot_id": place.bot_id,
            "is_enterprise_install": False,
        }

    def _open_connection(self, _args: Args) -> Answer:
        return {"ok": True, "url": self.open_socket()}

    def _team_info(self, args: Args) -> Answer:
        place = self.workspace
        if args.get("team", place.team_id) != place.team_id:
            return failed("team_not_found")
        return {"ok": True, "team": {"id": place.team_id, "name": place.team_name, "domain": place.team_domain}}

    def _users_info(self, args: Args) -> Answer:
        user = str(args.get("user", ""))
        if user not in self.users:
            return failed("user_not_found")
        name = self.users[user]
        return {
            "ok": True,
            "user": {
                "id": user,
                "team_id": self.workspace.team_id,
                "name": name,
                "deleted": False,
                "is_bot": user == self.workspace.bot_user_id,
                "is_restricted": False,
                "is_ultra_restricted": False,
                "profile": {"display_name": name, "real_name": name},
                **self.flags.get(user, {}),
            },
        }

    def _group_members(self, args: Args) -> Answer:
        group = str(args.get("usergroup", ""))
        if group not in self.groups:
            return failed("no_such_subteam")
        return {"ok": True, "users": list(self.groups[group])}

    def _open_view(self, args: Args) -> Answer:
        view, trigger = args.get("view"), args.get("trigger_id")
        if not isinstance(view, dict) or not isinstance(trigger, str):
            return failed("invalid_arguments")
        if trigger in self.spent_triggers:
            return failed("expired_trigger_id")
        self.spent_triggers.add(trigger)
        return self._show_view(f"V{secrets.token_hex(5).upper()}", view)

    def _update_view(self, args: Args) -> Answer:
        view, shown = args.get("view"), self.views.get(str(args.get("view_id", "")))
        if not isinstance(view, dict):
            return failed("invalid_arguments")
        if shown is None:
            return failed("not_found")
        if args.get("hash", shown["hash"]) != shown["hash"]:
            return failed("hash_conflict")
        return self._show_view(shown["id"], view)

    def _show_view(self, view_id: str, view: dict[str, Any]) -> Answer:
        shown = {**view, "id": view_id, "hash": f"{self._ts()}.{secrets.token_hex(4)}", "root_view_id": view_id}
        shown |= {"app_id": self.workspace.app_id, "team_id": self.workspace.team_id, "state": {"values": {}}}
        self.views[view_id] = shown
        return {"ok": True, "view": shown}

    def _publish_view(self, args: Args) -> Answer:
        view = args.get("view")
        if not isinstance(view, dict) or "user_id" not in args:
            return failed("invalid_arguments")
        published = {"id": f"V{secrets.token_hex(5).upper()}", "hash": self._ts(), "app_id": self.workspace.app_id}
        return {"ok": True, "view": view | published | {"team_id": self.workspace.team_id}}

    def _post_message(self, args: Args) -> Answer:
        if refusal := _unsendable(args):
            return refusal
        ts = self._ts()
        message = {"type": "message", "ts": ts, "user": self.workspace.bot_user_id, "bot_id": self.workspace.bot_id}
        shown = {name: args[name] for name in ("text", "blocks") if name in args}
        return {"ok": True, "channel": args["channel"], "ts": ts, "message": message | shown}

    def _post_ephemeral(self, args: Args) -> Answer:
        if "user" not in args:
            return failed("invalid_arguments")
        return _unsendable(args) or {"ok": True, "message_ts": self._ts()}

    def _ts(self) -> str:
        return f"{next(self._clock)}.000100"


def _unsendable(args: Args) -> Answer | None:
    if "channel" not in args:
        return failed("invalid_arguments")
    return None if args.get("text") or args.get("blocks") else failed("no_text")
