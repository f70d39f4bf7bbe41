"""The auditor's commands on a ledger of a million events: ``python -m benchmarks.audit``.

Each runs as a process of its own; its peak memory is what the operating system says of it when it ends (alone.py).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from benchmarks.measure import RESULTS, write
from bot.checkpoints.folder import CheckpointFolder
from bot.clock import SystemClock
from bot.ledger import open_ledger, read_event
from bot.ledger.read import last_seq_of
from handlers.ports import Entry, Kind, LedgerUnavailableError
from handlers.receipts import receipt_of
from tests.support.big_ledger import SEED, make_ledger, sign_checkpoints

BUDGET_MB = 150.0
DOCUMENT = Path(__file__).parents[1] / "docs" / "audit.md"
BEGIN, END = "<!-- figures of benchmarks/audit.py -->", "<!-- end of figures -->"
# Another writer during a backup: an answer and its delivery every two seconds, a busy ward.
WRITES_EVERY_S = 2.0
TARLA = (sys.executable, "-m", "bot", "audit")
STANDALONE = Path(__file__).parents[1] / "bot" / "audit" / "standalone.py"
ALONE = Path(__file__).with_name("alone.py")
# LEDGER, NOTES, KEY and RECEIPT (of the event in the middle) stand for what is measured on.
COMMANDS: dict[str, tuple[str, ...]] = {
    "verify": (*TARLA, "verify"),
    "verify, one receipt with proof": (*TARLA, "verify", "RECEIPT", "--proof", "proof.json"),
    "the stand-alone verifier": (sys.executable, str(STANDALONE), "ledger", "LEDGER", "NOTES", "KEY"),
    "show": (*TARLA, "show", "RECEIPT"),
    "recall": (*TARLA, "recall"),
    "retain, nothing deleted": (*TARLA, "retain"),
    "stats": (*TARLA, "stats"),
    "export csv": (*TARLA, "export", "--format", "csv", "--out", "events.csv"),
    "export jsonl": (*TARLA, "export", "--format", "jsonl", "--out", "events.jsonl"),
    "export fhir": (*TARLA, "export", "--format", "fhir", "--out", "events.ndjson"),
    "report": (*TARLA, "report", "--html", "report.html", "--now", "2026-11-24T12:00:00Z"),
    "backup": (*TARLA, "backup", "copy.db"),
}


class Writer(threading.Thread):
    """Records events while a backup is made."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self._path = path
        self.stop = threading.Event()
        self.milliseconds: list[float] = []
        self.failed = 0

    def run(self) -> None:
        with closing(open_ledger(self._path, clock=SystemClock())) as writer:
            while not self.stop.wait(WRITES_EVERY_S):
                began = time.perf_counter()
                try:
                    key = f"bench:{time.time_ns()}"
                    writer.record_blocking(Entry(key, Kind.REFUSED, {"version": 1, "reason": "E_EMPTY"}))
                except LedgerUnavailableError:
                    self.failed += 1
                self.milliseconds.append(1000 * (time.perf_counter() - began))


