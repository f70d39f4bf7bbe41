"""``monitor``: how long to watch after each dose, US first, then where the EU differs."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.lookup.page import NEWER_LABEL, Part, build, line, part, sentence, us_monitoring
from handlers.lookup.reply import LookUp, LookUpCode, LookUpRefusal
from handlers.lookup.words import Token, UnreadWordError, read
from knowledge.label import Label, Laboratory, Monitoring, Schedule, Statement, load

_PATTERNS = {
    "dose": r"c(?:ycle)?[ -]?([1-9][0-9]?)[ -]?d(?:ay)?[ -]?([1-9][0-9]?)",
    "cycle": r"c(?:ycle)?[ -]?([1-9][0-9]?)",
    "day": r"d(?:ay)?[ -]?([1-9][0-9]?)",
    "labs": r"(?:labs?|laboratory|bloods?)",
}
_EXAMPLE = "/tarla monitor c1d8"


def monitor(words: Sequence[str], today: str) -> LookUp:
    """All rows, those of a dose (``c1d8``) or cycle (``c3``), or the laboratory tests (``labs``).

    Raises:
        LookUpRefusal: anything else was asked for, or the schedule has no such dose.
    """
    label = load()
    token = _token(words)
    rows = label.all(Monitoring)
    if token is None:
        parts = [_warning(label, rows), *_rows(rows), _laboratory(label)]
        return build("monitor.all", "Monitoring after tarlatamab, by dose", parts, label, today)
    if token.kind == "labs":
        return build("monitor.labs", "Laboratory tests with tarlatamab", [_laboratory(label)], label, today)
    cycle, day = _cycle_and_day(token)
    _scheduled(label, cycle, day, token.position)
    asked = f"cycle {cycle}" + (f" day {day}" if day else "")
    rows = tuple(row for row in rows if row.covers(cycle, day))
    parts = [_warning(label, rows), *_rows(rows), *_eu_later(label, rows)]
    return build(
        "monitor.dose",
        f"Monitoring after tarlatamab: {asked}",
        parts,
        label,
        today,
        arguments={"cycle": cycle, "day": day},
    )


def monitoring_parts(label: Label, cycle: int, day: int) -> list[Part]:
    """The rows for one dose, US first, for look-ups that point at it."""
    return _rows([row for row in label.all(Monitoring) if row.covers(cycle, day)])


def _token(words: Sequence[str]) -> Token | None:
    try:
        tokens = read(words, _PATTERNS)
    except UnreadWordError as unread:
        raise _not_understood(unread.position) from None
    if len(tokens) > 1:
        raise _not_understood(tokens[1].position)
    return tokens[0] if tokens else None


def _cycle_and_day(token: Token) -> tuple[int, int | None]:
    if token.kind == "dose":
        return int(token.groups[0]), int(token.groups[1])
    if token.kind == "cycle":
        return int(token.groups[0]), None
    if token.groups[0] == "8":  # only cycle 1 has a day 8
        return 1, 8
    raise LookUpRefusal(
        LookUpCode.NOT_UNDERSTOOD,
        "A day alone does not say which cycle. Write cycle and day together.",
        _EXAMPLE,
        token.position,
    )


def _scheduled(label: Label, cycle: int, day: int | None, position: int) -> None:
    if day is not None and label.get(Schedule, "lab.us.schedule").dose_mg(cycle, day) is None:
        raise LookUpRefusal(
            LookUpCode.NOT_IN_LABEL,
            "The schedule has no dose on that day. Doses are on days 1, 8 and 15 of cycle 1, then "
            "on days 1 and 15 (lab.us.schedule).",
            _EXAMPLE,
            position,
        )


def _not_understood(position: int) -> LookUpRefusal:
    return LookUpRefusal(
        LookUpCode.NOT_UNDERSTOOD,
        "After monitor write one dose, one cycle (`/tarla monitor c3`), labs, or nothing.",
        _EXAMPLE,
        position,
    )


def _warning(label: Label, rows: Sequence[Monitoring]) -> Part:
    footnotes: dict[str, list[Monitoring]] = {}
    for row in rows:
        if row.footnote:
            footnotes.setdefault(row.footnote, []).append(row)
    return part(
        "US times are possibly superseded",
        line(label.get(Statement, NEWER_LABEL).text[0], NEWER_LABEL),
        *(
            line(f"Footnote to {'; '.join(row.name for row in noted)}: {text}", *(row.id for row in noted))
            for text, noted in footnotes.items()
        ),
        line("Next dose after a reaction:", command="/tarla manage crs 2"),
    )


def _rows(rows: Sequence[Monitoring]) -> list[Part]:
    return [_row(row) for row in sorted(rows, key=lambda row: row.region != "us")]


def _row(row: Monitoring) -> Part:
    where = f" {row.where}" if row.where else ""
    stay = f"; {row.stay}" if row.stay else ""
    time = f"{row.time}{where}{stay}"
    heading = f"{row.region.upper()}: after {row.name}"
    if row.region != "us":
        return part(heading, line(time, row.id), *([line(sentence(row.later), row.id)] if row.later else []))
    mark = "; footnote" if row.footnote else ""
    return part(heading, us_monitoring(f"{time}{mark}", row.id), *([line(row.note, row.id)] if row.note else []))


def _eu_later(label: Label, rows: Sequence[Monitoring]) -> list[Part]:
    """Where the EU has no row for the dose: what it says of later ones."""
    eu = label.get(Monitoring, "lab.eu.monitor")
    return [] if eu in rows or eu.later is None else [part("EU", line(sentence(eu.later), eu.id))]


def _laboratory(label: Label) -> Part:
    labs = label.get(Laboratory, "lab.us.labs")
    return part(
        "US: laboratory tests",
        line(sentence(f"{', '.join(labs.tests)}: {labs.timing}"), labs.id),
        line(sentence(labs.during_crs), labs.id),
        line(sentence(labs.pregnancy), labs.id),
        line(labs.note or "", labs.id),
    )
