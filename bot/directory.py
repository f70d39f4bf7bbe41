"""Slack's people and user groups over the Web API, remembered for a while."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.remembering import Remembered
from bot.slack_errors import slack_code
from handlers.ports import DirectoryUnavailableError, OwnWorkspace, Person

# Slack gives up on us after 3 s, and the answer itself needs its time.
PATIENCE_S = 1.2
PEOPLE_FRESH_S, GROUPS_FRESH_S, WORKSPACE_FRESH_S = 600.0, 300.0, 86_400.0
RESERVE_S = 86_400.0
RETRY_S = 30.0
# Slack's limits are by the minute; a longer wait would lock everybody out on the word of a proxy.
LONGEST_WAIT_S = 120.0
HTTP_TOO_MANY, TOO_MANY = 429, "ratelimited"
MALFORMED = "malformed"
FLAGS = ("deleted", "is_bot", "is_restricted", "is_stranger", "is_ultra_restricted", "is_workflow_bot")
PEOPLE_MOST, GROUPS_MOST = 5_000, 100
# An account, a group that there is not. Slack has answered: nothing older is to be believed.
NO_SUCH_USER = frozenset({"user_not_found", "user_not_visible", "users_not_found"})
NO_SUCH_GROUP = frozenset({"no_such_subteam", "subteam_not_found"})

_WHOLE_SECONDS = re.compile(r"[0-9]{1,6}", re.ASCII)

log = logging.getLogger("tarla.directory")
T = TypeVar("T")


class SlackDirectory:
    """Implements ``handlers.ports.Directory``."""

    def __init__(
        self, client: AsyncWebClient, monotonic: Callable[[], float], *, patience_s: float = PATIENCE_S
    ) -> None:
        self._client = client
        self._patience_s = patience_s
        self._monotonic = monotonic
        # By method, since Slack counts them apart: when it may be asked again.
        self._not_before: dict[str, float] = {}
        common: dict[str, Any] = {"reserve_s": RESERVE_S, "retry_s": RETRY_S, "monotonic": monotonic}
        self._people: Remembered[Person | None] = Remembered(
            # Somebody unknown may be known in a moment.
            fresh_s=PEOPLE_FRESH_S,
            most=PEOPLE_MOST,
            keep=lambda person: person is not None,
            **common,
        )
        self._groups: Remembered[frozenset[str]] = Remembered(fresh_s=GROUPS_FRESH_S, most=GROUPS_MOST, **common)
        self._own: Remembered[OwnWorkspace] = Remembered(fresh_s=WORKSPACE_FRESH_S, most=1, **common)

    async def workspace(self) -> OwnWorkspace:
        """The workspace the bot token belongs to (``auth.test``)."""
        return await self._own.get("own", self._ask_workspace)

    async def person(self, user: str) -> Person | None:
        """The account of this id (``users.info``)."""
        return await self._people.get(user, lambda: self._ask_person(user))

    async def members(self, group: str) -> frozenset[str]:
        """User ids of a user group (``usergroups.users.list``)."""
        return await self._groups.get(group, lambda: self._ask_members(group))

    async def _ask_workspace(self) -> OwnWorkspace:
        return await self._read("auth.test", self._client.auth_test, workspace_of)

    async def _ask_person(self, user: str) -> Person | None:
        return await self._read(
            "users.info",
            lambda: self._client.users_info(user=user),
            lambda answer: person_of(answer, user),
            (NO_SUCH_USER, None),
        )

    async def _ask_members(self, group: str) -> frozenset[str]:
        nobody: frozenset[str] = frozenset()
        return await self._read(
            "usergroups.users.list",
            lambda: self._client.usergroups_users_list(usergroup=group),
            members_of,
            (NO_SUCH_GROUP, nobody),
        )

    async def _read(
        self,
        method: str,
        call: Callable[[], Awaitable[AsyncSlackResponse]],
        read: Callable[[Mapping[str, Any]], T],
        absent: tuple[frozenset[str], T] | None = None,
    ) -> T:
        """What ``read`` makes of Slack's answer; ``absent`` are errors that are an answer too, and which."""
        if self._monotonic() < self._not_before.get(method, 0.0):
            raise DirectoryUnavailableError(TOO_MANY)  # as the log has said already
        try:
            async with asyncio.timeout(self._patience_s):
                answer = await call()
            return read(_object(answer.data))
        except SlackApiError as error:
            reason = slack_code(error) or MALFORMED
            if absent is not None and reason in absent[0]:
                return absent[1]
            if (seconds := asked_to_wait(error)) is not None:
                self._not_before[method] = self._monotonic() + seconds
                reason = TOO_MANY
        except TimeoutError:
            reason = "timeout"
        except (MalformedAnswerError, AttributeError, TypeError, ValueError):
            # slack_sdk itself stumbles over JSON that is no object.
            reason = MALFORMED
        except Exception as error:  # noqa: BLE001 - whatever keeps Slack from answering, nobody can be recognised
            reason = type(error).__name__
        log.warning("Slack does not answer %s: %s", method, reason, extra={"method": method, "reason": reason})
        raise DirectoryUnavailableError(reason)