def measured(words: tuple[str, ...], ledger: Path, notes: Path, folder: Path) -> dict[str, Any]:
    """Seconds, processor seconds, and peak memory (MB) of one command, and the size of what it wrote (MB)."""
    before = set(folder.iterdir())
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TARLA_", "SLACK_"))}
    environment |= {"TARLA_LEDGER": str(ledger), "TARLA_CHECKPOINTS": str(notes)}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    middle = read_event(ledger, (last_seq_of(ledger) + 1) // 2)
    if middle is None:
        raise click.ClickException("the ledger is empty")
    (key,) = CheckpointFolder(notes).public_keys()
    stands_for = {"LEDGER": str(ledger), "NOTES": str(notes), "KEY": str(key)}
    stands_for["RECEIPT"] = receipt_of(middle.seq, middle.leaf)
    command = [stands_for.get(word, word) for word in words]
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-I", "-S", str(ALONE), *command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    cost: dict[str, Any] = json.loads(done.stdout)
    if cost.pop("status") != 0:
        raise click.ClickException(f"did not end with status 0: {' '.join(words)}")
    written = set(folder.iterdir()) - before
    cost["written_mb"] = round(sum(path.stat().st_size for path in written) / 1e6, 1)
    for path in written:
        path.unlink()
    return cost


def as_markdown(body: dict[str, Any]) -> str:
    """The figures as the document shows them."""
    machine = body["machine"]
    lines = [
        f"{body['settings']['events']:,} events, a file of {body['ledger_mb']:,.0f} MB; {machine['cores']} cores, load "
        f"average {machine['load_average_1_and_5_minutes'][0]:.0f} at the end (`make audit-figures`):",
        "",
        "| command | time | processor time | peak memory | written |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, each in body["commands"].items():
        lines.append(
            f"| {name} | {_seconds(each['seconds'])} s | {_seconds(each['processor_seconds'])} s "
            f"| {each['peak_mb']:.0f} MB | {each['written_mb']:,.0f} MB |"
        )
    beside = body.get("backup_beside_a_writer")
    if beside:
        lines += [
            "",
            f"A backup beside a writer (an event every {WRITES_EVERY_S:.0f} s): {beside['seconds']:.0f} s; of "
            f"{beside['records']} records made meanwhile the slowest took {beside['slowest_record_ms']:.0f} ms and "
            f"{beside['failed_records']} failed.",
        ]
    return "\n".join(lines)


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}"


def in_text(text: str, table: str) -> str:
    """The document with these figures between its marks.

    Raises:
        ValueError: it has no marks.
    """
    found = re.search(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", text, flags=re.DOTALL)
    if found is None:
        raise ValueError("the document has no marks for the figures")
    return f"{text[: found.start()]}{BEGIN}\n{table}\n{END}{text[found.end() :]}"


@click.command()
@click.option("--events", default=1_000_000, show_default=True)
@click.option(
    "--ledger",
    type=click.Path(path_type=Path),
    help="Use this one, made by tests.support.big_ledger; it is written to.",
)
@click.option("--only", multiple=True, type=click.Choice([*COMMANDS, "beside"]), help="Measure only these anew.")
@click.option("--document-only", is_flag=True, help="Write the document again from the figures that are kept.")
def main(events: int, ledger: Path | None, only: tuple[str, ...], document_only: bool) -> None:
    """Measure, keep, and write the figures into docs/audit.md."""
    kept = RESULTS / "audit.json"
    body: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    if not document_only:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if ledger is None:
                ledger = folder / "data" / "ledger.db"
                ledger.parent.mkdir()
                make_ledger(ledger, events)
            work, notes = folder / "work", folder / "checkpoints"
            work.mkdir()
            sign_checkpoints(ledger, notes)
            kept_before = body.get("commands", {})
            commands = {what: kept_before[what] for what in COMMANDS if what in kept_before}
            for what, words in COMMANDS.items():
                if not only or what in only:
                    commands[what] = measured(words, ledger, notes, work)
                    click.echo(f"{what}: {commands[what]}")
            beside = body.get("backup_beside_a_writer")
            if not only or "beside" in only:
                writer = Writer(ledger)
                writer.start()
                beside = measured(COMMANDS["backup"], ledger, notes, work)
                writer.stop.set()
                writer.join()
                beside |= {
                    "records": len(writer.milliseconds),
                    "failed_records": writer.failed,
                    "slowest_record_ms": round(max(writer.milliseconds, default=0.0), 1),
                }
                click.echo(f"beside a writer: {beside}")
            found = {"ledger_mb": round(ledger.stat().st_size / 1e6, 1), "commands": commands}
            write("audit", {"events": events, "seed": SEED}, {**found, "backup_beside_a_writer": beside})
        body = json.loads(kept.read_text())
    DOCUMENT.write_text(in_text(DOCUMENT.read_text(), as_markdown(body)))
    over = [name for name, each in body["commands"].items() if each["peak_mb"] > BUDGET_MB]
    if over:
        raise click.ClickException(f"above {BUDGET_MB:.0f} MB: {', '.join(over)}")


if __name__ == "__main__":
    main()
