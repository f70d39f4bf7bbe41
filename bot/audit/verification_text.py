"""What ``tarla audit verify`` says, in words and for programs."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.audit.receipts import CheckedReceipt
from bot.audit.verification import Verification

_SECONDS_A_DAY = 86_400


def told(found: Verification, trusted: bool) -> str:
    """The verdict on a whole ledger; ``trusted`` says that the auditor brought the key."""
    gone = f", {found.pruned} payloads gone after {found.years} years or more" * bool(found.pruned)
    lines = [f"{found.events} events in order{gone}"]
    if found.checkpoints:
        lines.append(
            f"{found.checkpoints} checkpoint{'s' * (found.checkpoints > 1)}; {found.covered} events covered"
            + _age(found.covered_at)
        )
    if after := found.events - found.covered:
        lines.append(f"{after} event{'s' * (after > 1)} after the last checkpoint: only locally protected")
    if found.clock_steps:
        lines.append(f"{found.clock_steps} times the clock was set back (the order is that of the numbers)")
    lines += _trust(trusted, bool(found.keys))
    lines += [f"WRONG: {problem.sentence}" for problem in found.problems]
    return "\n".join(lines) + ("" if found.problems else "\nin order")


def told_receipt(found: CheckedReceipt, trusted: bool) -> str:
    """The verdict on one receipt that is right."""
    lines = [f"#{found.name}: {found.row.kind.decode()}, {found.row.time.decode()}", "its hashes are right"]
    if found.let_go_by is not None:
        lines.append(f"its content is gone: event {found.let_go_by} says that its time was over")
    if found.checkpoint is None or found.proof is None:
        lines.append("not yet covered by a checkpoint: only locally protected")
    else:
        lines.append(
            f"covered by the checkpoint of {found.checkpoint.size} events ({found.checkpoint.origin}), "
            f"proof of {len(found.proof)} hashes"
        )
        lines += _trust(trusted, keys=True)
    return "\n".join(lines)


def as_json(found: Verification) -> dict[str, object]:
    """The same verdict on a whole ledger, for programs."""
    return {
        "ok": found.ok,
        "events": found.events,
        "pruned": found.pruned,
        "pruned_after_years": found.years,
        "checkpoints": found.checkpoints,
        "covered": found.covered,
        "covered_at": found.covered_at,
        "uncovered": found.events - found.covered,
        "clock_steps": found.clock_steps,
        "keys": [str(key) for key in found.keys],
        "problems": [
            {"code": problem.code, "number": problem.number, "sentence": problem.sentence} for problem in found.problems
        ],
    }


def _trust(trusted: bool, keys: bool) -> list[str]:
    if trusted or not keys:
        return []
    return [
        "The key is the one that lies beside the checkpoints, so this trusts their folder; "
        "with --key and a key from elsewhere it does not"
    ]


def _age(time: str | None) -> str:
    if time is None:
        return ""
    age = datetime.now(UTC) - datetime.fromisoformat(time)
    minutes, days = int(age.total_seconds() // 60), int(age.total_seconds() // _SECONDS_A_DAY)
    return f", the last of {time} ({f'{days} days' if days > 1 else f'{minutes} minutes'} ago)"
