"""Through which door a request came: who, where and which request, read from any payload Slack sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from handlers.access import Place
from handlers.controls import EVIDENCE_PAGES
from handlers.form.origin import channel_of
from handlers.listeners.payloads import (
    MalformedPayloadError,
    Payload,
    command_asker,
    event_asker,
    identifier,
    interaction_asker,
    optional_identifier,
)
from handlers.requests import Asker


class Door(StrEnum):
    """The shape of a request, which decides the shape of what is said to it."""

    COMMAND = "slash_command"
    BUTTON_IN_MESSAGE = "button_in_message"
    BUTTON_IN_FORM = "button_in_form"
    BUTTON_IN_HOME = "button_in_home"
    FORM = "form"
    FORM_CLOSED = "form_closed"
    OPTIONS = "options"
    SHORTCUT = "shortcut"
    MENTION = "mention"
    DIRECT_MESSAGE = "direct_message"
    HOME = "home"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as it came in. ``key`` is the same for every delivery of it; ``trigger`` may open a modal."""

    door: Door
    place: Place
    asker: Asker
    key: str | None
    trigger: str | None = None


_VIEWS = {"modal": (Door.BUTTON_IN_FORM, Place.FORM), "home": (Door.BUTTON_IN_HOME, Place.HOME)}
_SHORTCUTS = frozenset({"shortcut", "message_action"})
_FORMS = {"view_submission": Door.FORM, "view_closed": Door.FORM_CLOSED}


def arrival_of(body: Payload) -> Arrival | None:
    """Where a request came in; None for what nobody asks: messages of bots, edits, the messages tab, kinds unknown.

    Raises:
        MalformedPayloadError: a payload of a known kind is not of the shape Slack documents.
    """
    if "command" in body:
        asker = command_asker(body)
        place = Place.DIRECT_MESSAGE if _is_direct(asker.channel) else Place.CHANNEL
        return _interactive(Door.COMMAND, place, asker, body)
    kind = body.get("type")
    if kind is not None and not isinstance(kind, str):
        raise MalformedPayloadError("type")
    if kind in ("block_actions", "block_suggestion"):
        return _action(body, options=kind == "block_suggestion")
    if kind in _FORMS:
        door = _FORMS[kind]
        channel = _channel_kept(body)
        return _interactive(door, _place(channel, Place.FORM), interaction_asker(body, door, channel), body)
    if kind in _SHORTCUTS:
        # A message's shortcut has a channel; whoever may ask there may use it.
        asker = interaction_asker(body, Door.SHORTCUT)
        return _interactive(Door.SHORTCUT, Place.CHANNEL if asker.channel else Place.SHORTCUT, asker, body)
    event = body.get("event")
    return _event(body, event) if isinstance(event, Mapping) else None


def _action(body: Payload, *, options: bool) -> Arrival:
    view = body.get("view")
    if isinstance(view, Mapping):
        door, place = _VIEWS.get(str(view.get("type")), (Door.BUTTON_IN_HOME, Place.HOME))
    else:
        door, place = Door.BUTTON_IN_MESSAGE, Place.CHANNEL
    channel = _channel_kept(body) if door is Door.BUTTON_IN_FORM else None
    asker = interaction_asker(body, Door.OPTIONS if options else door, channel)
    if door is Door.BUTTON_IN_FORM and _turns_a_page(body):
        place = Place.PAGES
    elif door in (Door.BUTTON_IN_MESSAGE, Door.BUTTON_IN_FORM):
        place = _place(asker.channel, place)
    return _interactive(Door.OPTIONS if options else door, place, asker, body)


def _channel_kept(body: Payload) -> str | None:
    """The channel in which a modal was opened, where the modal carries it: Slack does not tell it then."""
    view = body.get("view")
    return channel_of(view.get("private_metadata")) if isinstance(view, Mapping) else None


def _place(channel: str | None, unknown: Place) -> Place:
    if channel is None:
        return unknown
    return Place.DIRECT_MESSAGE if _is_direct(channel) else Place.CHANNEL


def _turns_a_page(body: Payload) -> bool:
    pressed = body.get("actions")
    each = pressed if isinstance(pressed, list) else []
    return bool(each) and all(isinstance(one, Mapping) and one.get("action_id") in EVIDENCE_PAGES for one in each)


def _interactive(door: Door, place: Place, asker: Asker, body: Payload) -> Arrival:
    trigger = optional_identifier(body, "trigger_id")
    return Arrival(door, place, asker, f"access:{trigger}" if trigger else None, trigger)


def _event(body: Payload, event: Payload) -> Arrival | None:
    if is_nobodys(event):
        return None
    kind: Any = event.get("type")
    key = f"access:{optional_identifier(body, 'event_id')}" if body.get("event_id") else None
    if kind == "app_home_opened":
        if event.get("tab", "home") != "home":
            return None  # the tab of messages has nothing to show, and nothing to refuse
        asker = Asker(
            via=Door.HOME,
            user=identifier(event, "user"),
            team=identifier(body, "team_id"),
            enterprise=optional_identifier(body, "enterprise_id"),
        )
        return Arrival(Door.HOME, Place.HOME, asker, key)
    if kind == "app_mention":
        return Arrival(Door.MENTION, Place.CHANNEL, event_asker(body, event, Door.MENTION), key)
    if kind == "message" and _is_direct(identifier(event, "channel")):
        return Arrival(Door.DIRECT_MESSAGE, Place.DIRECT_MESSAGE, event_asker(body, event, Door.DIRECT_MESSAGE), key)
    return None


def is_nobodys(event: Payload) -> bool:
    """Whether an event has no person behind it: a bot's message, Tarla's own among them, or an edit or deletion."""
    return bool(event.get("bot_id")) or not isinstance(event.get("user"), str)


def _is_direct(channel: str | None) -> bool:
    return channel is not None and channel.startswith("D")
