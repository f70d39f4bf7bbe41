"""Who may ask: the site's rules, applied to what Slack says of a person and of the place. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from handlers.ports import OwnWorkspace, Person

WHOM_TO_ASK = "Whoever runs Tarla here can change that."


class AccessCode(StrEnum):
    """Closed list of reasons why somebody may not ask; kept in the ledger, never changing meaning."""

    NOT_MEMBER = "E_NOT_MEMBER"
    GUEST = "E_GUEST"
    OTHER_WORKSPACE = "E_OTHER_WORKSPACE"
    NOT_LISTED = "E_NOT_LISTED"
    WHO = "E_WHO"
    NOT_ADMIN = "E_NOT_ADMIN"


class Place(StrEnum):
    """Where somebody asks, as far as it decides."""

    CHANNEL = "channel"
    DIRECT_MESSAGE = "direct_message"
    HOME = "home"
    SHORTCUT = "shortcut"
    # A modal that carries no channel: it may have stayed open since its user could ask.
    FORM = "form"
    # Published evidence in a modal, with nobody's figures; another door has looked at the place.
    PAGES = "pages"


class OtherWorkspaces(StrEnum):
    """Whether people of other workspaces may ask: nobody, those of the same organisation, or everybody."""

    NONE = "false"
    ORGANISATION = "organisation"
    ALL = "true"


@dataclass(frozen=True, slots=True)
class Rules:
    """The site's choice. With neither groups nor channels every full member of the workspace may ask anywhere."""

    groups: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    guests: bool = False
    other_workspaces: OtherWorkspaces = OtherWorkspaces.NONE

    @property
    def listed_only(self) -> bool:
        """Whether being a member is not enough."""
        return bool(self.groups or self.channels)


@dataclass(frozen=True, slots=True)
class Denial:
    """Why somebody may not ask, in fixed words; ``channels`` is where they may, as ids."""

    code: AccessCode
    headline: str
    advice: str
    channels: tuple[str, ...] = ()


def judge_person(person: Person | None, workspace: OwnWorkspace, rules: Rules) -> Denial | None:
    """Whether an account may ask at all; None when it may."""
    if person is None:
        return NOT_KNOWN
    if person.is_bot or person.is_deactivated:
        return NOT_A_PERSON
    if rules.other_workspaces is not OtherWorkspaces.ALL and not _is_own(person, workspace, rules):
        return OTHER_WORKSPACE
    if person.is_guest and not rules.guests:
        return GUEST
    return None


def place_is_listed(rules: Rules, place: Place, channel: str | None) -> bool:
    """Whether the place alone is enough, so that no user group need be asked about."""
    if not rules.listed_only or place is Place.PAGES:
        return True
    return place is Place.CHANNEL and channel in rules.channels


def judge_listing(rules: Rules, *, place_listed: bool, in_a_group: bool) -> Denial | None:
    """Whether a member may ask here and now; None when they may."""
    if place_listed or in_a_group:
        return None
    ways = []
    if rules.groups:
        ways.append("to the members of certain user groups")
    if rules.channels:
        ways.append("to everybody in certain channels" if rules.groups else "in certain channels only")
    return Denial(
        AccessCode.NOT_LISTED,
        "You cannot ask Tarla here.",
        f"At this site Tarla is open {' and '.join(ways)}. {WHOM_TO_ASK}",
        rules.channels,
    )


def who_may_ask(rules: Rules) -> str:
    """The rules in one sentence; channels and groups are named by whoever shows it."""
    people = "full members of this workspace"
    also = ["guests"] if rules.guests else []
    if rules.other_workspaces is OtherWorkspaces.ORGANISATION:
        also.append("people of other workspaces of the same organisation")
    elif rules.other_workspaces is OtherWorkspaces.ALL:
        also.append("people of other workspaces")
    if also:
        people += f", and {' and '.join(also)}"
    ways = []
    if rules.groups:
        ways.append("who are in one of the site's user groups")
    if rules.channels:
        ways.append("who ask in one of the site's channels")
    return f"{people}{', ' if ways else ''}{' or '.join(ways)}"


def _is_own(person: Person, workspace: OwnWorkspace, rules: Rules) -> bool:
    if person.is_stranger:
        return False
    # Installed for a whole organisation, the app has no other workspace of its own.
    organisation = rules.other_workspaces is OtherWorkspaces.ORGANISATION or workspace.team is None
    if organisation and workspace.enterprise is not None and person.enterprise == workspace.enterprise:
        return True
    return workspace.team is not None and workspace.team in (person.team, *person.enterprise_teams)


NOT_KNOWN = Denial(
    AccessCode.WHO, "Tarla does not know who you are.", f"Slack knows no such account in this workspace. {WHOM_TO_ASK}"
)
NO_WORD_FROM_SLACK = Denial(
    AccessCode.WHO, "Slack does not say who you are just now; try again.", "Tarla answers only people it can recognise."
)
NOT_A_PERSON = Denial(
    AccessCode.NOT_MEMBER, "Tarla answers people only.", "Bots and deactivated accounts get no answer."
)
OTHER_WORKSPACE = Denial(
    AccessCode.OTHER_WORKSPACE,
    "Tarla answers the people of its own workspace only.",
    f"Your account belongs to another one. {WHOM_TO_ASK}",
)
GUEST = Denial(AccessCode.GUEST, "Tarla is not open to guest accounts here.", WHOM_TO_ASK)
