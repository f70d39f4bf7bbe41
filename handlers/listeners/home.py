"""App Home: filled when its user opens it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from handlers.home import HomeDesk
from handlers.listeners.payloads import identifier


def home_listener(home: HomeDesk) -> Callable[..., Awaitable[None]]:
    """The listener of ``app_home_opened``."""

    async def show_home(body: dict[str, Any], event: dict[str, Any], client: AsyncWebClient) -> None:
        if event.get("tab") == "home":
            await home.publish(client, identifier(event, "user"), identifier(body, "team_id"))

    return show_home
