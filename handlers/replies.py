"""Replies as Slack messages: always ephemeral, always with a text for notifications and screen readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.answer import TableMode, answer_blocks
from handlers.blockkit import Block, context, ephemeral, escape, section
from handlers.controls import answer_buttons, form_button, grade_buttons
from handlers.lookup import LookUpCode
from handlers.lookup.grade_form import GradeKind
from handlers.outcomes import Answered, HowToAsk, HowToRecord, LookedUp, NotShown, Refused, Reply
from handlers.parsing import RefusalCode

Message = dict[str, Any]

HOW_TO = (
    "Say what is known, in any order; what you leave out counts as unknown:\n"
    "• LDH with its upper limit: `ldh 480/250`, `ldh 8.0 µkat/L uln 4.1`, `ldh 1.9x`, `ldh high`, `ldh normal`\n"
    "• liver metastases, diabetes, cardiovascular disease: `liver yes`, `dm no`, `cvd unknown`, `no liver mets`\n"
    "• a diagnosis named by itself between commas counts as present: `ldh 1.9x, liver mets, T2DM, no cardiac hx`\n"
    "Look-ups: `/tarla evidence`, `dose`, `monitor`, `manage crs 2`, `grade`, `toci 82kg`\n"
    "What became of the patient: `/tarla outcome 1284-3f9a`, with the receipt of the answer"
)
HOW_TO_RECORD = (
    "In Slack type `/tarla outcome` and the receipt of the answer as it stands there, such as "
    "`/tarla outcome 1284-3f9a`, or press *Record outcome* beside the answer in App Home. A form opens; it asks for "
    "the grades of CRS and ICANS, prophylactic tocilizumab, and the last day looked at."
)
SCOPE = (
    "Planning aid before the first tarlatamab infusion, not for a patient with symptoms. "
    "Give findings only, nothing that could identify a patient. Tarla keeps nothing you type; Slack keeps its messages."
)
LOOK_UP_SCOPE = "Label look-up, not for time-critical decisions. Give nothing that could identify a patient."
UNRECORDED = "not recorded: the audit ledger cannot be written"

# The look-ups that a form goes on from.
_FORMS: Mapping[str, tuple[GradeKind, ...]] = {
    "grade.about": ("crs", "icans"),
    "grade.crs.table": ("crs",),
    "grade.icans.table": ("icans",),
}


def message(reply: Reply, mode: TableMode) -> Message | None:
    """The message for a reply; None when nothing is to be said again."""
    if isinstance(reply, Answered):
        text = f"{reply.view.title}: {reply.view.summary}"
        return ephemeral(text, answer_blocks(reply.view, mode, answer_buttons(reply.receipt)))
    if isinstance(reply, Refused):
        return _refused(reply)
    if isinstance(reply, NotShown):
        return failure(reply.headline, reply.advice, reply.reason)
    if isinstance(reply, LookedUp):
        text = reply.look_up.text if reply.receipt else f"{reply.look_up.text} ({UNRECORDED})"
        return ephemeral(text, look_up_blocks(reply))
    if isinstance(reply, HowToAsk):
        body = f"*How to ask*\n`{escape(reply.example)}`\n{HOW_TO}"
        return ephemeral(f"How to ask: {reply.example}", [section(body), form_button(), context(SCOPE)])
    if isinstance(reply, HowToRecord):
        return ephemeral(f"How to record an outcome. {unmarked(HOW_TO_RECORD)}", how_to_record_blocks())
    return None


def how_to_record_blocks() -> list[Block]:
    """How to record an outcome, where no form can be opened."""
    return [section(f"*How to record an outcome*\n{HOW_TO_RECORD}"), context("Nothing was recorded.")]


def unmarked(mrkdwn: str) -> str:
    """Our own sentences without their markup, for notifications and terminals."""
    return mrkdwn.replace("`", "").replace("*", "")


def look_up_blocks(reply: LookedUp) -> list[Block]:
    """What was looked up, the way on, and the receipt."""
    way_on = [grade_buttons(*_FORMS[reply.look_up.code])] if reply.look_up.code in _FORMS else []
    return [*reply.look_up.blocks, *way_on, context(f"receipt #{reply.receipt}" if reply.receipt else UNRECORDED)]


def failure(headline: str, advice: str, reference: str) -> Message:
    """An apology with a reference the operator can find; no figure anywhere in it."""
    blocks = [section(f"*{escape(headline)}*\n{escape(advice)}"), context(f"reference: {escape(reference)}")]
    return ephemeral(f"{headline} {advice} (reference: {reference})", blocks)


def refusal_lines(reply: Refused) -> list[str]:
    """A refusal in plain sentences, for Slack and for a terminal."""
    place = f"Word {reply.position}: " if reply.position else ""
    lines = [f"{place}{reply.message}"]
    if reply.suggestion:
        lines.append(f"Did you mean: {reply.suggestion}")
    if reply.also:
        words = ", ".join(map(str, reply.also))
        lines.append(f"Not read either: word{'s' if len(reply.also) > 1 else ''} {words}.")
    return lines


def _refused(reply: Refused) -> Message:
    lines = refusal_lines(reply)
    headline = "Nothing was looked up." if isinstance(reply.code, LookUpCode) else "No risk shown."
    # Backticks in a refusal's sentence are ours and set commands apart; they are markup in both places.
    body = "\n".join([f"*{headline}*", *(escape(line) for line in lines), f"For example: `{escape(reply.example)}`"])
    text = " ".join([headline, *lines, f"For example: {reply.example}"])
    # A refusal for symptoms points to the look-ups, so their scope is said.
    planning = isinstance(reply.code, RefusalCode) and reply.code is not RefusalCode.SYMPTOMS
    scope = SCOPE if planning else LOOK_UP_SCOPE
    return ephemeral(text, [section(body), *_ways_on(reply), context(f"{reply.code} · {scope}")])


def _ways_on(reply: Refused) -> list[Block]:
    if reply.code is RefusalCode.SYMPTOMS:
        # Not another way to a risk, but to what there is for a patient with symptoms.
        return [grade_buttons("crs", "icans")]
    return [] if isinstance(reply.code, LookUpCode) else [form_button()]
