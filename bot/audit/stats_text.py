"""Statistics as text for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.audit.problems import told
from bot.audit.stats import MOST_MS, SHARES, Gap, Stats, Use
from bot.ledger import LedgerCheck


def as_json(stats: Stats) -> dict[str, Any]:
    """All that was counted; nobody's name."""
    return {
        "days": {"since": stats.days.since, "until": stats.days.until},
        "ledger": _checked(stats.check),
        "events": stats.events,
        "first": _place(stats.first),
        "last": _place(stats.last),
        "pruned_payloads": stats.pruned_payloads,
        "by_month": [
            {"month": month, "kind": kind, "events": count} for (month, kind), count in sorted(stats.by_month.items())
        ],
        "refusals": dict(sorted(stats.refusals.items())),
        "delivery_failures": dict(sorted(stats.failures.items())),
        "delivery_ms": {
            "deliveries": stats.delivery_ms.total(),
            **{f"p{100 * share:g}": stats.quantile(share) for share in SHARES},
            "longest": max(stats.delivery_ms, default=None),
        },
        "models": [{"id": name, "sha256": sha256, **_used(use)} for (name, sha256), use in stats.models.items()],
        "evidence": [{"version": name, **_used(use)} for name, use in stats.evidence.items()],
        "programs": [{"version": name, **_used(use)} for name, use in stats.programs.items()],
        "users": stats.users,
        "channels": stats.channels,
        "largest_gaps": [_gap(gap) for gap in sorted(stats.gaps, reverse=True)],
        "clock_set_back": stats.steps_back_counted,
        "largest_steps_back": [_gap(gap) for gap in sorted(stats.steps_back, reverse=True)],
        **{kind: [{"seq": each.seq, "time": each.time, "what": each.words} for each in listed]
           for kind, listed in sorted(stats.listed.items())},
    }  # fmt: skip


def verdict(check: LedgerCheck | None) -> str:
    """The check in one sentence."""
    if check is None:
        return "not checked"
    if check.ok:
        return f"{check.events:,} events, every hash right; {check.pruned:,} payloads pruned"
    where = "" if check.bad_seq is None else f" at event {check.bad_seq}"
    return f"WRONG{where}: {told(str(check.problem))}; {check.events:,} events before it are right"


def as_text(stats: Stats) -> str:
    """The same for a terminal."""
    lines = [f"Ledger: {verdict(stats.check)}", f"Days: {stats.days}, {stats.events:,} events"]
    if stats.first is not None and stats.last is not None:
        lines.append(f"From event {stats.first[0]} ({stats.first[1]}) to {stats.last[0]} ({stats.last[1]})")
    lines.append(f"People who asked: {stats.users:,}; channels: {stats.channels:,}")
    lines += _section("Events by month and kind", month_table(stats))
    lines += _section("Refusals by code", counted(stats.refusals.most_common()))
    lines += _section("Deliveries failed by reason", counted(stats.failures.most_common()))
    if stats.delivery_ms:
        quantiles = [(f"{100 * share:g} % within", f"{stats.quantile(share):,} ms") for share in SHARES]
        longest = max(stats.delivery_ms)
        more = " or more" if longest == MOST_MS else ""
        rows = [*quantiles, ("longest", f"{longest:,} ms{more}")]
        lines += _section("From request to reply sent, exact to the recorded millisecond", table(rows))
    for title, uses in (
        ("Models", {f"{name} {sha256[:16]}": use for (name, sha256), use in stats.models.items()}),
        ("Evidence", stats.evidence),
        ("Programs", stats.programs),
    ):
        lines += _section(title, table(use_rows(uses)))
    lines += _section("Longest times without an event", table(gap_rows(stats.gaps)))
    lines += _section(f"Clock set back, {stats.steps_back_counted:,} times", table(gap_rows(stats.steps_back)))
    for kind, listed in sorted(stats.listed.items()):
        shown = [(str(each.seq), each.time, each.words) for each in listed[:20]]
        lines += _section(f"{kind}, {stats.by_kind[kind]:,} events", table(shown))
    return "\n".join(lines)


def month_table(stats: Stats) -> list[str]:
    """One line a month, a column a kind."""
    kinds = sorted(stats.by_kind)
    months = sorted({month for month, _kind in stats.by_month})
    rows = [(month, *(f"{stats.by_month[month, kind]:,}" for kind in kinds)) for month in months]
    return table([("", *kinds), *rows]) if rows else []


def counted(counts: Iterable[tuple[str, int]]) -> list[str]:
    """Names and how many."""
    return table([(name, f"{count:,}") for name, count in counts])


def use_rows(uses: dict[str, Use]) -> list[tuple[str, ...]]:
    """A version a row: name, events, first and last."""
    return [
        (name, f"{use.count:,} events", f"{use.first_seq} ({use.first_time})", f"to {use.last_seq} ({use.last_time})")
        for name, use in uses.items()
    ]


def gap_rows(gaps: Sequence[Gap]) -> list[tuple[str, ...]]:
    """The longest first."""
    return [
        (duration(gap.seconds), f"before event {gap.seq}", gap.since, gap.until) for gap in sorted(gaps, reverse=True)
    ]


def duration(seconds: float) -> str:
    """A time in the largest unit that leaves it above one."""
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.3f} s"


def table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns side by side, figures to the right."""
    widths = [
        max(len(row[column]) for row in rows if column < len(row)) for column in range(max(map(len, rows), default=0))
    ]
    return ["  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]


def _padded(cell: str, width: int) -> str:
    return cell.rjust(width) if cell[:1].isdigit() and cell.replace(",", "").isdigit() else cell.ljust(width)


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", title, *(f"  {line}" for line in lines or ["none"])]


def _checked(check: LedgerCheck | None) -> dict[str, Any] | None:
    if check is None:
        return None
    return {
        "ok": check.ok,
        "events": check.events,
        "pruned": check.pruned,
        "bad_seq": check.bad_seq,
        "problem": check.problem,
    }


def _place(place: tuple[int, str] | None) -> dict[str, Any] | None:
    return None if place is None else {"seq": place[0], "time": place[1]}


def _used(use: Use) -> dict[str, Any]:
    first, last = (use.first_seq, use.first_time), (use.last_seq, use.last_time)
    return {"events": use.count, "first": _place(first), "last": _place(last)}


def _gap(gap: Gap) -> dict[str, Any]:
    return {"seconds": gap.seconds, "before_seq": gap.seq, "from": gap.since, "to": gap.until}
