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
    _clock: itertools.count[int] = field(default_factory=lambda: itertools.count(1_800_000_000))

    def answer(self, method: str, token: str | None, args: Args) -> Answer:
        """Answer one call and keep it in ``calls``."""
        known = self._methods().get(method)
        answer = failed("unknown_method") if known is None else self._refusal(token, method) or known(args)
        self.calls.append(ApiCall(method, args, answer))
        return answer

    def _methods(self) -> dict[str, Callable[[Args], Answer]]:
        return {
            "auth.test": self._auth_test,
            "apps.connections.open": self._open_connection,
            "team.info": self._team_info,
            "users.info": self._users_info,
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
                "profile": {"display_name": name, "real_name": name},
            },
        }

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
