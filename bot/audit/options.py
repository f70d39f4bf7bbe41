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
    from bot.audit.trust import Judged

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


def checkpoints_or_fail(settings: Settings) -> Judged:
    """The checkpoints of this installation's folder, as the keys beside them say."""
    from bot.audit.trust import judged_beside
    from bot.checkpoints.folder import CheckpointFolder, FolderError

    try:
        return judged_beside(CheckpointFolder(settings.checkpoints))
    except FolderError as error:
        raise CannotError(f"the folder of checkpoints cannot be read ({error})") from None


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
def bar(what: str, unit: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, where that is a terminal; to be told how many more are done."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _more: None
        return
    from tqdm import tqdm

    with tqdm(total=total, desc=what, unit=f" {unit}", unit_scale=True, mininterval=0.2, leave=False) as drawn:

        def follow(more: int) -> None:
            drawn.update(more)

        yield follow


@contextlib.contextmanager
def progress(path: Path, what: str) -> Iterator[Callable[[int], None]]:
    """A bar over all events of a ledger; to be told each event's number."""
    from bot.ledger.connection import AUDIT_WAIT_MS
    from bot.ledger.read import last_seq_of
    from handlers.ports import LedgerUnavailableError

    total = None
    with contextlib.suppress(LedgerUnavailableError):  # whoever reads it will say what is wrong with it
        total = last_seq_of(path, AUDIT_WAIT_MS)
    with bar(what, "events", total) as more:
        yield lambda _seq: more(1)
