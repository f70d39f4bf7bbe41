"""The auditor's commands on a ledger of a million events: ``python -m benchmarks.audit``.

Each runs as a process of its own; its peak memory is what the operating system says of it when it ends.
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
from bot.clock import SystemClock
from bot.ledger import open_ledger
from handlers.ports import Entry, Kind, LedgerUnavailableError
from tests.support.big_ledger import SEED, make_ledger

BUDGET_MB = 150.0
DOCUMENT = Path(__file__).parents[1] / "docs" / "audit.md"
BEGIN, END = "<!-- figures of benchmarks/audit.py -->", "<!-- end of figures -->"
# Another writer during a backup: an answer and its delivery every two seconds, a busy ward.
WRITES_EVERY_S = 2.0
COMMANDS: dict[str, tuple[str, ...]] = {
    "stats": ("stats",),
    "export csv": ("export", "--format", "csv", "--out", "events.csv"),
    "export jsonl": ("export", "--format", "jsonl", "--out", "events.jsonl"),
    "export fhir": ("export", "--format", "fhir", "--out", "events.ndjson"),
    "report": ("report", "--html", "report.html", "--now", "2026-11-24T12:00:00Z"),
    "backup": ("backup", "copy.db"),
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


def measured(words: tuple[str, ...], ledger: Path, folder: Path) -> dict[str, Any]:
    """Seconds, processor seconds, and peak memory (MB) of one command, and the size of what it wrote (MB)."""
    before = set(folder.iterdir())
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TARLA_", "SLACK_"))}
    environment |= {"TARLA_LEDGER": str(ledger), "TARLA_CHECKPOINTS": str(folder / "checkpoints")}
    began = time.perf_counter()
    program = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "bot", "audit", *words], cwd=folder, env=environment, stdout=subprocess.DEVNULL
    )
    _pid, status, usage = os.wait4(program.pid, 0)
    seconds = time.perf_counter() - began
    program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode != 0:
        raise click.ClickException(f"tarla audit {words[0]} ended with status {program.returncode}")
    written = set(folder.iterdir()) - before
    size = sum(path.stat().st_size for path in written)
    for path in written:
        path.unlink()
    return {
        "seconds": round(seconds, 1),
        "processor_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mb": round(usage.ru_maxrss / 1024, 1),
        "written_mb": round(size / 1e6, 1),
    }


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
            f"| `{name}` | {each['seconds']:.0f} s | {each['processor_seconds']:.0f} s | {each['peak_mb']:.0f} MB |"
            f" {each['written_mb']:,.0f} MB |"
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
@click.option("--ledger", type=click.Path(path_type=Path), help="Use this one, made by tests.support.big_ledger.")
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
            work = folder / "work"
            work.mkdir()
            commands = dict(body.get("commands", {}))
            for what, words in COMMANDS.items():
                if not only or what in only:
                    commands[what] = measured(words, ledger, work)
                    click.echo(f"{what}: {commands[what]}")
            beside = body.get("backup_beside_a_writer")
            if not only or "beside" in only:
                writer = Writer(ledger)
                writer.start()
                beside = measured(COMMANDS["backup"], ledger, work)
                writer.stop.set()
                writer.join()
                beside |= {
                    "records": len(writer.milliseconds),
                    "failed_records": writer.failed,
                    "slowest_record_ms": round(max(writer.milliseconds), 1),
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
