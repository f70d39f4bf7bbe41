"""The one guard before every door: who may not ask gets no further, whatever listener waits behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from handlers.access import NO_WORD_FROM_SLACK, Denial, Rules, judge_listing, judge_person, place_is_listed
from handlers.conversation import Conversation
from handlers.delivery import expecting_delivery, record_outcome
from handlers.listeners.arrivals import Arrival, Door, arrival_of
from handlers.listeners.payloads import MalformedPayloadError
from handlers.listeners.turned_away import ACKNOWLEDGED, acknowledgement, tell
from handlers.outcomes import Repeated
from handlers.ports import Directory, DirectoryUnavailableError, Kind
from handlers.records import refused_payload

# Looking up takes 1.2 s at most; with this the acknowledgement still comes within Slack's 3 s.
TELL_S = 1.2

log = logging.getLogger("tarla.door")
Middleware = Callable[..., Awaitable[BoltResponse | None]]


def guard(conversation: Conversation, directory: Directory, rules: Rules) -> Middleware:
    """The middleware that stands before every listener."""

    async def stand_guard(
        body: Mapping[str, Any],
        client: AsyncWebClient,
        next_: Callable[[], Awaitable[BoltResponse]],
    ) -> BoltResponse | None:
        try:
            arrival = arrival_of(body)
        except MalformedPayloadError:
            if "command" in body or body.get("type") == "view_submission":
                raise  # a person waits for words
            arrival = None
        if arrival is None:
            # Slack sends an event again that is not taken: one that is not ours is taken, and nothing done.
            return BoltResponse(status=200 if isinstance(body.get("event"), Mapping) else 404, body="")
        denial = await denial_of(arrival, directory, rules)
        if denial is None:
            return await next_()
        return await _turn_away(conversation, arrival, denial, body, client)

    return stand_guard


async def denial_of(arrival: Arrival, directory: Directory, rules: Rules) -> Denial | None:
    """Why this person may not ask here, by what Slack says of them now; None when they may."""
    asker = arrival.asker
    place_listed = place_is_listed(rules, arrival.place, asker.channel)
    groups = () if place_listed else rules.groups
    try:
        (workspace, person), members = await asyncio.gather(
            asyncio.gather(directory.workspace(), directory.person(asker.user)),
            asyncio.gather(*(directory.members(group) for group in groups)),
        )
    except DirectoryUnavailableError:
        return NO_WORD_FROM_SLACK
    return judge_person(person, workspace, rules) or judge_listing(
        rules, place_listed=place_listed, in_a_group=any(asker.user in group for group in members)
    )


async def _turn_away(
    conversation: Conversation,
    arrival: Arrival,
    denial: Denial,
    body: Mapping[str, Any],
    client: AsyncWebClient,
) -> BoltResponse:
    log.info("turned away: %s at %s", denial.code, arrival.door, extra={"code": denial.code, "door": arrival.door})
    if arrival.door in ACKNOWLEDGED:
        # The transport records how sending went.
        said = arrival.door is not Door.FORM_CLOSED and await _record(conversation, arrival, denial)
        return acknowledgement(arrival, denial if said else None)
    received = conversation.clock.monotonic()
    with expecting_delivery() as delivery:
        if await _record(conversation, arrival, denial):
            failure: str | None = None
            try:
                async with asyncio.timeout(TELL_S):
                    failure = await tell(arrival, denial, body, client)
            except Exception as error:  # noqa: BLE001 - they stay out all the same
                failure = "slack_refused"
                log.warning("a denial could not be told at %s: %s", arrival.door, type(error).__name__)
            await record_outcome(
                conversation.ledger, conversation.clock, delivery, received, arrival.door, failure, patience=None
            )
    return acknowledgement(arrival, None)


async def _record(conversation: Conversation, arrival: Arrival, denial: Denial) -> bool:
    """Record the refusal; False when this very request has had it already."""
    if arrival.key is None:
        return True
    payload = refused_payload(f"{denial.code}@0", arrival.asker, 0, conversation.code_version)
    # A denial holds no figure: it is shown where it cannot be recorded as well.
    return not isinstance(await conversation.record(arrival.key, Kind.REFUSED, payload), Repeated)
