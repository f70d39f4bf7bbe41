"""An outcome's form as a modal, and what is shown once it stands in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.answer.findings import describe
from handlers.blockkit import Block, context, escape, modal, plain, section
from handlers.controls import OUTCOME_CALLBACK
from handlers.outcome import fields
from handlers.outcome.desk import Found, OutcomeRecorded
from handlers.outcome.origin import OutcomeOrigin
from handlers.outcome.record import Standing, in_words
from knowledge.evidence import load as load_evidence
from knowledge.label import load as load_label
from knowledge.label.dosing import planned_interval

CRS_ONSET, ICANS_ONSET, SCHEDULE = "inc.eu473.crs_onset", "inc.eu473.icans_onset", "lab.us.schedule"
CRS_HINT = "After the infusion of cycle 1 day 1 and before the next dose. Graded by ASTCT 2019."
ICANS_HINT = "After the infusion of cycle 1 day 1, up to the day chosen below. Graded by ASTCT 2019."
PROPHYLAXIS_HINT = "Given before any sign of CRS, to prevent it. Not what was given to treat it."
ANOTHERS = (
    "Another member asked for this answer, so its findings are not shown here. "
    "Compare the receipt with the one in the patient's notes."
)
NO_IDENTITY = (
    "Nothing here tells who the patient is. The audit ledger keeps what is chosen, the answer's receipt, the time, and "
    "of you the Slack id, channel and workspace. Grades as ASTCT 2019 (`grd.crs.astct2019`, `grd.icans.astct2019`)."
)
STAYS = "What you record now takes its place; the earlier one stays in the ledger."
TAKE_BACK = "To take it back, as one of another patient, choose *not known* for both grades."


def second_dose_day() -> int:
    """The day on which the second dose is due, the first being day 1: before it the first dose's time is not over."""
    return 1 + planned_interval(1, 1, load_label()).days


def outcome_form(found: Found, *, home: bool = False, channel: str | None = None) -> dict[str, Any]:
    """The form for one answer; where an outcome stands it is shown, and filled in."""
    standing = found.standing
    origin = OutcomeOrigin(found.receipt, standing.recorded.seq if standing else None, home, channel)
    chosen = _chosen(standing)
    whose = escape(describe(found.factors)) if found.factors is not None else ANOTHERS
    blocks = [
        section(f"*Outcome of answer* `#{found.receipt}`\n{whose}"),
        *([section(_stands(standing))] if standing else []),
        _menu(fields.CRS, "CRS: worst grade after the first dose", CRS_HINT, "Choose a grade", chosen),
        _menu(fields.ICANS, "ICANS: worst grade after the first dose", ICANS_HINT, "Choose a grade", chosen),
        _radio(fields.PROPHYLAXIS, "Prophylactic tocilizumab given", PROPHYLAXIS_HINT, chosen),
        _menu(fields.DAY, "Last day looked at", day_hint(), "Choose a day", chosen),
        context(NO_IDENTITY),
    ]
    more = {"callback_id": OUTCOME_CALLBACK, "submit": plain("Record"), "private_metadata": origin.written()}
    return modal("Record outcome", blocks, **more) | {"close": plain("Cancel")}


def recorded_view(done: OutcomeRecorded) -> dict[str, Any]:
    """That it stands: its words, its own receipt, and whether the first dose's time was over."""
    lines = [f"*Outcome of answer* `#{done.answer}` *is recorded*", escape(in_words(done.outcome))]
    blocks = [section("\n".join(lines))]
    if done.outcome.tells_nothing:
        blocks.append(section("The answer has no outcome now; the earlier one stays in the ledger."))
    elif done.outcome.day < second_dose_day():
        blocks.append(section(f"*Not a finished outcome.* {unfinished(done.outcome.day)}"))
    small = [f"outcome #{done.receipt}"]
    if done.replaces is not None:
        small.append(f"takes the place of outcome #{done.replaces}, which stays in the ledger")
    if done.again:
        small.append("recorded already when this form came")
    return modal("Outcome recorded", [*blocks, context(" · ".join(small))])


def unfinished(day: int) -> str:
    """What is still to be done after an outcome that ends too early."""
    due = second_dose_day()
    return (
        f"Seen to day {day}: the time after the first dose lasts until the second is due, on day {due} "
        f"(`{SCHEDULE}`). Record it once more then, also where nothing has changed."
    )


def day_hint() -> str:
    """Why the day is asked for, by the published times of onset."""
    evidence, due = load_evidence(), second_dose_day()
    crs, icans = evidence.fact(CRS_ONSET), evidence.fact(ICANS_ONSET)
    return (
        "The day of the first infusion is day 1. An outcome of the first evening is not a finished one: CRS began "
        f"{crs.value} {crs.unit} after a dose in the median ({crs.range}; {crs.id}), ICANS {icans.value} {icans.unit} "
        f"after the first ({icans.range}; {icans.id}). Until day {due}, when the second dose is due ({SCHEDULE}), the "
        "time after the first is not over."
    )


def _stands(standing: Standing) -> str:
    words = "an outcome whose payload is no longer kept" if standing.outcome is None else in_words(standing.outcome)
    back = standing.outcome is not None and not standing.outcome.tells_nothing
    lines = [f"*What stands now:* {escape(words)} · outcome `#{standing.recorded.receipt}`", STAYS]
    return "\n".join([*lines, TAKE_BACK] if back else lines)


def _chosen(standing: Standing | None) -> Mapping[str, str]:
    """What the fields are filled with. An outcome taken back fills in nothing: it tells nothing to begin from."""
    outcome = standing.outcome if standing else None
    if outcome is None or outcome.tells_nothing:
        return {}
    grades = {fields.CRS: outcome.crs_grade, fields.ICANS: outcome.icans_grade}
    return {
        **{name: fields.UNKNOWN if grade is None else str(grade) for name, grade in grades.items()},
        fields.PROPHYLAXIS: outcome.prophylaxis.value,
        fields.DAY: str(outcome.day),
    }


def _menu(name: str, label: str, hint: str, placeholder: str, chosen: Mapping[str, str]) -> Block:
    return _field(name, label, hint, {"type": "static_select", "placeholder": plain(placeholder)}, chosen)


def _radio(name: str, label: str, hint: str, chosen: Mapping[str, str]) -> Block:
    return _field(name, label, hint, {"type": "radio_buttons"}, chosen)


def _field(name: str, label: str, hint: str, element: dict[str, Any], chosen: Mapping[str, str]) -> Block:
    options = {value: {"text": plain(text), "value": value} for value, text in fields.CHOICES[name].items()}
    element |= {"action_id": name, "options": list(options.values())}
    if name in chosen:
        element["initial_option"] = options[chosen[name]]
    return {"type": "input", "block_id": name, "label": plain(label), "hint": plain(hint), "element": element}
