"""``python -m bot.localslack``: Tarla in a local Slack, to be tried in a browser.

Starts a local Slack and the bot, says which address to open, and stops both on
Ctrl-C or SIGTERM. No account, no token, nothing leaves the machine.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from bot.localslack.program import LocalSlackMissingError, LocalSlackUnsafeError
from bot.localslack.server import LocalSlack, LocalSlackFailedError
from bot.standin import without_proxies

BOT_COMMAND = (sys.executable, "-m", "bot", "serve", "--socket")
BOT_START_SECONDS = 30.0
BOT_STOP_SECONDS = 10.0
EXAMPLE = "/tarla ldh 480/250 liver yes dm no cvd yes"


def bot_environment(slack: LocalSlack, ledger: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The bot's environment: ours, but with this Slack's settings only and no proxy.

    Settings of a real workspace that may stand in ``environ`` are left out.
    """
    kept = {
        name: value for name, value in without_proxies(environ).items() if not name.startswith(("SLACK_", "TARLA_"))
    }
    return kept | {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
        "TARLA_LEDGER": str(ledger),
        "TARLA_CHECKPOINTS": str(ledger.parent / "checkpoints"),
        "TARLA_SIGNING_KEY": str(ledger.parent / "key" / "signing.key"),
        "TARLA_LDH_ULN": "250 U/L",
        # This Slack's web client does not draw table blocks.
        "TARLA_TABLE": "text",
        # Its lines stand between those of the local Slack.
        "TARLA_LOG": "text",
    }


async def serve(stop: asyncio.Event, *, port: int = 0, bot_command: Sequence[str] = BOT_COMMAND) -> None:
    """Run a local Slack and the bot until ``stop`` is set.

    Raises:
        LocalSlackMissingError, LocalSlackUnsafeError, LocalSlackFailedError: see ``LocalSlack``.
        LocalSlackFailedError: the bot did not connect, or ended by itself.
    """
    with tempfile.TemporaryDirectory(prefix="tarla-ledger-") as folder:
        async with LocalSlack(port=port) as slack:
            bot = await asyncio.create_subprocess_exec(
                *bot_command,
                env=bot_environment(slack, Path(folder) / "ledger.db", os.environ),
                stdin=asyncio.subprocess.DEVNULL,
                # Ctrl-C comes to us alone, so that the bot is stopped before its Slack.
                start_new_session=True,
            )
            try:
                await _until(slack.wait_connected(BOT_START_SECONDS), bot, stop)
                if not stop.is_set():
                    _announce(slack)
                    await _until(stop.wait(), bot, stop)
            finally:
                await _end(bot)


async def _until(event: Coroutine[Any, Any, Any], bot: asyncio.subprocess.Process, stop: asyncio.Event) -> None:
    """Wait for ``event`` or ``stop``; the bot's end before either is an error."""
    happened, ended, stopped = tasks = [asyncio.create_task(waiting) for waiting in (event, bot.wait(), stop.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if stopped.done():
            return
        if ended.done():
            raise LocalSlackFailedError(f"the bot ended by itself, with status {bot.returncode}")
        await happened
    except TimeoutError as error:
        raise LocalSlackFailedError(f"the bot did not connect within {BOT_START_SECONDS:g} s") from error
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _announce(slack: LocalSlack) -> None:
    click.echo(f"Slack is at   {slack.base_url}")
    click.echo(f"In #{slack.caller.channel_name} type   {EXAMPLE}")
    click.echo("Ctrl-C stops it.")


async def _end(bot: asyncio.subprocess.Process) -> None:
    if bot.returncode is not None:
        return
    bot.terminate()
    try:
        await asyncio.wait_for(bot.wait(), BOT_STOP_SECONDS)
    except TimeoutError:
        bot.kill()
        await bot.wait()


async def _until_signalled(port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await serve(stop, port=port)


@click.command()
@click.option("--port", default=0, help="Port of 127.0.0.1 for Slack's web client; 0 takes a free one.")
def main(port: int) -> None:
    """Try Tarla in a local Slack, in the browser."""
    try:
        asyncio.run(_until_signalled(port))
    except (LocalSlackMissingError, LocalSlackUnsafeError, LocalSlackFailedError) as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