def asked_to_wait(error: SlackApiError) -> float | None:
    """Seconds for which Slack wants to be left alone; None where it did not say so."""
    answer: Any = error.response  # slack_sdk's, or aiohttp's where the body is no JSON
    status = getattr(answer, "status_code", None) or getattr(answer, "status", None)
    asked = (getattr(answer, "headers", None) or {}).get("Retry-After", "")
    if status != HTTP_TOO_MANY or not _WHOLE_SECONDS.fullmatch(asked):
        return None
    return min(float(asked), LONGEST_WAIT_S)


class MalformedAnswerError(Exception):
    """An answer is not of the shape Slack documents: nobody is let in on the strength of it."""


def workspace_of(answer: Mapping[str, Any]) -> OwnWorkspace:
    """The workspace, or the whole organisation, in ``auth.test``'s answer.

    Raises:
        MalformedAnswerError: it names neither, or not as text.
    """
    own = OwnWorkspace(team=_text(answer, "team_id"), enterprise=_text(answer, "enterprise_id"))
    if own.team is None and own.enterprise is None:
        raise MalformedAnswerError
    return own


def person_of(answer: Mapping[str, Any], asked: str) -> Person:
    """The account in ``users.info``'s answer; flags that it leaves out are false.

    Raises:
        MalformedAnswerError: it is not the account ``asked`` about, tells no workspace, or a flag is no boolean.
    """
    user = _object(answer.get("user"))
    flags = {name: user.get(name, False) for name in FLAGS}
    team = _text(user, "team_id")
    if user.get("id") != asked or team is None or not all(isinstance(flag, bool) for flag in flags.values()):
        raise MalformedAnswerError
    organisation = _object(user.get("enterprise_user") or {})
    return Person(
        user=asked,
        team=team,
        enterprise=_text(organisation, "enterprise_id") or _text(user, "enterprise_id"),
        enterprise_teams=_texts(organisation.get("teams") or []),
        is_stranger=flags["is_stranger"],
        is_guest=flags["is_restricted"] or flags["is_ultra_restricted"],
        is_bot=flags["is_bot"] or flags["is_workflow_bot"] or asked == "USLACKBOT",
        is_deactivated=flags["deleted"],
    )


def members_of(answer: Mapping[str, Any]) -> frozenset[str]:
    """User ids in ``usergroups.users.list``'s answer.

    Raises:
        MalformedAnswerError: it holds no list of them.
    """
    return frozenset(_texts(answer.get("users")))


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MalformedAnswerError
    return value


def _text(answer: Mapping[str, Any], name: str) -> str | None:
    """The text under ``name``; None where it is missing, null or empty."""
    value = answer.get(name)
    if value is not None and not isinstance(value, str):
        raise MalformedAnswerError
    return value or None


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise MalformedAnswerError
    return tuple(value)
