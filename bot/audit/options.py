"""What the auditor's commands share: settings, days, progress on a terminal, exit statuses."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bot.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from bot.audit.days import Days

# Exit statuses: what was asked is right; something is wrong with the ledger; it could not be asked or written.
RIGHT, WRONG, CANNOT = 0, 1, 2

Command = TypeVar("Command", bound=Callable[..., Any])


class CannotError(click.ClickException):
    """What was asked could not be done; nothing is said of the ledger by that."""

    exit_code = CANNOT


def settings_or_fail() -> Settings:
    """The settings, or the reason why not in the command line's form."""
    try:
        return read_settings()
    except SettingsError as error:
        raise CannotError(str(error)) from None


def span_options(command: Command) -> Command:
    """``--since`` and ``--until``."""
    until = click.option("--until", metavar="DAY", help="Last day, UTC, such as 2026-11-24.")
    since = click.option("--since", metavar="DAY", help="First day, UTC, such as 2026-01-01.")
    return since(until(command))


def days_or_fail(since: str | None, until: str | None) -> Days:
    """The days, or what to write instead."""
    from bot.audit.days import DayError, Days

    try:
        return Days(since, until)
    except DayError as error:
        raise CannotError(str(error)) from None


@contextlib.contextmanager
def ledger_errors() -> Iterator[None]:
    """A ledger that cannot be read, in the command line's form."""
    from handlers.ports import LedgerUnavailableError

    try:
        yield
    except LedgerUnavailableError as error:
        if error.code == "damaged":
            click.echo(f"The ledger is not as it was recorded: {error}", err=True)
            sys.exit(WRONG)
        raise CannotError(f"the ledger cannot be read: {error}") from None


@contextlib.contextmanager
def progress(path: Path, what: str) -> Iterator[Callable[[int], None]]:
    """A bar over all events on standard error, where that is a terminal; to be told each event's number."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _seq: None
        return
    from tqdm import tqdm

    from bot.audit.walk import last_seq

    with ledger_errors():
        total = last_seq(path)
    with tqdm(total=total, desc=what, unit=" events", unit_scale=True, mininterval=0.2, leave=False) as bar:

        def follow(_seq: int) -> None:
            bar.update()

        yield follow
