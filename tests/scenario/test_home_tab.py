"""App Home is filled when its user opens it, and at no other time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from knowledge import UpperLimit
from tests.support.app import home_opened, over_http, over_socket, until
from tests.support.signing import event_request
from tests.support.slack_limits import check_view


def _published(calls: list[Any]) -> list[dict[str, Any]]:
    return [call.args for call in calls if call.method == "views.publish"]


@pytest.mark.parametrize("site", [None, UpperLimit(value=250)])
async def test_it_is_published_to_who_opened_it(tmp_path: Path, site: UpperLimit | None) -> None:
    async with over_http(tmp_path / "ledger.db", site_uln=site) as running:
        reply = await running.send(event_request(home_opened(user="U0SOMEONE")))
        # An event is acknowledged first and handled after.
        await until(lambda: _published(running.slack.calls))
        assert await running.events() == []
    assert reply.status == 200
    (published,) = _published(running.slack.calls)
    assert published["user_id"] == "U0SOMEONE"
    check_view(published["view"])
    assert ("250 U/L" in str(published["view"])) == (site is not None)


async def test_over_socket_mode_too(tmp_path: Path) -> None:
    async with over_socket(tmp_path / "ledger.db") as (running, _):
        assert await running.slack.send("events_api", home_opened()) == {}
        await until(lambda: _published(running.slack.calls))
    (published,) = _published(running.slack.calls)
    check_view(published["view"])


async def test_the_messages_tab_is_left_alone(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        reply = await running.send(event_request(home_opened(tab="messages")))
    assert reply.status == 200
    assert _published(running.slack.calls) == []
