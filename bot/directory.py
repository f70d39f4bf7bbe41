"""Slack's people and user groups over the Web API, remembered for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.remembering import Remembered
from handlers.ports import DirectoryUnavailableError, OwnWorkspace, Person

# Slack gives up on us after 3 s, and the answer itself needs its time.
PATIENCE_S = 1.2
PEOPLE_FRESH_S, GROUPS_FRESH_S, WORKSPACE_FRESH_S = 600.0, 300.0, 86_400.0
RESERVE_S = 86_400.0
RETRY_S = 30.0
PEOPLE_MOST, GROUPS_MOST = 5_000, 100
# An account, a group that there is not. Slack has answered: nothing older is to be believed.
NO_SUCH_USER = frozenset({"user_not_found", "user_not_visible", "users_not_found"})
NO_SUCH_GROUP = frozenset({"no_such_subteam", "subteam_not_found"})

log = logging.getLogger("tarla.directory")
T = TypeVar("T")


class SlackDirectory:
    """Implements ``handlers.ports.Directory``."""

    def __init__(
        self, client: AsyncWebClient, monotonic: Callable[[], float], *, patience_s: float = PATIENCE_S
    ) -> None:
        self._client = client
        self._patience_s = patience_s
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
        answer = await self._ask("auth.test", self._client.auth_test())
        return OwnWorkspace(team=_text(answer, "team_id"), enterprise=_text(answer, "enterprise_id"))

    async def _ask_person(self, user: str) -> Person | None:
        answer = await self._ask("users.info", self._client.users_info(user=user), NO_SUCH_USER)
        found = answer.get("user")
        return person_of(found) if isinstance(found, Mapping) else None

    async def _ask_members(self, group: str) -> frozenset[str]:
        call = self._client.usergroups_users_list(usergroup=group)
        answer = await self._ask("usergroups.users.list", call, NO_SUCH_GROUP)
        users = answer.get("users")
        return frozenset(str(user) for user in users) if isinstance(users, list) else frozenset()

    async def _ask(
        self, method: str, call: Awaitable[AsyncSlackResponse], absent: frozenset[str] = frozenset()
    ) -> Mapping[str, Any]:
        """Slack's answer; empty where its error is one of ``absent``."""
        try:
            async with asyncio.timeout(self._patience_s):
                answer = await call
        except SlackApiError as error:
            code = str(error.response.get("error", "unknown"))
            if code in absent:
                return {}
            reason = code
        except TimeoutError:
            reason = "timeout"
        except Exception as error:  # noqa: BLE001 - whatever keeps Slack from answering, nobody can be recognised
            reason = type(error).__name__
        else:
            return answer.data if isinstance(answer.data, dict) else {}
        log.warning("Slack does not answer %s: %s", method, reason)
        raise DirectoryUnavailableError(reason)


def person_of(user: Mapping[str, Any]) -> Person:
    """The account in Slack's user object; flags that it leaves out are false."""
    enterprise = user.get("enterprise_user")
    organisation: Mapping[str, Any] = enterprise if isinstance(enterprise, Mapping) else {}
    teams = organisation.get("teams")
    name = str(user.get("id", ""))
    return Person(
        user=name,
        team=_text(user, "team_id"),
        enterprise=_text(organisation, "enterprise_id") or _text(user, "enterprise_id"),
        enterprise_teams=tuple(str(team) for team in teams) if isinstance(teams, list) else (),
        is_stranger=user.get("is_stranger") is True,
        is_guest=user.get("is_restricted") is True or user.get("is_ultra_restricted") is True,
        is_bot=user.get("is_bot") is True or user.get("is_workflow_bot") is True or name == "USLACKBOT",
        is_deactivated=user.get("deleted") is True,
    )


def _text(answer: Mapping[str, Any], name: str) -> str | None:
    value = answer.get(name)
    return value if isinstance(value, str) and value else None
