"""One event as an auditor reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.audit.again import Again
from bot.audit.export import hexed, readable
from bot.audit.payload import PRESENCES, figures, outcome_said, parsed, part, parts, text
from bot.audit.problems import told
from bot.audit.shown import Fit, Shown
from bot.audit.stats_text import table
from bot.ledger.read import RawEvent

_SAID = (
    *("reason", "word", "length", "look_up", "via", "milliseconds", "receipt"),
    *("size", "root", "first", "last", "before"),
)
_VERSIONS = ("evidence", "code")


def as_text(shown: Shown, again: Again | None = None) -> str:
    """Everything in ``shown``, a line a fact; ``again`` is the answer worked out again by its own model."""
    row = shown.row
    if row is None:
        return (
            f"There is no event {shown.receipt.seq} in this ledger: its newest is {shown.last}.\n"
            "A receipt was given out only after its event was on disk, so either the receipt is of another ledger or "
            "miswritten, or the end of this one is missing: tarla audit verify compares it with the checkpoints."
        )
    lines = [_headline(shown, row), ""]
    payload = parsed(row.body)
    facts = [
        ("event", f"{row.seq}, {readable(row.kind)}"),
        ("recorded", readable(row.time)),
        ("request", readable(row.idem_key)),
    ]
    if row.ref is not None:
        facts.append(("about", f"event {row.ref}"))
    facts += [*_who(payload), *_findings(part(payload, "factors"))]
    lines += table(facts)
    lines += _answer(payload)
    for each in parts(payload, "comparison"):
        lines += ["", f"Compared: {text(each.get('change'))}", *table(_findings(part(each, "factors"))), *_answer(each)]
    rest = list(_rest(payload)) + ([] if again is None else [("worked out again", again.told)])
    lines += ["", *table(rest)] if payload else []
    lines += ["", *_hashes(shown, row)]
    lines += ["", *_referring(shown), _checkpoint(shown)]
    return "\n".join(lines)


def _headline(shown: Shown, row: RawEvent) -> str:
    receipt = f"{row.seq}-{hexed(row.leaf)[:4]}"
    if shown.fit is Fit.RIGHT:
        return f"#{receipt}: as it was recorded."
    if shown.fit is Fit.OTHER_LEAF:
        return (
            f"ANOTHER EVENT: number {row.seq} is #{receipt} here, and its hashes are right, but the receipt says "
            f"#{shown.receipt}. The receipt is miswritten or of another ledger, or this one was rewritten."
        )
    return f"ALTERED ({shown.problem}): event {row.seq} is not as it was recorded: {told(str(shown.problem))}."


def _who(payload: dict[str, Any]) -> list[tuple[str, str]]:
    asker = part(payload, "asker")
    names = {"user": "who", "channel": "channel", "team": "workspace", "enterprise": "organisation", "via": "through"}
    return [(label, text(asker[name])) for name, label in names.items() if name in asker]


def _findings(factors: dict[str, Any]) -> list[tuple[str, str]]:
    if not factors:
        return []
    return [("LDH", _ldh(factors.get("ldh")))] + [
        (name.replace("_", " "), text(factors.get(name)) or "unknown") for name in PRESENCES
    ]


def _ldh(ldh: object) -> str:
    if not isinstance(ldh, dict):
        return "unknown"
    if "value" in ldh:
        limit = f"upper limit {text(ldh.get('uln'))} {text(ldh.get('uln_unit'))}, {text(ldh.get('uln_from'))}"
        return f"{text(ldh['value'])} {text(ldh.get('unit'))} ({limit})"
    if "multiple" in ldh:
        return f"{text(ldh['multiple'])} x upper limit"
    return text(ldh.get("category"))


def _answer(payload: dict[str, Any]) -> list[str]:
    rows = [(name, risk, f"{low} to {high}") for name, risk, low, high in figures(payload)]
    return ["", *table([("outcome", "risk", "95 % interval"), *rows])] if rows else []


def _rest(payload: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _SAID:
        if name in payload:
            yield name.replace("_", " "), text(payload[name])
    for name, value in outcome_said(payload):
        yield name.replace("_", " "), value or ("none" if name == "replaces" else "not known")
    if part(payload, "arguments"):
        yield "asked with", ", ".join(f"{name} {value}" for name, value in part(payload, "arguments").items())
    for name in ("assumptions", "notes", "records"):
        found = payload.get(name)
        for each in found if isinstance(found, list) else ():
            yield name, text(each)
    model = part(payload, "model")
    if model:
        yield "model", f"{text(model.get('id'))}, sha256 {text(model.get('sha256'))}"
    if parent := part(model, "parent"):
        yield "parent", f"{text(parent.get('id'))}, sha256 {text(parent.get('sha256'))}"
        yield "patients", f"file's sha256 {text(model.get('data_sha256'))}"
    if model.get("simulated") is True:
        yield "patients", "SIMULATED"
    for name in _VERSIONS:
        if name in payload:
            yield {"code": "program"}.get(name, name), text(payload[name])


def _hashes(shown: Shown, row: RawEvent) -> list[str]:
    if row.body is None and shown.payload_right is None:
        gone = f"pruned when its time was over, let go by event {shown.pruned_by}" if shown.pruned_by else "MISSING"
        payload = f"payload {gone}; its hash stays"
    else:
        payload = "right" if shown.payload_right else "WRONG"
    return table(
        [
            ("payload hash", hexed(row.payload_hash), payload),
            ("leaf hash", hexed(row.leaf), "right" if shown.leaf_right else "WRONG"),
        ]
    )


def _referring(shown: Shown) -> list[str]:
    if not shown.referring:
        return ["No later event is about this one."]
    rows = [(f"#{each.receipt}", each.kind, each.time) for each in shown.referring]
    return ["Later events about this one:", *(f"  {line}" for line in table(rows))]


def _checkpoint(shown: Shown) -> str:
    if not shown.notes:
        return "There are no checkpoints in the folder."
    if shown.covered is None:
        return "No checkpoint covers it yet."
    return (
        f"First checkpoint over it: the one over {shown.covered.size} events. That the ledger fits it is shown by "
        "tarla audit verify, not here."
    )
