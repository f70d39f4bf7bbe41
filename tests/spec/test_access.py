"""Who may ask, as the table says."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from handlers.access import AccessCode, OtherWorkspaces, Place, Rules, who_may_ask
from handlers.listeners.arrivals import Arrival, Door
from handlers.listeners.door import denial_of
from handlers.ports import DirectoryUnavailableError, OwnWorkspace, Person
from handlers.requests import Asker
from tests.support.fakes import FakeDirectory

CASES: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("access.toml").read_text(encoding="utf-8"))["case"]
USER = "U0ASKER"


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _rules(case: dict[str, Any]) -> Rules:
    rules = _tuples(case.get("rules", {}))
    others = OtherWorkspaces(rules.pop("other_workspaces", "false"))
    return Rules(**rules, other_workspaces=others)


def _arrival(case: dict[str, Any]) -> Arrival:
    place = Place(case.get("place", "channel"))
    channel = case.get("channel", "C0ANY" if place is Place.CHANNEL else None)
    return Arrival(Door.COMMAND, place, Asker(via="test", user=USER, channel=channel), "access:1")


def _directory(case: dict[str, Any], rules: Rules) -> FakeDirectory:
    people = [] if case.get("unknown") else [Person(user=USER, **_tuples(case["person"]))]
    # In the last of the groups; the others have other people.
    groups = {group: frozenset({"U0OTHER"}) for group in rules.groups}
    if case.get("in_a_group"):
        groups[rules.groups[-1]] = frozenset({"U0OTHER", USER})
    directory = FakeDirectory(*people, groups=groups)
    directory.own = OwnWorkspace(
        None if case.get("whole_organisation") else "T0OWN", "E0OWN" if case.get("organisation") else None
    )
    return directory


@pytest.mark.parametrize("case", CASES, ids=[case["who"] for case in CASES])
async def test_who_may_ask(case: dict[str, Any]) -> None:
    rules = _rules(case)
    denial = await denial_of(_arrival(case), _directory(case, rules), rules)
    assert (denial.code if denial else None) == case.get("refused")
    if denial is not None and denial.code is AccessCode.NOT_LISTED:
        assert denial.channels == rules.channels


@pytest.mark.parametrize("case", CASES, ids=[case["who"] for case in CASES])
async def test_nobody_may_while_slack_does_not_say_who_they_are(case: dict[str, Any]) -> None:
    rules = _rules(case)
    directory = _directory(case, rules)
    directory.fault = DirectoryUnavailableError("timeout")
    denial = await denial_of(_arrival(case), directory, rules)
    assert denial is not None
    assert denial.code is AccessCode.WHO
    assert "Slack does not say who you are just now; try again" in denial.headline


def test_every_code_has_its_case() -> None:
    refused = {case.get("refused") for case in CASES}
    # Only the overview for administrators has the other.
    assert refused == {None, *AccessCode} - {AccessCode.NOT_ADMIN}


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (Rules(), "full members of this workspace"),
        (
            Rules(other_workspaces=OtherWorkspaces.ORGANISATION),
            "full members of this workspace, and people of other workspaces of the same organisation",
        ),
        (Rules(guests=True), "full members of this workspace, and guests"),
        (Rules(groups=("S0A",)), "full members of this workspace, who are in one of the site's user groups"),
        (
            Rules(other_workspaces=OtherWorkspaces.ALL, channels=("C0A",)),
            "full members of this workspace, and people of other workspaces, who ask in one of the site's channels",
        ),
    ],
)
def test_the_rules_in_words(rules: Rules, words: str) -> None:
    assert who_may_ask(rules) == words
