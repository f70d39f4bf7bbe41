"""Filling the Home tab for whoever opens it."""

from __future__ import annotations

from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from handlers.home.view import ANSWERS_SHOWN, home_view
from handlers.ports import History, LedgerUnavailableError, OwnAnswers
from handlers.site import SiteSettings


@dataclass(frozen=True)
class HomeDesk:
    """Publishes the Home tab: when it is opened, and again after an answer that was asked for from it."""

    history: History
    site: SiteSettings

    async def publish(self, client: AsyncWebClient, user: str, team: str | None) -> None:
        """Show ``user`` the tab with their own answers of this workspace.

        Raises:
            SlackApiError: Slack does not take it.
        """
        own: OwnAnswers | str
        try:
            own = await self.history.answers_of(user, team, ANSWERS_SHOWN)
        except LedgerUnavailableError as unavailable:
            own = unavailable.code
        await client.views_publish(user_id=user, view=home_view(self.site, own))
