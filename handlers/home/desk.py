"""Filling the Home tab for whoever opens it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from handlers.home.view import ANSWERS_SHOWN, home_view
from handlers.ports import History, LedgerUnavailableError, ModelInUse, OwnAnswers, model_or_none
from handlers.site import SiteSettings

log = logging.getLogger("tarla.home")


@dataclass(frozen=True)
class HomeDesk:
    """Publishes the Home tab: when it is opened, and again after an answer that was asked for from it."""

    history: History
    site: SiteSettings
    model: ModelInUse

    async def refresh(self, client: AsyncWebClient, user: str, team: str | None) -> None:
        """As ``publish``, after an answer that was given already: where Slack does not take it, the log says so."""
        try:
            await self.publish(client, user, team)
        except Exception as error:  # noqa: BLE001 - the answer stands; the tab is filled when it is opened next
            log.warning("App Home was not refreshed: %s", type(error).__name__)

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
        await client.views_publish(user_id=user, view=home_view(self.site, own, model_or_none(self.model)))
