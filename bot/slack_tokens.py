"""Asking Slack whether it takes our tokens, before anything depends on them."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import SettingsError
from bot.slack_errors import slack_code


async def check_bot_token(client: AsyncWebClient) -> None:
    """Ask once with the bot token.

    Raises:
        SettingsError: Slack refuses it.
        Exception: Slack cannot be reached, as the client puts it.
    """
    try:
        await client.auth_test()
    except SlackApiError as error:
        raise SettingsError(_refused("SLACK_BOT_TOKEN", error)) from None


async def open_connection_url(client: AsyncWebClient, app_token: str) -> str:
    """The address of a fresh Socket Mode connection; good for one connection.

    Raises:
        SettingsError: Slack refuses the app-level token.
        Exception: Slack cannot be reached, as the client puts it.
    """
    try:
        answer = await client.apps_connections_open(app_token=app_token)
    except SlackApiError as error:
        raise SettingsError(_refused("SLACK_APP_TOKEN", error)) from None
    return str(answer["url"])


def _refused(name: str, error: SlackApiError) -> str:
    reason = slack_code(error)
    if reason is None:
        # Some proxy's page: nothing is known of the token.
        raise error
    return f"Slack refuses {name} ({reason}): copy it again from your app's page, or see what tarla doctor says"
