"""``tarla audit retain``: how long payloads are kept. Heavy imports stand inside the functions."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.audit.options import CannotError, bar, progress, settings_or_fail, unusable, whole_or_fail
from bot.settings import MOST_YEARS, Settings, SettingsError

if TYPE_CHECKING:
    from bot.audit.pruning import Pruned
    from bot.audit.retention import Extent, Plan
    from handlers.ports import Json


@click.command()
@click.option(
    "--years",
    type=click.IntRange(1, MOST_YEARS),
    default=None,
    help="Whole calendar years for which payloads are kept (default: TARLA_RETENTION_YEARS, else 6).",
)
@click.option("--prune", is_flag=True, help="Delete what is due. Without this nothing is changed.")
@click.option("--clock-is-right", is_flag=True, help="Prune although the newest event is more than 31 days old.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def retain(years: int | None, prune: bool, clock_is_right: bool, as_json: bool) -> None:
    """Say which payloads are past their time, and with --prune delete them.

    The events themselves stay, with their hashes: no leaf, no root and no receipt changes. Before anything is
    deleted the whole ledger is checked, and one `pruned` event is recorded. A run that was cut off is finished by
    the next one.
    """
    from bot.audit.retention import plan_retention
    from bot.clock import SystemClock
    from handlers.ports import LedgerUnavailableError

    settings = settings_or_fail()
    path, clock = settings.tarla_ledger, SystemClock()
    if prune:
        whole_or_fail(settings)
    try:
        plan = plan_retention(path, years or settings.tarla_retention_years, clock.now())
        done = _prune(path, plan, account(settings), clock_is_right=clock_is_right) if prune else None
    except LedgerUnavailableError as error:
        raise click.ClickException(unusable(path, error)) from None
    except KeyboardInterrupt:
        raise click.ClickException("cut off; run the same command again to go on from there") from None
    if as_json:
        click.echo(json.dumps(_as_json(plan, done), indent=2))
    else:
        click.echo("\n".join(_told(plan, done)))
    sys.exit(0 if done is None or done[1] else 1)


def account(settings: Settings) -> str:
    """Who gives the command, by the operating system's name, as the ledger is to have it; an audit must know."""
    import getpass

    from bot.ledger.id_key import pseudonyms_of

    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    try:
        ids = pseudonyms_of(settings)
    except SettingsError as error:
        raise CannotError(str(error)) from None
    return name if ids is None else ids.of(name)


@click.command()
@click.argument("name", metavar="USER_ID")
def whois(name: str) -> None:
    """Print an id (user, team, channel, or an account at a terminal) as it stands in the ledger.

    With TARLA_ID_KEY that is a keyed hash; without it the id itself.
    """
    from bot.ledger.id_key import pseudonyms_of

    try:
        ids = pseudonyms_of(settings_or_fail())
    except SettingsError as error:
        raise CannotError(str(error)) from None
    click.echo(name if ids is None else ids.of(name))


def _prune(path: Path, plan: Plan, who: str, *, clock_is_right: bool) -> tuple[Pruned, bool]:
    """What was done, and whether the ledger checks afterwards."""
    from bot.audit.pruning import RetentionError, check_before, checked, prune
    from bot.clock import SystemClock
    from bot.compose import code_version

    if plan.clock_far_ahead and not clock_is_right and plan.newest is not None:
        raise click.ClickException(
            f"the newest event is of {plan.newest[1]} and the clock says {plan.now}: if the clock is right, add "
            "--clock-is-right"
        )
    said: dict[str, Json] = {"asker": {"via": "cli", "user": who}, "code": code_version()}
    payloads = plan.extent.payloads + sum(each.extent.payloads for each in plan.unfinished)
    try:
        with progress(path, "checked") as follow:
            check_before(path, follow)
        with bar("deleted", "payloads", payloads) as more:
            done = prune(path, plan, SystemClock(), said, more)
        with progress(path, "checked again") as follow:
            ok = checked(path, follow).ok
    except RetentionError as error:
        raise click.ClickException(str(error)) from None
    return done, ok


def _told(plan: Plan, done: tuple[Pruned, bool] | None) -> list[str]:
    lines = [f"Kept for {plan.years} years: payloads of events recorded before {plan.before} are due."]
    for each in plan.unfinished:
        lines.append(
            f"Not finished: event {each.pruning.seq} let the payloads of events {each.pruning.first} to "
            f"{each.pruning.last} go; {_amount(each.extent)} are still there."
        )
    if plan.extent.payloads:
        lines.append(
            f"Due: events {plan.extent.first} to {plan.extent.last}, recorded {plan.extent.since} to "
            f"{plan.extent.until}: {_amount(plan.extent)}."
        )
    else:
        lines.append("Nothing more is due.")
    if plan.extent.kept:
        lines.append(f"Of these events {plan.extent.kept} are the ledger's own, whose payloads stay for good.")
    if plan.stopped_at is not None and plan.older_after:
        lines.append(
            f"Event {plan.stopped_at[0]} bears the time {plan.stopped_at[1]}, and {plan.older_after} events after it "
            "are older than the cut-off: the clock stood wrong at one of them. Only an unbroken run from the "
            "beginning is pruned, so they wait until that event is due."
        )
    if plan.clock_behind and plan.newest is not None:
        lines.append(f"The newest event bears the time {plan.newest[1]}, later than this clock's {plan.now}.")
    if done is None:
        if plan.extent.payloads or plan.unfinished:
            lines.append("Nothing was changed. To delete: tarla audit retain --prune")
        return lines
    pruned, ok = done
    by = "" if pruned.event is None else f" because of event {pruned.event.seq}"
    lines.append(f"Deleted: {pruned.deleted:,} payloads{by}, overwritten with zeros; the file keeps its size.")
    lines.append(
        "The ledger checks: no event, hash or receipt changed."
        if ok
        else "THE LEDGER DOES NOT CHECK NOW: see tarla audit verify."
    )
    if pruned.deleted:
        lines.append("Copies of the ledger made earlier still hold these payloads: backups, exports, snapshots.")
        lines.append("If checkpoints are set up, write one now: tarla audit checkpoint")
    return lines


def _amount(extent: Extent) -> str:
    return f"{extent.payloads:,} payloads, about {extent.size:,} bytes"


def _as_json(plan: Plan, done: tuple[Pruned, bool] | None) -> dict[str, Any]:
    extent = plan.extent
    said: dict[str, Any] = {
        "years": plan.years,
        "before": plan.before,
        "first": extent.first if extent.payloads else None,
        "last": extent.last if extent.payloads else None,
        "payloads": extent.payloads,
        "bytes": extent.size,
        "kept_for_good": extent.kept,
        "from": extent.since,
        "to": extent.until,
        "stopped_at": None if plan.stopped_at is None else {"seq": plan.stopped_at[0], "time": plan.stopped_at[1]},
        "older_after": plan.older_after,
        "clock_behind": plan.clock_behind,
        "unfinished": [
            {
                "seq": each.pruning.seq,
                "first": each.pruning.first,
                "last": each.pruning.last,
                "payloads": each.extent.payloads,
                "bytes": each.extent.size,
            }
            for each in plan.unfinished
        ],
    }
    if done is not None:
        pruned, ok = done
        said["pruned"] = {
            "payloads": pruned.deleted,
            "event": None if pruned.event is None else pruned.event.seq,
            "resumed": [pruning.seq for pruning in pruned.resumed],
            "longest_transaction_ms": round(1000 * pruned.longest_s, 1),
            "ledger_checks": ok,
        }
    return said
