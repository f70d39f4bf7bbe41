"""A payload that is not of Slack's shape is told from one that is, whichever field is wrong."""

from __future__ import annotations

import pytest

from bot.standin import pressed_in_message
from handlers.listeners.arrivals import arrival_of
from handlers.requests import MalformedPayloadError
from tests.support.app import home_opened

BUTTON = {"type": "button", "action_id": "tarla_share", "text": {"type": "plain_text", "text": "Share"}}


@pytest.mark.parametrize("field", ["team", "channel", "enterprise", "type"])
@pytest.mark.parametrize("value", [["x"], {"id": ["x"]}, 7, True])
def test_a_field_of_another_type_is_malformed(field: str, value: object) -> None:
    body = pressed_in_message(BUTTON, response_url="http://127.0.0.1/response/1") | {field: value}
    with pytest.raises(MalformedPayloadError):
        arrival_of(body)


def test_the_messages_tab_is_nobodys_question() -> None:
    assert arrival_of(home_opened(tab="messages")) is None
    assert arrival_of(home_opened(tab="home")) is not None
