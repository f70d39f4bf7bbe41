"""The auditor's report as one HTML page, from statistics and checkpoints; the same input gives the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from html import escape

from bot.audit.charts import Series, Span, sideways, spans, stacked
from bot.audit.stats import MOST_MS, SHARES, Gap, Listed, Stats, Use
from bot.audit.stats_text import duration, verdict
from bot.checkpoints.newest import OwnNotes
from bot.html_page import page, pair, section, table, words

TITLE = "Audit report of a Tarla ledger"
REQUESTS = ("computed", "refused", "looked_up", "shared")
# Upper ends of the columns of delivery times, in milliseconds; Slack waits 3,000.
BUCKETS = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 3_000, MOST_MS)
SLACK_PATIENCE_MS = 3_000


def report(stats: Stats, notes: OwnNotes, now: str) -> str:
    """The whole page; ``now`` is when the ledger was checked, RFC 3339."""
    return page(
        TITLE,
        [
            *_head(stats, notes, now),
            _use(stats),
            _refusals(stats),
            _deliveries(stats),
            _versions(stats),
            _checkpoints(stats, notes),
            _listed(stats),
            _clock(stats),
            words("People and channels are counted here and not named. Days and times are UTC.", small=True),
        ],
    )


def in_order(stats: Stats, notes: OwnNotes) -> bool:
    """Whether every row is right and no checkpoint tells of more events; ``notes`` are from before the counting."""
    return (
        stats.check is not None
        and stats.check.ok
        and all(each.size <= stats.check.events for each in notes.checkpoints)
    )


def _head(stats: Stats, notes: OwnNotes, now: str) -> list[str]:
    right = in_order(stats, notes)
    kind = "verdict" if right else "verdict wrong"
    kinds = stats.by_kind
    asked = sum(kinds[each] for each in REQUESTS)
    figures = [
        ("events", f"{stats.events:,}"),
        ("answers", f"{kinds['computed']:,}"),
        ("refusals", f"{kinds['refused']:,}{_share(kinds['refused'], asked)}"),
        ("failed deliveries", f"{kinds['delivery_failed']:,}"),
        ("interrupted requests", f"{kinds['interrupted']:,}"),
        ("median to reply sent", "none" if stats.quantile(0.5) is None else f"{stats.quantile(0.5):,} ms"),
        ("people", f"{stats.users:,}"),
        ("channels", f"{stats.channels:,}"),
    ]
    items = "".join(f"<li><b>{escape(value)}</b> {escape(name)}</li>" for name, value in figures)
    covered = f"{stats.days}"
    if stats.first is not None and stats.last is not None:
        covered += f": event {stats.first[0]} ({stats.first[1]}) to event {stats.last[0]} ({stats.last[1]})"
    return [
        f"<h1>{escape(TITLE)}</h1>",
        words(f"Covers {covered}."),
        f'<p class="{kind}">Checked {escape(now)}: {escape(verdict(stats.check))}.{escape(_cut(stats, notes))}</p>',
        words(
            "This check sees a changed, missing or added row. A cut-off end, or a file rewritten whole, shows only "
            "against checkpoints kept elsewhere: tarla audit verify.",
            small=True,
        ),
        f'<ul class="figures">{items}</ul>',
    ]


def _cut(stats: Stats, notes: OwnNotes) -> str:
    if in_order(stats, notes) or stats.check is None or not stats.check.ok:
        return ""
    return f" WRONG: a checkpoint in the folder covers {notes.checkpoints[-1].size:,} events, more than are here."


def _use(stats: Stats) -> str:
    weekly, weeks = _by_week(stats.by_day, REQUESTS)
    chart = stacked(
        "Requests a week, by kind of event",
        [week.isoformat() for week in weeks],
        [Series(kind, [weekly[week, kind] for week in weeks]) for kind in REQUESTS],
    )
    kinds = sorted(stats.by_kind)
    months = sorted({month for month, _kind in stats.by_month})
    rows = [[month, *(f"{stats.by_month[month, kind]:,}" for kind in kinds)] for month in months]
    if rows:
        rows.append(["all", *(f"{stats.by_kind[kind]:,}" for kind in kinds)])
    beside = table("All events by month and kind", ["month", *kinds], rows)
    told = words("Weeks begin on Monday, named by that day. One request makes one of these events.", small=True)
    return section("Use over time", told, pair(chart, beside, down=True))


def _refusals(stats: Stats) -> str:
    rows = stats.refusals.most_common()
    return section("Refusals by code", _counted("Refusals by code", "code", rows))


def _counted(title: str, name: str, rows: Sequence[tuple[str, int]]) -> str:
    total = sum(count for _name, count in rows)
    cells = [(each, f"{count:,}", _share(count, total).strip(" ()")) for each, count in rows]
    beside = table(title, [name, "events", "share"], cells)
    return pair(sideways(title, rows), beside) if rows else beside


def _deliveries(stats: Stats) -> str:
    columns: list[int] = []
    low = -1
    for high in BUCKETS:
        columns.append(sum(count for ms, count in stats.delivery_ms.items() if low < ms <= high))
        low = high
    labels = [*(f"≤ {high:,}" for high in BUCKETS[:-1]), f"> {BUCKETS[-2]:,}"]
    total = stats.delivery_ms.total()
    title = "Milliseconds from request to reply sent"
    cells = [
        (label, f"{count:,}", _share(count, total).strip(" ()")) for label, count in zip(labels, columns, strict=True)
    ]
    quantiles = [(f"{100 * share:g} %", f"{stats.quantile(share):,}") for share in SHARES] if total else []
    parts = [
        "<h3>Failed, by reason</h3>",
        _counted("Failed deliveries by reason", "reason", stats.failures.most_common()),
    ]
    parts.append("<h3>How long delivered replies took</h3>")
    if total:
        beside = table(title, ["ms", "replies", "share"], cells) + table(
            "Quantiles, exact to the millisecond", ["share of replies", "within ms"], quantiles
        )
        parts.append(pair(stacked(title, labels, [Series("replies", columns)]), beside))
        parts.append(words(f"Slack shows a reply only within {SLACK_PATIENCE_MS:,} ms of the request.", small=True))
    else:
        parts.append(words("No delivery was recorded."))
    return section("Deliveries", *parts)


def _versions(stats: Stats) -> str:
    named: dict[str, Use] = {f"model {name} {sha256[:8]}": use for (name, sha256), use in stats.models.items()}
    named |= {f"evidence {name}": use for name, use in stats.evidence.items()}
    named |= {f"program {name}": use for name, use in stats.programs.items()}
    rows = [
        (name, f"{use.count:,}", f"{use.first_seq:,}", use.first_time, f"{use.last_seq:,}", use.last_time)
        for name, use in named.items()
    ]
    beside = table("Versions that events name", ["version", "events", "first", "recorded", "last", "recorded"], rows)
    activated = _list_table("Models activated", stats.listed.get("model_activated", []), "model")
    if not named or stats.first is None or stats.last is None:
        return section("Versions in use", beside, activated)
    bars = _spans(named, stats.first[1], stats.last[1])
    chart = spans("When each version was in use", bars, (stats.first[1][:10], stats.last[1][:10]))
    return section("Versions in use", pair(chart, beside + activated, down=True))


def _spans(named: Mapping[str, Use], first: str, last: str) -> list[Span]:
    begin, end = datetime.fromisoformat(first), datetime.fromisoformat(last)
    whole = max(1.0, (end - begin).total_seconds())

    def share(time: str) -> float:
        return min(1.0, max(0.0, (datetime.fromisoformat(time) - begin).total_seconds() / whole))

    return [Span(name, share(use.first_time), share(use.last_time)) for name, use in named.items()]


def _checkpoints(stats: Stats, notes: OwnNotes) -> str:
    weekly, weeks = _by_week(stats.by_day, ("checkpoint",))
    in_ledger = 0 if stats.check is None else stats.check.events
    newest = notes.checkpoints[-1].size if notes.checkpoints else None
    if newest is None:
        told = "No signed checkpoint lies in the folder: nothing outside the ledger vouches for it."
    elif newest > in_ledger:
        told = f"THE NEWEST CHECKPOINT COVERS {newest:,} EVENTS, MORE THAN ARE RIGHT HERE ({in_ledger:,})."
    else:
        told = (
            f"The newest signed checkpoint in the folder covers {newest:,} events; of the {in_ledger:,} here "
            f"{in_ledger - newest:,} come after it. Whether it was signed over this very ledger is shown by tarla "
            "audit verify, not here."
        )
    parts = [words(told)]
    rows = [(f"{each.size:,}", each.root.hex()) for each in notes.checkpoints[-5:]]
    beside = table("Newest checkpoints in the folder", ["events", "root"], rows)
    if notes.unusable:
        beside += table(
            "Files that hold no checkpoint signed by a key beside them",
            ["file"],
            [(each,) for each in notes.unusable],
        )
    if weeks and any(weekly.values()):
        labels = [week.isoformat() for week in weeks]
        chart = stacked(
            "Checkpoints recorded a week",
            labels,
            [Series("checkpoints", [weekly[week, "checkpoint"] for week in weeks])],
        )
        months = Counter({month: count for (month, kind), count in stats.by_month.items() if kind == "checkpoint"})
        monthly = table(
            "Checkpoints recorded by month", ["month", "checkpoints"], [(m, f"{months[m]:,}") for m in sorted(months)]
        )
        parts += [pair(chart, monthly), beside]
    else:
        parts.append(beside)
    return section("Checkpoints", *parts)


def _listed(stats: Stats) -> str:
    gone = words(f"{stats.pruned_payloads:,} payloads of these days were pruned; their events and hashes stay.")
    parts = [
        gone,
        _list_table("Prunings", stats.listed.get("pruned", []), "what"),
        _list_table("Recalls", stats.listed.get("recalled", []), "what"),
        _list_table("Interrupted requests", stats.listed.get("interrupted", []), "request"),
        _list_table("Keys rotated", stats.listed.get("key_rotated", []), "what"),
    ]
    return section("Prunings, recalls, interruptions", *parts)


def _list_table(caption: str, listed: Sequence[Listed], name: str) -> str:
    shown = [(f"{each.seq:,}", each.time, each.words) for each in listed[-25:]]
    more = f" (the last 25 of {len(listed):,} kept)" if len(listed) > 25 else ""
    return table(caption + more, ["event", "recorded", name], shown)


def _clock(stats: Stats) -> str:
    def rows(gaps: Sequence[Gap]) -> list[tuple[str, str, str, str]]:
        ordered = sorted(gaps, reverse=True)
        return [(duration(each.seconds), f"{each.seq:,}", each.since, each.until) for each in ordered]

    head = ["how long", "before event", "from", "to"]
    return section(
        "Gaps and clock",
        table("Longest times without an event", head, rows(stats.gaps)),
        table(f"Clock set back ({stats.steps_back_counted:,} times)", head, rows(stats.steps_back)),
    )


def _by_week(
    by_day: Mapping[tuple[str, str], int], kinds: Sequence[str]
) -> tuple[Counter[tuple[date, str]], list[date]]:
    """Counts by (Monday, kind), and every Monday from the first to the last day of any event."""
    weekly: Counter[tuple[date, str]] = Counter()
    seen: set[date] = set()
    for (day, kind), count in by_day.items():
        moment = date.fromisoformat(day)
        monday = moment - timedelta(days=moment.weekday())
        seen.add(monday)
        if kind in kinds:
            weekly[monday, kind] += count
    if not seen:
        return weekly, []
    first, last = min(seen), max(seen)
    weeks = [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]
    # A clock that once stood far wrong would make thousands of empty weeks.
    return weekly, weeks if len(weeks) <= 520 else sorted(seen)


def _share(count: int, total: int) -> str:
    return f" ({100 * count / total:.1f} %)" if total else ""
