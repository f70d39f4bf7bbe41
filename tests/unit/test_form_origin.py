"""Where a form was opened: written into the modal, read back strictly."""

from __future__ import annotations

import json

import pytest

from handlers.form.origin import RESPONSE_URL_SECONDS, WITH_MESSAGE, Door, Origin, channel_of, read_origin
from handlers.form.view import form_view
from handlers.requests import MalformedPayloadError
from tests.support.slack_limits import check_view

API = "https://slack.com/api/"
URL = "https://hooks.slack.com/commands/T0TARLADEV/123/abc"


def origin_of(door: Door) -> Origin:
    receipt = "1284-3f9a" if door in (Door.EDIT, Door.MODAL) else None
    if door in WITH_MESSAGE:
        return Origin(door, URL, 1_800_000_000, "C0TUMOURBD", receipt, "1800000000.000100")
    return Origin(door, receipt=receipt)


@pytest.mark.parametrize("door", Door)
def test_it_is_read_back_as_written(door: Door) -> None:
    assert read_origin(origin_of(door).written(), API) == origin_of(door)


def test_the_longest_fits_slacks_limit() -> None:
    origin = Origin(
        Door.EDIT, "https://hooks.slack.com/" + "x" * 976, 2**40, "C" * 31, "9" * 18 + "-3f9a", "9" * 12 + "." + "9" * 8
    )
    assert read_origin(origin.written(), API) == origin
    check_view(form_view(origin, None))


def test_an_address_is_withheld_from_its_repr() -> None:
    assert "hooks" not in repr(origin_of(Door.EDIT))


def test_a_modal_shown_instead_has_no_message_to_change() -> None:
    assert origin_of(Door.EDIT).without_message() == Origin(
        Door.MODAL, channel=origin_of(Door.EDIT).channel, receipt="1284-3f9a"
    )


@pytest.mark.parametrize(("seconds", "expired"), [(0, False), (RESPONSE_URL_SECONDS - 1, False), (1800, True)])
def test_thirty_minutes_after_slack_gave_it_an_address_is_no_longer_tried(seconds: int, expired: bool) -> None:
    assert origin_of(Door.COMMAND).expired(1_800_000_000 + seconds) is expired


def _with(**parts: object) -> str:
    return json.dumps({**json.loads(origin_of(Door.EDIT).written()), **parts})


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "null",
        "[1]",
        '"edit"',
        "{}",
        "{",
        _with(version=0),
        _with(version="1"),
        _with(version=True),
        _with(door=None),
        _with(door="home"),
        _with(response_url=None),
        _with(response_url="https://collector.example/"),
        _with(response_url="http://hooks.slack.com/commands/1"),
        _with(response_url="https://hooks.slack.com:8443/commands/1"),
        _with(response_url="https://[hooks.slack.com/"),
        _with(response_url="https://hooks.slack.com/" + "x" * 1000),
        _with(made=None),
        _with(made=-1),
        _with(made=1.5),
        _with(channel=["C1"]),
        _with(channel="<!channel>"),
        _with(receipt=None),
        _with(thread="1800000000"),
        _with(thread=1800000000.1),
        _with(receipt="0-3f9a"),
        _with(receipt="1284-3f9a\n"),
        _with(patient="Zaphod"),
    ],
)
def test_anything_else_is_refused_and_not_quoted(text: object) -> None:
    with pytest.raises(MalformedPayloadError) as raised:
        read_origin(text, API)
    assert str(raised.value) == "private_metadata"


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        (origin_of(Door.EDIT).written(), origin_of(Door.EDIT).channel),
        ("C0WARD", "C0WARD"),
        ("", None),
        (None, None),
        ("{", None),
        ("[1]", None),
        (Origin(Door.HOME).written(), None),
        ('{"channel": ["C0WARD"]}', None),
        ('{"channel": "C0WARD\\n"}', None),
    ],
)
def test_the_channel_that_a_modal_carries(text: object, channel: str | None) -> None:
    assert channel_of(text) == channel
