"""The label's arithmetic: restart of tarlatamab after a delay, and the dose of tocilizumab for CRS by weight.

Sources: the records ``lab.us.schedule``, ``lab.us.restart``, ``toc.dose.us`` and ``toc.volume``.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from knowledge.label.reader import Label
from knowledge.label.schedule import Restart, RestartRule, Schedule
from knowledge.label.tocilizumab import TocilizumabDose, Volume

# Days. The longest limit of the table is 28 days and nothing changes beyond it; a year bounds typing errors.
DAYS_MAX = 365
# kg. An adult below 20 kg, or above 300 kg, is far likelier a typing error or another unit than a patient;
# within that range both bands of the dose and the cap can be asked for.
WEIGHT_MIN_KG, WEIGHT_MAX_KG = Decimal(20), Decimal(300)


@dataclass(frozen=True)
class RestartAdvice:
    """What the table says ``days`` after the last dose. ``repeat``: beyond the limit, the step-up begins again."""

    rule: RestartRule
    days: int
    repeat: bool
    action: str
    cycle1_care: bool


@dataclass(frozen=True)
class Interval:
    """Days from one scheduled dose to the next, with the working, such as ``28 − 15 + 1 = 14``."""

    days: int
    working: str


@dataclass(frozen=True)
class TocilizumabAmount:
    """One infusion of tocilizumab: ``calculated_mg`` before, ``mg`` after the maximum; nothing is rounded."""

    weight_kg: Decimal
    mg_per_kg: int
    calculated_mg: Decimal
    mg: Decimal
    capped: bool
    below_band: bool
    volume_ml: Decimal


def restart(last: str, days: int, label: Label) -> RestartAdvice:
    """What the restart table says.

    Args:
        last: the last dose given, ``c1d1``, ``c1d8`` or ``later`` (cycle 1 day 15 or later).
        days: whole days since it was given, 0 to 365; at the limit itself the schedule still goes on.

    Raises:
        KeyError: the table has no such last dose.
        ValueError: the days are out of range.
    """
    if not 0 <= days <= DAYS_MAX:
        raise ValueError(f"days since the last dose must lie between 0 and {DAYS_MAX}")
    table = label.get(Restart, "lab.us.restart")
    rule = table.rule(last)
    repeat = days > rule.limit_days
    return RestartAdvice(
        rule=rule,
        days=days,
        repeat=repeat,
        action=table.repeat if repeat else table.go_on,
        cycle1_care=repeat or rule.first_full_dose,
    )


def planned_interval(cycle: int, day: int, label: Label) -> Interval:
    """Days from a scheduled dose to the next one, by the schedule and its cycle length.

    Raises:
        ValueError: nothing is scheduled on that day.
    """
    schedule = label.get(Schedule, "lab.us.schedule")
    if schedule.dose_mg(cycle, day) is None:
        raise ValueError(f"no dose on day {day} of cycle {cycle}")
    later = [after for after in range(day + 1, schedule.cycle_days + 1) if schedule.dose_mg(cycle, after)]
    if later:
        days = later[0] - day
        return Interval(days, f"{later[0]} − {day} = {days}")
    first = next(first for first in range(1, schedule.cycle_days + 1) if schedule.dose_mg(cycle + 1, first))
    days = schedule.cycle_days - day + first
    return Interval(days, f"{schedule.cycle_days} − {day} + {first} = {days}")


def tocilizumab(weight_kg: Decimal, label: Label) -> TocilizumabAmount:
    """The dose for one infusion, exact to the last decimal, and its volume of undiluted injection in mL.

    Raises:
        ValueError: the weight is not between 20 and 300 kg.
    """
    if not WEIGHT_MIN_KG <= weight_kg <= WEIGHT_MAX_KG:
        raise ValueError(f"the weight must lie between {WEIGHT_MIN_KG} and {WEIGHT_MAX_KG} kg")
    dose = label.get(TocilizumabDose, "toc.dose.us")
    volume = label.get(Volume, "toc.volume")
    below = weight_kg < dose.below_kg
    per_kg = dose.mg_per_kg_below if below else dose.mg_per_kg
    calculated = weight_kg * per_kg
    given = min(calculated, Decimal(dose.max_mg))
    # A division by 20 ends after two further decimals, so it is exact.
    return TocilizumabAmount(
        weight_kg=weight_kg,
        mg_per_kg=per_kg,
        calculated_mg=calculated,
        mg=given,
        capped=calculated > dose.max_mg,
        below_band=below,
        volume_ml=given / volume.mg_per_ml,
    )
