"""Buttons by the ids that Slack sends back, and the rows they stand in."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.blockkit import Block, actions, button, plain
from handlers.evidence.modal import PAGE_ACTION, TOPIC_ACTION
from handlers.lookup.grade_form import GRADE_CALLBACKS, GradeKind

WHAT_IF, EVIDENCE, MODEL, EDIT, SHARE = "tarla_what_if", "tarla_evidence", "tarla_model", "tarla_edit", "tarla_share"
OPEN_FORM, OUTCOME = "tarla_form", "tarla_outcome"
GRADE: Mapping[GradeKind, str] = GRADE_CALLBACKS
EVIDENCE_PAGES = (TOPIC_ACTION, PAGE_ACTION)
ACTIONS = (WHAT_IF, EVIDENCE, MODEL, EDIT, SHARE, OPEN_FORM, OUTCOME, *GRADE.values(), *EVIDENCE_PAGES)
# The form's own name as a modal, and the shortcut that opens it.
FORM_CALLBACK = "tarla_form"
OUTCOME_CALLBACK = "tarla_outcome"
VIEWS = (FORM_CALLBACK, OUTCOME_CALLBACK, *GRADE.values())
SHORTCUT = "tarla_ask"

SHARE_CONFIRM = {
    "title": plain("Post to this channel?"),
    "text": plain(
        "Everyone in this channel will see the findings and the risks, with your name. Go on only if nothing in this "
        "channel tells which patient it is: a shared answer must not identify a patient."
    ),
    "confirm": plain("Share"),
    "deny": plain("Cancel"),
}


def answer_buttons(receipt: str, *, channel: bool = True) -> Block:
    """The row under an answer. A button carries the receipt alone; without a ``channel`` nothing can be shared."""
    row = [
        button("What if", WHAT_IF, receipt),
        button("Evidence", EVIDENCE, receipt),
        button("Model", MODEL, receipt),
        button("Edit", EDIT, receipt),
    ]
    if channel:
        row.append(button("Share", SHARE, receipt, SHARE_CONFIRM))
    return actions(*row)


def form_button() -> Block:
    """The way into the form."""
    return actions(button("Open the form", OPEN_FORM))


def grade_buttons(*kinds: GradeKind) -> Block:
    """The way into the forms that work a grade out."""
    return actions(*(button(f"Grade {kind.upper()}", GRADE[kind]) for kind in kinds))
