"""A recall as text, JSON and CSV, written piece by piece."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TextIO

from bot.audit.notices import told
from bot.audit.recalling import ChangedAnswer, Named, Recall, Summary

# What a terminal shows; the lists hold everything.
PERSONS_SHOWN, ANSWERS_SHOWN, ROWS_NAMED = 10, 3, 20
COLUMNS = (
    *("receipt", "time", "via", "user", "team", "enterprise", "channel", "delivered", "shared", "model", "same_model"),
    *("level", "findings", "row", "outcome", "old", "new", "difference", "old_printed", "new_printed", "in_doubt"),
)
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def text_lines(recall: Recall) -> Iterator[str]:
    """What was found, shortly."""
    summary = recall.summary
    yield (
        f"{summary.answers:,} answers among {summary.events:,} events, worked out again with model {summary.model.id} "
        f"(SHA-256 {summary.model.sha256[:16]}…)."
    )
    levels = summary.by_level
    yield f"  the same to every decimal kept     {summary.unchanged:>9,}"
    yield f"  a printed estimate or limit changes{levels['estimate']:>10,}"
    yield f"  only a figure of the reasons does  {levels['reason']:>9,}"
    yield f"  only a decimal not printed does    {levels['hidden']:>9,}"
    for model, count in sorted(summary.models.items()):
        yield f"  given by model {model}: {count:,} answers, {summary.changed_by_model[model]:,} change in print"
    if summary.in_doubt:
        yield f"  {summary.in_doubt:,} stand on a rounding edge: what was printed may be the same; they are listed."
    yield from _rows_at_fault(summary)
    yield f"Persons to tell: {summary.persons:,}"
    for who, answers in islice(recall.persons(), PERSONS_SHOWN):
        yield f"\n{who}"
        shown = list(islice(answers(), ANSWERS_SHOWN + 1))
        for answer in shown[:ANSWERS_SHOWN]:
            yield from (f"  {line}" for line in told(answer))
        if len(shown) > ANSWERS_SHOWN:
            yield "  and more"
    if summary.persons > PERSONS_SHOWN:
        yield "\nand more persons. All of it: --json, or --csv FILE"


def _rows_at_fault(summary: Summary) -> Iterator[str]:
    if summary.pruned:
        yield f"Not looked at: {summary.pruned:,} answers whose payloads are no longer kept (tarla audit retain)."
    if summary.missing:
        yield f"MISSING: {summary.missing:,} events; see tarla audit verify."
    yield from _named("ALTERED since they were recorded, and not looked at", summary.altered)
    yield from _named("Recorded in a form that this version cannot read", summary.unreadable)
    yield from _named("Given by this very model, and this program or machine works them out otherwise", summary.faults)


def _named(what: str, named: Named) -> Iterator[str]:
    if named.count:
        more = ", …" if named.count > ROWS_NAMED else ""
        yield f"{what}: {named.count:,} ({', '.join(named.receipts[:ROWS_NAMED])}{more})"


def write_json(recall: Recall, out: TextIO) -> None:
    """One JSON object: the summary, then every changed answer, grouped by person."""
    head = json.dumps(summary_record(recall.summary), indent=1, ensure_ascii=False).rstrip("}\n")
    out.write(f'{head},\n "changed": [')
    for number, answer in enumerate(recall.changed()):
        out.write(",\n  " if number else "\n  ")
        out.write(json.dumps(answer_record(answer), ensure_ascii=False))
    out.write("\n ]\n}\n")


def write_csv(recall: Recall, out: TextIO, follow: Callable[[], None] = lambda: None) -> None:
    """One line for each figure of a changed answer, then one for each row that could not be looked at."""
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    for answer in recall.changed():
        about: dict[str, Any] = {
            "receipt": answer.receipt,
            "time": answer.time,
            **{name: _harmless(answer.asker.get(name, "")) for name in COLUMNS[2:7]},
            "delivered": {None: "", True: "yes", False: "no"}[answer.delivered],
            "shared": " ".join(answer.shared),
            "model": _harmless(answer.model),
            "same_model": "yes" if answer.same_model else "no",
            "level": answer.difference.level.value,
            "findings": answer.difference.findings,
        }
        for figure in answer.difference.figures:
            doubt = "yes" if figure.in_doubt else "no"
            values = {name: getattr(figure, name) for name in COLUMNS[14:20]}
            writer.writerow({**about, "row": figure.row or "", **values, "in_doubt": doubt})
        for was, now in answer.difference.reasons:
            writer.writerow({**about, "row": "reasons", "old_printed": was, "new_printed": now})
        follow()
    for level in ("altered", "unreadable"):
        for receipt in getattr(recall.summary, level).receipts:
            writer.writerow({"receipt": receipt, "level": level})


def summary_record(summary: Summary) -> dict[str, Any]:
    """The counts, and the rows that could not be looked at, as JSON values."""
    return {
        "model": {"id": summary.model.id, "sha256": summary.model.sha256},
        "asked": {"model_id": summary.asked.model_id, "since": summary.asked.since, "until": summary.asked.until},
        "events": summary.events,
        "last": summary.last,
        "answers": summary.answers,
        "unchanged": summary.unchanged,
        "estimate": summary.by_level["estimate"],
        "reason": summary.by_level["reason"],
        "hidden": summary.by_level["hidden"],
        "in_doubt": summary.in_doubt,
        "persons": summary.persons,
        "models": {
            model: {"answers": count, "printed_changes": summary.changed_by_model[model]}
            for model, count in sorted(summary.models.items())
        },
        "pruned": summary.pruned,
        "missing": summary.missing,
        **{
            name: {"count": named.count, "receipts": list(named.receipts)}
            for name, named in (
                ("altered", summary.altered),
                ("unreadable", summary.unreadable),
                ("faults", summary.faults),
            )
        },
        "digest": summary.digest,
    }


def answer_record(answer: ChangedAnswer) -> dict[str, Any]:
    """A changed answer as JSON values."""
    return {
        "receipt": answer.receipt,
        "seq": answer.seq,
        "time": answer.time,
        "person": answer.who,
        "asker": dict(answer.asker),
        "model": answer.model,
        "same_model": answer.same_model,
        "delivered": answer.delivered,
        "shared": list(answer.shared),
        "comparison": answer.comparison,
        "level": answer.difference.level.value,
        "findings": answer.difference.findings,
        "figures": [
            {name: getattr(figure, name) for name in (*COLUMNS[13:21],)} for figure in answer.difference.figures
        ],
        "reasons": [{"old_printed": was, "new_printed": now} for was, now in answer.difference.reasons],
    }


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
