"""Slack's people and groups: asked about once, remembered for a while, and an old answer in reserve."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.directory import (
    FLAGS,
    GROUPS_FRESH_S,
    LONGEST_WAIT_S,
    PATIENCE_S,
    PEOPLE_FRESH_S,
    RESERVE_S,
    RETRY_S,
    SlackDirectory,
    person_of,
)
from bot.remembering import Remembered
from bot.standin import SlackStandin, proxies_dropped
from handlers.ports import DirectoryUnavailableError, OwnWorkspace, Person
from tests.support.app import APP_TOKEN, BOT_TOKEN
from tests.support.fakes import FakeClock

USER, GROUP = "U0FELLOW01", "S0ONCOLOGY"


class _Asked:
    """A directory that asks a stand-in, and its clock."""

    def __init__(self, slack: SlackStandin, patience_s: float) -> None:
        self.slack, self.clock = slack, FakeClock()
        client = AsyncWebClient(token=BOT_TOKEN, base_url=slack.api_url)
        self.directory = SlackDirectory(client, self.clock.monotonic, patience_s=patience_s)

    def times(self, method: str) -> int:
        return len([call for call in self.slack.calls if call.method == method])


@asynccontextmanager
async def _asking(patience_s: float = PATIENCE_S) -> AsyncIterator[_Asked]:
    with proxies_dropped():
        async with SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack:
            slack.api.groups[GROUP] = [USER]
            yield _Asked(slack, patience_s)


async def test_what_slack_says() -> None:
    async with _asking() as asked:
        asked.slack.api.flags[USER] = {"is_restricted": True, "team_id": "T0OTHER"}
        assert await asked.directory.workspace() == OwnWorkspace("T0TARLADEV")
        assert await asked.directory.person(USER) == Person(USER, team="T0OTHER", is_guest=True)
        assert await asked.directory.person("U0NOBODY") is None
        assert await asked.directory.members(GROUP) == {USER}
        assert await asked.directory.members("S0NONE") == frozenset()


async def test_who_is_known_is_not_asked_about_again_for_a_while() -> None:
    async with _asking() as asked:
        for _ in range(3):
            await asked.directory.person(USER)
            await asked.directory.members(GROUP)
        assert (asked.times("users.info"), asked.times("usergroups.users.list")) == (1, 1)
        asked.clock.advance(GROUPS_FRESH_S)
        asked.slack.api.groups[GROUP] = []
        assert await asked.directory.members(GROUP) == frozenset()
        await asked.directory.person(USER)
        assert (asked.times("users.info"), asked.times("usergroups.users.list")) == (1, 2)
        asked.clock.advance(PEOPLE_FRESH_S)
        asked.slack.api.flags[USER] = {"deleted": True}
        assert await asked.directory.person(USER) == Person(USER, team="T0TARLADEV", is_deactivated=True)


async def test_who_asks_meanwhile_shares_the_answer() -> None:
    async with _asking() as asked:
        asked.slack.api.slow["users.info"] = 0.05
        people = await asyncio.gather(*(asked.directory.person(USER) for _ in range(20)))
        assert set(people) == {Person(USER, team="T0TARLADEV")}
        assert asked.times("users.info") == 1


async def test_who_gives_up_waiting_does_not_take_it_from_the_others() -> None:
    async with _asking() as asked:
        asked.slack.api.slow["users.info"] = 0.05
        hasty, patient = (asyncio.create_task(asked.directory.person(USER)) for _ in range(2))
        await asyncio.sleep(0)
        hasty.cancel()
        assert await patient == Person(USER, team="T0TARLADEV")
        assert asked.times("users.info") == 1


@pytest.mark.parametrize("fault", ["error", "slow", "gone"])
async def test_an_old_answer_does_while_slack_gives_none(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    async with _asking(0.05) as asked:
        known = await asked.directory.person(USER)
        asked.clock.advance(PEOPLE_FRESH_S)
        if fault == "gone":
            asked.directory._client.base_url = "http://127.0.0.1:9/api/"
        else:
            (asked.slack.api.failing if fault == "error" else asked.slack.api.slow)["users.info"] = (  # type: ignore[index]
                "fatal_error" if fault == "error" else 0.3
            )
        assert await asked.directory.person(USER) == known
        calls = asked.times("users.info")
        # Not asked again at every request, which would hold each up.
        assert await asked.directory.person(USER) == known
        assert asked.times("users.info") == calls
        asked.clock.advance(RETRY_S)
        assert await asked.directory.person(USER) == known
        with pytest.raises(DirectoryUnavailableError):
            await asked.directory.person("U0SOMEONE")
        asked.clock.advance(RESERVE_S)
        with pytest.raises(DirectoryUnavailableError):
            await asked.directory.person(USER)
    lines = [
        record for record in caplog.records if record.levelno >= logging.WARNING and record.name == "tarla.directory"
    ]
    assert lines
    assert not any(USER in record.getMessage() for record in lines)


async def test_slack_has_the_last_word_on_who_is_gone() -> None:
    async with _asking() as asked:
        assert await asked.directory.person(USER) is not None
        asked.clock.advance(PEOPLE_FRESH_S)
        del asked.slack.api.users[USER]
        assert await asked.directory.person(USER) is None
        asked.slack.api.failing["users.info"] = "fatal_error"
        with pytest.raises(DirectoryUnavailableError):
            await asked.directory.person(USER)


@pytest.mark.parametrize(
    ("user", "person"),
    [
        ({}, Person("U1", team="T1")),
        ({"is_bot": True}, Person("U1", team="T1", is_bot=True)),
        ({"is_workflow_bot": True}, Person("U1", team="T1", is_bot=True)),
        ({"is_restricted": True}, Person("U1", team="T1", is_guest=True)),
        ({"is_ultra_restricted": True}, Person("U1", team="T1", is_guest=True)),
        ({"is_stranger": True}, Person("U1", team="T1", is_stranger=True)),
        ({"deleted": True}, Person("U1", team="T1", is_deactivated=True)),
        ({"is_stranger": False, "is_restricted": False, "enterprise_user": None}, Person("U1", team="T1")),
        (
            {"enterprise_user": {"enterprise_id": "E1", "teams": ["T1", "T2"]}},
            Person("U1", team="T1", enterprise="E1", enterprise_teams=("T1", "T2")),
        ),
    ],
)
def test_the_user_object_as_slack_documents_it(user: dict[str, Any], person: Person) -> None:
    assert person_of({"ok": True, "user": {"id": "U1", "team_id": "T1", **user}}, "U1") == person


def test_slackbot_is_no_person() -> None:
    assert person_of({"user": {"id": "USLACKBOT", "team_id": "T1", "is_bot": False}}, "USLACKBOT").is_bot


# What users.info says of a user, or in its place, that no account looks like.
MALFORMED: dict[str, str] = {
    "no user": "{}",
    "a list": '{"user": [1]}',
    "nothing of the user": '{"user": {}}',
    "another user": '{"user": {"id": "U0OTHER", "team_id": "T0TARLADEV"}}',
    "no workspace": f'{{"user": {{"id": "{USER}"}}}}',
    "workspace null": f'{{"user": {{"id": "{USER}", "team_id": null}}}}',
    "workspace a number": f'{{"user": {{"id": "{USER}", "team_id": 7}}}}',
    **{
        f"{flag} {value}": f'{{"user": {{"id": "{USER}", "team_id": "T0TARLADEV", "{flag}": {value}}}}}'
        for flag in FLAGS
        for value in ('"true"', "1", "null")
    },
    "organisation a text": f'{{"user": {{"id": "{USER}", "team_id": "T0TARLADEV", "enterprise_user": "E1"}}}}',
    "workspaces a text": (
        f'{{"user": {{"id": "{USER}", "team_id": "T0TARLADEV", "enterprise_user": {{"teams": "T0TARLADEV"}}}}}}'
    ),
}


@pytest.mark.parametrize("answer", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_user_lets_nobody_in_and_is_not_remembered(answer: str) -> None:
    async with _asking() as asked:
        asked.slack.api.garbled["users.info"] = json.dumps({"ok": True, **json.loads(answer)})
        with pytest.raises(DirectoryUnavailableError, match=r"^malformed$"):
            await asked.directory.person(USER)
        asked.slack.api.garbled.clear()
        assert await asked.directory.person(USER) == Person(USER, team="T0TARLADEV")


@pytest.mark.parametrize("page", ["<html>Access blocked</html>", "[1]", '"text"', ""])
async def test_a_page_in_the_place_of_slacks_answer(page: str) -> None:
    async with _asking() as asked:
        asked.slack.api.garbled |= dict.fromkeys(("auth.test", "users.info", "usergroups.users.list"), page)
        for ask in (asked.directory.workspace(), asked.directory.person(USER), asked.directory.members(GROUP)):
            with pytest.raises(DirectoryUnavailableError, match=r"^malformed$"):
                await ask


@pytest.mark.parametrize("answer", ['{"ok": true}', '{"ok": true, "team_id": 7}', '{"ok": true, "team_id": ""}'])
async def test_a_malformed_workspace_is_none(answer: str) -> None:
    async with _asking() as asked:
        asked.slack.api.garbled["auth.test"] = answer
        with pytest.raises(DirectoryUnavailableError, match=r"^malformed$"):
            await asked.directory.workspace()


@pytest.mark.parametrize(
    "answer", ['{"ok": true}', '{"ok": true, "users": "U0FELLOW01"}', '{"ok": true, "users": [1]}']
)
async def test_a_malformed_group_has_nobody(answer: str) -> None:
    async with _asking() as asked:
        asked.slack.api.garbled["usergroups.users.list"] = answer
        with pytest.raises(DirectoryUnavailableError, match=r"^malformed$"):
            await asked.directory.members(GROUP)


async def test_no_more_is_kept_than_agreed() -> None:
    clock, asked = FakeClock(), list[str]()
    kept: Remembered[str] = Remembered(fresh_s=10, reserve_s=20, retry_s=1, most=2, monotonic=clock.monotonic)

    async def ask(key: str) -> str:
        async def answer() -> str:
            asked.append(key)
            return key

        return await kept.get(key, answer)

    for key in ("a", "b", "a", "c", "a", "b"):
        assert await ask(key) == key
    assert asked == ["a", "b", "c", "b"]


async def test_slack_is_left_alone_for_as_long_as_it_asks() -> None:
    """Whoever is remembered is answered meanwhile; of whom nothing is known, Slack is not asked."""
    async with _asking() as asked:
        assert await asked.directory.person(USER) == Person(USER, team="T0TARLADEV")
        asked.clock.advance(PEOPLE_FRESH_S + 1)
        asked.slack.api.script["users.info"] = [(429, {"Retry-After": "60"})] * 5
        assert await asked.directory.person(USER) == Person(USER, team="T0TARLADEV")
        calls = len(asked.slack.calls)
        for seconds in (0, 31, 28):
            asked.clock.advance(seconds)
            assert await asked.directory.person(USER) == Person(USER, team="T0TARLADEV")
            with pytest.raises(DirectoryUnavailableError, match=r"^ratelimited$"):
                await asked.directory.person("U0SOMEONE")
        assert len(asked.slack.calls) == calls
        assert (await asked.directory.workspace()).team == "T0TARLADEV"  # another method has limits of its own
        asked.slack.api.script.clear()
        asked.clock.advance(2)
        assert await asked.directory.person("U0SOMEONE") is None
        assert len(asked.slack.calls) == calls + 2


@pytest.mark.parametrize(("asks", "waits"), [("86400", LONGEST_WAIT_S), ("0", 0.0), ("soon", 0.0), ("-5", 0.0)])
async def test_a_wait_that_no_limit_of_slacks_explains_is_cut(asks: str, waits: float) -> None:
    async with _asking() as asked:
        asked.slack.api.script["users.info"] = [(429, {"Retry-After": asks})]
        with pytest.raises(DirectoryUnavailableError, match=r"^ratelimited$"):
            await asked.directory.person(USER)
        if waits:
            asked.clock.advance(waits - 1)
            with pytest.raises(DirectoryUnavailableError, match=r"^ratelimited$"):
                await asked.directory.person(USER)
            asked.clock.advance(2)
        assert await asked.directory.person(USER) == Person(USER, team="T0TARLADEV")
