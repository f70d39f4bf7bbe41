"""The yardstick: an app that acknowledges and does nothing else, as bare as Bolt allows, over either transport."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

import click
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient


def echo_app() -> AsyncApp:
    """The app, with tokens and address from the environment."""
    token, url = os.environ["SLACK_BOT_TOKEN"], os.environ["SLACK_API_URL"]
    app = AsyncApp(client=AsyncWebClient(token, base_url=url), signing_secret=os.environ["SLACK_SIGNING_SECRET"])

    @app.command("/tarla")
    async def echo(ack: AsyncAck, command: dict[str, Any]) -> None:
        await ack(response_type="ephemeral", text=command["text"])

    return app


async def main(transport: str) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    app = echo_app()
    if transport == "socket":
        handler = AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"], web_client=app.client, ping_interval=3)
        await handler.connect_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it untyped
        await stop.wait()
        await handler.close_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it untyped
        return
    runner = web.AppRunner(app.web_app(path="/slack/events"), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    click.echo(f"listening for Slack on http://{host}:{port}/slack/events", err=True)
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
