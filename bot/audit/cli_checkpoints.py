"""``tarla audit checkpoint``, ``verify``, ``rotate-key`` and ``verifier``."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.audit.options import RIGHT, WRONG, progress, settings_or_fail
from bot.files import OWNER_ONLY

if TYPE_CHECKING:
    from bot.checkpoints.folder import CheckpointFolder
    from bot.ledger import LedgerWriter
    from bot.ledger.note import PublicKey
    from bot.settings import Settings

# Rights of what is written: the verifier is for everyone, a proof may hold a patient's data.
FOR_ALL, FOR_ONE = 0o644, OWNER_ONLY

_ledger_option = click.option(
    "--ledger", type=click.Path(dir_okay=False, path_type=Path), help="Ledger file (default: TARLA_LEDGER)."
)


@click.command()
def checkpoint() -> None:
    """Sign a checkpoint of the ledger now, and say where it is."""
    from bot.checkpoints.folder import CheckpointFolder
    from bot.checkpoints.keys import SigningKeyError, key_for
    from bot.checkpoints.signing import Alarm, SigningState, make_checkpoint

    settings = settings_or_fail()
    folder = CheckpointFolder(settings.checkpoints)
    with _writer(settings) as writer:
        try:
            ring = key_for(settings.signing_key, settings.tarla_ledger, folder.path)
        except SigningKeyError as error:
            raise click.ClickException(str(error)) from None
        made = make_checkpoint(settings.tarla_ledger, folder, ring, SigningState(), writer.record_blocking)
    if isinstance(made, Alarm):
        raise click.ClickException(f"no checkpoint ({made.code}): {made.detail}")
    newest = folder.newest()
    if newest is None:
        raise click.ClickException("no checkpoint: the ledger has no event yet")
    click.echo(newest.text, nl=False)
    click.echo(f"\n{newest.size} events, in {newest.path}\npublic key: {ring.key.public}")


@click.command()
@click.argument("receipt", required=False)
@_ledger_option
@click.option(
    "--checkpoints",
    type=click.Path(file_okay=False, path_type=Path),
    multiple=True,
    help="Folder of checkpoints, may be given more than once (default: TARLA_CHECKPOINTS).",
)
@click.option(
    "--key", "lines", multiple=True, help="Public key that you trust (default: those beside the checkpoints)."
)
@click.option(
    "--proof", type=click.Path(dir_okay=False, path_type=Path), help="With a receipt: write its proof to this file."
)
@click.option(
    "--with-payload", is_flag=True, help="With --proof: put the event's content in, a patient's data included."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(
    receipt: str | None,
    ledger: Path | None,
    checkpoints: tuple[Path, ...],
    lines: tuple[str, ...],
    proof: Path | None,
    with_payload: bool,
    as_json: bool,
) -> None:
    """Check the whole ledger against its checkpoints, or one RECEIPT such as 1284-3f9a.

    Exit status 0 when all is in order, 1 with what is wrong, 2 when a setting or the question is.
    """
    from bot.checkpoints.folder import CheckpointFolder, FolderError
    from handlers.ports import LedgerUnavailableError

    settings = settings_or_fail()
    place = ledger or settings.tarla_ledger
    if proof is not None:
        _spare(proof, settings, place)
    folders = [CheckpointFolder(each) for each in checkpoints or (settings.checkpoints,)]
    if receipt is None and (proof is not None or with_payload):
        raise click.UsageError("--proof and --with-payload belong to a receipt")
    if with_payload and proof is None:
        raise click.UsageError("--with-payload belongs to --proof FILE")
    try:
        keys = _keys(lines, folders)
        if receipt is None:
            _verify_all(place, folders, keys, trusted=bool(lines), as_json=as_json)
        else:
            _verify_one(place, receipt, folders, keys, proof, with_payload, trusted=bool(lines), as_json=as_json)
    except LedgerUnavailableError as error:
        from bot.audit.options import unusable

        raise click.ClickException(unusable(place, error)) from None
    except FolderError as error:
        raise click.ClickException(f"a folder of checkpoints cannot be read ({error})") from None


@click.command("rotate-key")
def rotate() -> None:
    """Change the signing key; whoever trusts the old one can follow to the new. The old secret is then gone."""
    from bot.checkpoints.folder import CheckpointFolder
    from bot.checkpoints.rotation import rotate_key
    from bot.checkpoints.signing import Alarm
    from handlers.ports import LedgerUnavailableError

    settings = settings_or_fail()
    with _writer(settings) as writer:
        try:
            done = rotate_key(
                settings.tarla_ledger,
                CheckpointFolder(settings.checkpoints),
                settings.signing_key,
                writer.record_blocking,
            )
        except LedgerUnavailableError as error:
            raise click.ClickException(f"the ledger cannot be written ({error.code}); the old key stays") from None
    if isinstance(done, Alarm):
        raise click.ClickException(f"the old key stays ({done.code}): {done.detail}")
    click.echo(f"signed by both: {done.made.note.path}\nold public key: {done.old}\nnew public key: {done.new}")


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
def verifier(out: Path) -> None:
    """Write the stand-alone verifier: one file that needs Python and cryptography, and nothing of Tarla."""
    from importlib.resources import files

    _spare(out, settings_or_fail())
    _write(out, (files("bot.audit") / "standalone.py").read_text(encoding="utf-8"), FOR_ALL)
    click.echo(f"wrote {out}")


def _verify_all(
    ledger: Path, folders: Sequence[CheckpointFolder], keys: Sequence[PublicKey], *, trusted: bool, as_json: bool
) -> None:
    from bot.audit.verification import verify as verify_ledger
    from bot.audit.verification_text import as_json as json_of
    from bot.audit.verification_text import told

    with progress(ledger, "checked") as follow:
        found = verify_ledger(ledger, folders, keys, follow)
    click.echo(json.dumps(json_of(found), indent=2) if as_json else told(found, trusted))
    sys.exit(RIGHT if found.ok else WRONG)


def _verify_one(
    ledger: Path,
    receipt: str,
    folders: Sequence[CheckpointFolder],
    keys: Sequence[PublicKey],
    proof: Path | None,
    with_payload: bool,
    *,
    trusted: bool,
    as_json: bool,
) -> None:
    from bot.audit.receipts import ReceiptError, check_receipt
    from bot.audit.verification_text import told_receipt

    try:
        found = check_receipt(ledger, receipt, folders, keys)
        exported = found.exported(with_payload=with_payload) if found.note is not None or proof is not None else None
    except ReceiptError as error:
        if as_json:
            click.echo(json.dumps({"ok": False, "problem": str(error)}, indent=2))
            sys.exit(WRONG)
        raise click.ClickException(str(error)) from None
    if proof is not None:
        _write(proof, json.dumps(exported, indent=2) + "\n", FOR_ONE)
    if as_json:
        row = {"receipt": found.name, "kind": found.row.kind.decode(), "time": found.row.time.decode()}
        size = None if found.checkpoint is None else found.checkpoint.size
        click.echo(
            json.dumps(
                {"ok": True, **row, "covered_by": size, "let_go_by": found.let_go_by, "proof": exported}, indent=2
            )
        )
    else:
        click.echo(told_receipt(found, trusted))


def _keys(lines: Sequence[str], folders: Sequence[CheckpointFolder]) -> list[PublicKey]:
    from bot.ledger.note import NoteError, read_public_key

    try:
        given = [read_public_key(line) for line in lines]
    except NoteError as error:
        raise click.ClickException(f"--key: {error}") from None
    return given or [key for folder in folders for key in folder.public_keys()]


def _write(place: Path, text: str, mode: int) -> None:
    from bot.audit.files import OutputError, output_file

    try:
        with output_file(place, mode=mode) as part:
            part.write_text(text, encoding="utf-8")
    except OutputError as error:
        hint = ": name a new one" if "exists already" in str(error) else ""
        raise click.ClickException(f"{place} cannot be written: {error}{hint}") from None


def _spare(place: Path, settings: Settings, ledger: Path | None = None) -> None:
    from bot.audit.files import OutputError
    from bot.audit.options import spare_what_is_kept

    try:
        spare_what_is_kept(place, settings, ledger)
    except OutputError as error:
        raise click.ClickException(f"{place} cannot be written: {error}") from None


@contextlib.contextmanager
def _writer(settings: Settings) -> Iterator[LedgerWriter]:
    from bot.clock import SystemClock
    from bot.ledger import open_ledger

    _look(settings.tarla_ledger)
    writer = open_ledger(settings.tarla_ledger, clock=SystemClock())
    try:
        yield writer
    finally:
        writer.close()


def _look(ledger: Path) -> None:
    """Opening for writing makes a ledger where there is none; a command about one must not."""
    from bot.audit.options import unusable
    from bot.ledger.connection import AUDIT_WAIT_MS
    from bot.ledger.read import last_seq_of
    from handlers.ports import LedgerUnavailableError

    try:
        last_seq_of(ledger, AUDIT_WAIT_MS)
    except LedgerUnavailableError as error:
        # The others are told by what is done next, which also undoes half a write.
        if error.code in ("cannot_open", "locked"):
            raise click.ClickException(unusable(ledger, error)) from None
