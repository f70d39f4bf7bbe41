"""``dose``: the step-up schedule, what is given beside it, and the restart after a delay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.lookup.monitor import monitoring_parts
from handlers.lookup.page import Part, build, line, part, quoted, sentence
from handlers.lookup.reply import LookUp, LookUpCode, LookUpRefusal
from handlers.lookup.words import WHOLE, Token, UnreadWordError, read
from handlers.ports import Json
from knowledge.label import Concomitant, Label, Restart, Schedule, load
from knowledge.label.dosing import DAYS_MAX, RestartAdvice, planned_interval, restart

_PATTERNS = {
    "dose": r"c(?:ycle)?[ -]?([1-9][0-9]?)[ -]?d(?:ay)?[ -]?([1-9][0-9]?)",
    "mg": rf"({WHOLE}) ?mg",
    "days": rf"({WHOLE}) ?(?:d|days?)",
    "weeks": rf"(?:{WHOLE}) ?(?:w|wks?|weeks?|h|hrs?|hours?|months?)",
    "day": r"d(?:ay)? ?([1-9][0-9]?)",
    "number": rf"({WHOLE})",
    "later": r"(?:or )?later",
    "late": r"(?:late|delay|delayed|overdue|missed|behind)",
    "about": r"(?:label|indication|indications)",
    "filler": r"(?:last|after|since|dose|given|was|ago|restart)",
}
_EXAMPLE = "/tarla dose c1d8 23"


@dataclass(frozen=True)
class _Asked:
    """Last dose as the table names it, as it was given where that was said, and the days since."""

    last: str
    given: tuple[int, int] | None
    days: int

    @property
    def name(self) -> str | None:
        """The dose as given, in words."""
        return f"cycle {self.given[0]} day {self.given[1]}" if self.given else None


def dose(words: Sequence[str], today: str) -> LookUp:
    """The schedule; with a last dose and the days since, the restart; with ``label``, indication and warnings.

    Raises:
        LookUpRefusal: the words are not understood, are ambiguous, or name a dose that the schedule does not have.
    """
    label = load()
    try:
        tokens = read(words, _PATTERNS)
    except UnreadWordError as unread:
        message = "After dose write the last dose given and the days since then, label, or nothing."
        raise _refused(message, unread.position) from None
    if not tokens:
        return build("dose.schedule", "Tarlatamab: dose and schedule", _schedule_parts(label), label, today)
    if [token.kind for token in tokens] == ["about"]:
        return build("dose.label", "Tarlatamab: what the labels cover", _label_parts(label), label, today)
    asked = _asked(tokens, label)
    advice = restart(asked.last, asked.days, label)
    arguments: dict[str, Json] = {"last": asked.last, "given": asked.name, "days": asked.days}
    return build(
        "dose.restart",
        "Tarlatamab: restart after a delay",
        _restart_parts(asked, advice, label),
        label,
        today,
        arguments=arguments,
        about_patient=True,
    )


def _asked(tokens: Sequence[Token], label: Label) -> _Asked:
    for token in tokens:
        if token.kind == "weeks":
            raise _refused("Write the time since the last dose in whole days.", token.position)
        if token.kind == "late":
            raise _refused(
                "The table counts days since the last dose was given, not days late. Write the last dose and the days "
                "since then.",
                token.position,
            )
        if token.kind == "about":
            raise _refused("The word label or indication stands alone after dose.", token.position, "/tarla dose label")
    last, given = _last_dose(tokens, label)
    days = _days(tokens)
    return _Asked(last, given, days)


def _days(tokens: Sequence[Token]) -> int:
    found = [token for token in tokens if token.kind in ("days", "number")]
    if not found:
        raise _refused("The days since the last dose was given are missing.", 0)
    if len(found) > 1:
        raise _refused("More than one number could be the days. Write the last dose, then the days.", found[1].position)
    days = int(found[0].groups[0])
    if days > DAYS_MAX:
        raise LookUpRefusal(
            LookUpCode.OUT_OF_RANGE,
            f"Days since the last dose must be whole days from 0 to {DAYS_MAX}.",
            _EXAMPLE,
            found[0].position,
        )
    return days


def _last_dose(tokens: Sequence[Token], label: Label) -> tuple[str, tuple[int, int] | None]:
    named = [token for token in tokens if token.kind in ("dose", "day", "later")]
    amounts = [token for token in tokens if token.kind == "mg"]
    if len(named) > 1 and [token.kind for token in named] != ["dose", "later"]:
        raise _refused("More than one dose is named. Write the last dose given only.", named[1].position)
    if len(amounts) > 1:
        raise _refused("More than one dose is named. Write the last dose given only.", amounts[1].position)
    mg = int(amounts[0].groups[0]) if amounts else None
    schedule = label.get(Schedule, "lab.us.schedule")
    if mg is not None and mg not in {step.dose_mg for step in schedule.steps}:
        raise LookUpRefusal(
            LookUpCode.NOT_IN_LABEL,
            "The schedule knows doses of 1 mg and of 10 mg only (lab.us.schedule).",
            _EXAMPLE,
            amounts[0].position,
        )
    if not named:
        return _by_amount(mg, amounts)
    last, given, dose_mg = _by_name(named, mg, schedule)
    if mg is not None and mg != dose_mg:
        raise _refused("By the schedule that dose has another amount. Check the last dose given.", amounts[0].position)
    return last, given


def _by_amount(mg: int | None, amounts: Sequence[Token]) -> tuple[str, tuple[int, int] | None]:
    if mg is None:
        raise _refused(
            "The last dose given is missing. Write its cycle and day, or later for day 15 of cycle 1 and all that "
            "follow (lab.us.restart).",
            0,
        )
    if mg == 1:
        return "c1d1", (1, 1)
    raise _refused(
        "A dose of 10 mg alone is ambiguous: day 8 and later doses have different limits (lab.us.restart). "
        "Write c1d8, c1d15 or later.",
        amounts[0].position,
    )


def _by_name(named: Sequence[Token], mg: int | None, schedule: Schedule) -> tuple[str, tuple[int, int] | None, int]:
    """The last dose as the table names it, as given, and its amount by the schedule."""
    token = named[0]
    full = schedule.dose_mg(1, 15) or 0
    if token.kind == "later":
        return "later", None, full
    if token.kind == "day":
        day = int(token.groups[0])
        if day == 1 and mg is None:
            raise _refused("Day 1 is in every cycle (lab.us.schedule). Write cycle and day together.", token.position)
        cycle = 1 if day != 1 or mg == 1 else 2
        if schedule.dose_mg(cycle, day) is not None and (cycle, day) not in ((1, 1), (1, 8)):
            return "later", None, full  # day 15 of any cycle, or a day 1 with the full dose: one row of the table
    else:
        cycle, day = int(token.groups[0]), int(token.groups[1])
    dose_mg = schedule.dose_mg(cycle, day)
    if dose_mg is None:
        raise LookUpRefusal(
            LookUpCode.NOT_IN_LABEL,
            "The schedule has no dose on that day. Doses are on days 1, 8 and 15 of cycle 1, then on days 1 and 15 "
            "(lab.us.schedule).",
            _EXAMPLE,
            token.position,
        )
    given = (cycle, day)
    if (cycle, day) in ((1, 1), (1, 8)):
        if len(named) > 1:
            raise _refused("Either that dose or a later one was the last. Write one of them.", named[1].position)
        return f"c1d{day}", given, dose_mg
    return "later", given, dose_mg


def _refused(message: str, position: int, example: str = _EXAMPLE) -> LookUpRefusal:
    return LookUpRefusal(LookUpCode.NOT_UNDERSTOOD, message, example, position)


def _schedule_parts(label: Label) -> list[Part]:
    schedule = label.get(Schedule, "lab.us.schedule")
    steps = []
    for step in schedule.steps:
        days = " and ".join(map(str, step.days))
        later = " and later" if step.onward else ""
        name = f" ({step.name})" if step.name else ""
        steps.append(
            line(f"Cycle {step.cycle}{later}, day {days}: {step.dose_mg} mg{name}", schedule.id),
        )
    table = label.get(Restart, "lab.us.restart")
    limits = [
        line(f"After {rule.name}: up to {rule.limit_days} days {table.go_on}; beyond that {table.repeat}", table.id)
        for rule in table.rules
    ]
    return [
        part(
            "US: step-up schedule",
            *steps,
            line(
                f"{schedule.route} over {schedule.infusion_hours} hour: {schedule.volume_ml} mL at "
                f"{schedule.rate_ml_per_hour} mL/hour",
                schedule.id,
            ),
            line(f"Cycle length: {schedule.cycle_says}", schedule.id),
            line(f"Until {schedule.until}; {schedule.dose_reduction}", schedule.id),
        ),
        *(_beside(each) for each in label.all(Concomitant)),
        part(
            "Restart after a delay",
            line(f"Counted: {table.interval}", table.id),
            *limits,
            line(table.care, table.id),
            line(table.no_row, table.id),
            line(table.eu, table.id),
            line("After CRS, ICANS or another reaction its own rules come first:", command="/tarla manage"),
            line("For one case write the last dose and the days since:", command=_EXAMPLE),
        ),
        part(
            "More",
            line("Monitoring by dose:", command="/tarla monitor"),
            line("Indication, warnings:", command="/tarla dose label"),
        ),
    ]


def _beside(each: Concomitant) -> Part:
    days = " and ".join(map(str, each.days))
    items = [line(f"{sentence(item.drug)}, {item.timing}", each.id) for item in each.items]
    hydration = [line(sentence(each.hydration), each.id)] if each.hydration else []
    return part(f"{each.region.upper()}: beside the dose, cycle {each.cycle} day {days}", *items, *hydration)


def _restart_parts(asked: _Asked, advice: RestartAdvice, label: Label) -> list[Part]:
    table = label.get(Restart, "lab.us.restart")
    rule = advice.rule
    compared = "more than" if advice.repeat else "within"
    given = f" ({asked.name})" if asked.name and asked.name not in rule.name else ""
    due = planned_interval(*(asked.given or (1, 15)), label)
    early = asked.days < due.days
    # Where the last dose was 1 mg it may have been a repeated one; elsewhere that comes next.
    no_row = [line(table.no_row, table.id)] if advice.repeat or rule.last == "c1d1" else []
    parts = [
        part("", line("After CRS, ICANS or another reaction its own rules come first:", command="/tarla manage")),
        part(
            "Not yet due by the schedule" if early else sentence(advice.action),
            line(f"Last dose: {rule.name}{given}", table.id),
            line(f"{asked.days} days since then: {compared} the limit of {rule.limit_days} days", table.id),
            *([line(f"For a late dose within that limit: {advice.action}", table.id)] if early else []),
            *no_row,
            line(table.eu, table.id),
        ),
        part(
            "How it is counted",
            line(sentence(table.interval), table.id),
            line(f"By the schedule the next dose comes {due.working} days after this one", "lab.us.schedule"),
        ),
    ]
    if not advice.cycle1_care:
        return [
            *parts,
            part(
                "Beside it",
                line("Monitoring is that of the dose given next in the schedule:", command="/tarla monitor"),
            ),
        ]
    return [
        *parts,
        part(
            "Beside it",
            line(table.care, table.id),
            line("Whether the EU text asks the same beside a repeat is not in these records"),
        ),
        *(_beside(each) for each in label.all(Concomitant)),
        *monitoring_parts(label, 1, 8),
    ]


def _label_parts(label: Label) -> list[Part]:
    groups = {
        "Indication": ("indication",),
        "Boxed warning": ("boxed_warning",),
        "Contraindications": ("contraindication",),
        "Interactions, driving, pharmacokinetics": ("interaction", "driving", "pharmacokinetics"),
    }
    return [
        part(
            heading,
            *(each for said in label.statements(*topics) for each in quoted(said, f"{said.region.upper()}: ")),
        )
        for heading, topics in groups.items()
    ]
