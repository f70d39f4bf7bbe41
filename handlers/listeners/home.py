"""App Home: filled when its user opens it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from handlers.conversation import Conversation
from handlers.home import home_view
from handlers.listeners.payloads import identifier


def home_listener(conversation: Conversation) -> Callable[..., Awaitable[None]]:
    """The listener of ``app_home_opened``."""

    async def show_home(event: dict[str, Any], client: AsyncWebClient) -> None:
        if event.get("tab") == "home":
            await client.views_publish(user_id=identifier(event, "user"), view=home_view(conversation.site_uln))

    return show_home
