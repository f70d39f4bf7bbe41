"""``tarla audit recall``: whose answer reads otherwise today. Heavy imports stand inside the functions."""

from __future__ import annotations

import contextlib
import re
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.audit.cli_keep import account
from bot.audit.options import progress, settings_or_fail, unusable, whole_or_fail

if TYPE_CHECKING:
    from bot.audit.recalling import Asked, Recall
    from bot.settings import Settings

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _day(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    with contextlib.suppress(ValueError):
        if _DAY.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    raise click.BadParameter("write a day such as 2026-11-24")


@click.command()
@click.option("--model-id", default=None, help="Only answers that this model gave, such as facts-1.")
@click.option("--since", callback=_day, metavar="DAY", help="Only answers of this day (UTC) and later.")
@click.option("--until", callback=_day, metavar="DAY", help="Only answers of this day (UTC) and earlier.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with every changed answer.")
@click.option("--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path), help="Write every figure there.")
@click.option("--record", is_flag=True, help="Record in the ledger that this recall was made.")
@click.option("--notices", type=click.Path(file_okay=False, path_type=Path), help="Write one text a person there.")
@click.option("--notify", is_flag=True, help="Send each person their notice by Slack; needs --yes, and --record.")
@click.option("--yes", is_flag=True, help="Really send messages to people.")
@click.option("--resume", metavar="RECEIPT", help="Go on sending for the recorded recall with this receipt.")
def recall(
    model_id: str | None,
    since: str | None,
    until: str | None,
    as_json: bool,
    csv_file: Path | None,
    record: bool,
    notices: Path | None,
    notify: bool,
    yes: bool,
    resume: str | None,
) -> None:
    """Work every recorded answer out again with the present model: which change, by how much, and whose they are.

    Exit status 0 when every row could be looked at, 1 when some were altered, missing or unreadable, or when this
    very model gives other figures now.
    """
    from bot.audit.files import OutputError, output_file
    from bot.audit.notices import NoticeError, new_folder
    from bot.audit.recall_lists import text_lines, write_csv, write_json
    from bot.audit.recalling import Asked
    from handlers.ports import LedgerUnavailableError
    from knowledge import ModelError

    if notify and not (yes and (record or resume)):
        raise click.UsageError("--notify sends messages to people: add --yes, and --record or --resume RECEIPT")
    if resume and (record or model_id or since or until):
        raise click.UsageError("--resume takes what it asks from the recorded recall: leave the other options out")
    settings = settings_or_fail()
    if record or notify:
        whole_or_fail(settings)
    try:
        if notices is not None:
            new_folder(notices)
        ref, asked, upto, digest = _recorded(settings.tarla_ledger, resume) if resume else (0, None, None, None)
        found = _recalled(settings, asked or Asked(model_id, since, until), upto, ref)
        if digest is not None and found.summary.digest != digest:
            raise click.ClickException("another list than the recorded one: the model or the ledger changed since")
        if csv_file is not None:
            with output_file(csv_file) as part, part.open("w", encoding="utf-8", newline="") as out:
                write_csv(found, out)
        if as_json:
            write_json(found, sys.stdout)
        else:
            click.echo("\n".join(text_lines(found)))
        if notices is not None:
            _write_notices(found, notices)
        if record:
            ref = _record(settings, found)
        if notify:
            _notify(settings, found, ref)
    except LedgerUnavailableError as error:
        raise click.ClickException(unusable(settings.tarla_ledger, error)) from None
    except (ModelError, NoticeError) as error:
        raise click.ClickException(str(error)) from None
    except OutputError as error:
        hint = ": name a new file" if "exists already" in str(error) else ""
        raise click.ClickException(f"{csv_file} cannot be written: {error}{hint}") from None
    sys.exit(0 if found.summary.sound else 1)


def _recalled(settings: Settings, asked: Asked, upto: int | None, ref: int) -> Recall:
    from bot.audit.recalling import recall as recalled
    from bot.compose import model_of

    model, path = model_of(settings)(), settings.tarla_ledger
    if model.site is not None and model.site.simulated:
        told = "the model in use was made from simulated patients, and by it no answer is right or wrong"
        raise click.ClickException(f"{told}: give tarla model use --shipped first")
    with progress(path, "recomputed") as follow:
        return recalled(path, asked, follow, model=model, upto=upto, ref=ref)


def _record(settings: Settings, found: Recall) -> int:
    """Record that the recall was made, without names; the event's number."""
    import uuid

    from bot.audit.recall_lists import summary_record
    from bot.clock import SystemClock
    from bot.compose import code_version
    from bot.ledger import open_ledger
    from bot.ledger.kinds import LedgerKind
    from handlers.ports import Entry

    said = summary_record(found.summary)
    for name in ("altered", "unreadable", "faults"):
        said[name] = said[name]["count"]
    said |= {"version": 1, "asker": {"via": "cli", "user": account(settings)}, "code": code_version()}
    writer = open_ledger(settings.tarla_ledger, clock=SystemClock())
    try:
        recorded = writer.record_blocking(Entry(f"recalled:{uuid.uuid4()}", LedgerKind.RECALLED, said))
    finally:
        writer.close()
    click.echo(f"Recorded as #{recorded.receipt}.", err=True)
    return recorded.seq


def _recorded(path: Path, receipt: str) -> tuple[int, Asked, int, str]:
    """What an earlier recall asked: its number, the answers meant, the last event it saw and its list's hash."""
    from bot.audit.recalling import Asked
    from bot.ledger import read_event
    from bot.ledger.kinds import LedgerKind
    from handlers.receipts import read_typed_receipt

    wanted = read_typed_receipt(receipt)
    event = None if wanted is None or not wanted.start else read_event(path, wanted.seq)
    if event is None or wanted is None or event.kind != LedgerKind.RECALLED or not wanted.fits(event.leaf):
        raise click.UsageError("--resume: no recall is recorded under this receipt")
    said = event.payload
    asked = None if said is None else said["asked"]
    if said is None or not isinstance(asked, dict):
        raise click.UsageError("--resume: what was recorded of this recall cannot be read")
    days = (None if asked[name] is None else str(asked[name]) for name in ("model_id", "since", "until"))
    return event.seq, Asked(*days), int(str(said["last"])), str(said["digest"])


def _write_notices(found: Recall, folder: Path) -> None:
    from bot.audit.notices import notice, write_notice
    from bot.clock import SystemClock

    day = SystemClock().now().date().isoformat()
    for who, answers in found.persons():
        write_notice(folder, who, notice(answers(), found.summary.model, day))
    click.echo(f"Wrote {found.summary.persons} notices, one a person, readable by this account alone.", err=True)


def _notify(settings: Settings, found: Recall, ref: int) -> None:
    from slack_sdk.web import WebClient

    from bot.audit.notifying import notify
    from bot.clock import SystemClock

    if settings.slack_bot_token is None:
        raise click.ClickException("SLACK_BOT_TOKEN is not set: nothing was sent; --notices writes the texts")
    token = settings.slack_bot_token.get_secret_value()
    client = WebClient(token=token, base_url=settings.slack_api_url, retry_handlers=[])
    done = notify(found, client, settings.tarla_ledger, SystemClock(), ref)
    click.echo(f"Sent {done.sent} notices; {done.before} had theirs before.", err=True)
    for who, why in done.failed:
        click.echo(f"Not sent to {who}: {why}", err=True)
    if done.failed:
        raise click.ClickException("some have no notice yet: tell them in person, or go on with --resume RECEIPT")
