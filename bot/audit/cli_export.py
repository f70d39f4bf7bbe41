"""``tarla audit export``. Heavy imports stand inside the functions."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from bot.audit.options import (
    RIGHT,
    WRONG,
    CannotError,
    days_or_fail,
    ledger_errors,
    progress,
    settings_or_fail,
    span_options,
    spare_what_is_kept,
)

if TYPE_CHECKING:
    from bot.audit.export import Exported

FORMATS = ("csv", "jsonl", "fhir")


@click.command("export")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), required=True, help="jsonl loses nothing; csv for tables."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write a file (default: standard output).")
@click.option("--force", is_flag=True, help="Write over an existing file.")
@span_options
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only these kinds of event; may be repeated.")
@click.option("--all-the-same", is_flag=True, help="Do not stop at an altered row: write it, and mark it.")
def export(
    form: str,
    out: Path | None,
    force: bool,
    since: str | None,
    until: str | None,
    kinds: tuple[str, ...],
    all_the_same: bool,
) -> None:
    """Write events as CSV, JSON lines or FHIR R4 AuditEvent (NDJSON).

    The hashes of every row are checked while it passes; an altered row stops the export. Exit status 0 when all
    were right, 1 when a row was not, 2 when the ledger could not be read or the file not written.
    """
    from bot.audit.export import ExportStoppedError, Format, writer_of
    from bot.audit.export import export as write_export
    from bot.audit.files import OutputError, output_file, reason
    from bot.audit.problems import told

    settings, days = settings_or_fail(), days_or_fail(since, until)
    path = settings.tarla_ledger
    _check_kinds(kinds)

    def run(target: TextIO, follow: Callable[[int], None]) -> Exported:
        return write_export(
            path,
            target,
            writer_of(Format(form)),
            days=days,
            kinds=frozenset(kinds),
            all_the_same=all_the_same,
            follow=follow,
        )

    try:
        with ledger_errors(path), progress(path, "exported") as follow:
            if out is None:
                if sys.stdout is None:
                    raise CannotError("standard output is closed: name a file with --out")
                sys.stdout.reconfigure(encoding="utf-8", errors="strict", newline="\n")  # type: ignore[union-attr]  # typed as any text stream
                done = run(sys.stdout, follow)
                sys.stdout.flush()
            else:
                spare_what_is_kept(out, settings)
                with output_file(out, force=force) as part, part.open("w", encoding="utf-8", newline="\n") as target:
                    done = run(target, follow)
    except ExportStoppedError as stopped:
        nothing = "" if out is None else " No file was written."
        click.echo(
            f"Stopped: event {stopped.seq} is not as it was recorded ({stopped.problem}): {told(stopped.problem)}."
            f"{nothing} --all-the-same goes on and marks such rows.",
            err=True,
        )
        sys.exit(WRONG)
    except OutputError as error:
        hint = " (--force writes over it)" if "exists already" in str(error) else ""
        raise CannotError(f"the export cannot be written: {error}{hint}") from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python fails on it again when it ends
        raise CannotError("nobody read the export to its end") from None
    except OSError as error:
        raise CannotError(f"the export cannot be written: {reason(error)}") from None
    click.echo(f"{done.written:,} of {done.read:,} events written, {len(done.marked):,} marked as altered.", err=True)
    for seq, problem in done.marked[:20]:
        click.echo(f"event {seq} ({problem}): {told(problem)}", err=True)
    sys.exit(WRONG if done.marked else RIGHT)


def _check_kinds(kinds: tuple[str, ...]) -> None:
    from bot.ledger.kinds import LedgerKind
    from handlers.ports import Kind

    known = [*map(str, Kind), *map(str, LedgerKind)]
    for kind in kinds:
        if kind not in known:
            raise CannotError(f"no such kind of event; there are {', '.join(sorted(known))}")
