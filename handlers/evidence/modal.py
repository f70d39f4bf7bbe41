"""The evidence as a modal: a choice of topics, one page at a time, its state in ``private_metadata``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from handlers.blockkit import Block, plain
from handlers.evidence.drawing import page_blocks
from handlers.evidence.for_answer import ANSWER, answer_blocks, evidence_for_answer
from handlers.evidence.topics import TOPICS, Topic, title
from handlers.evidence.view import topic_pages
from handlers.requests import MalformedPayloadError
from knowledge.evidence import Evidence, load
from knowledge.factors import PatientFactors

View = dict[str, Any]

CALLBACK = "tarla_evidence"
TOPIC_ACTION = "tarla_evidence_topic"
PAGE_ACTION = "tarla_evidence_page"
_BY_ID = {topic.id: topic for topic in TOPICS}
_OPTION_MAX = 75


def evidence_modal(topic: str, page: int, today: str, beside: Sequence[str] | None = None) -> View:
    """One page of a topic as a modal view; a page past the last gives the last.

    Args:
        topic: the id of a topic, or ``answer`` for what stands behind an answer.
        page: 1 or more.
        today: ISO 8601.
        beside: ids of the topics that belong to an answer's findings, where the modal was opened from one;
            they stay reachable from every page.

    Raises:
        KeyError: there is no such topic.
        ValueError: ``page`` is below 1, or ``answer`` is asked for without ``beside``.
    """
    if page < 1:
        raise ValueError("pages are counted from 1")
    evidence = load()
    if topic == ANSWER:
        if beside is None:
            raise ValueError("no answer to show the evidence of")
        return _view(evidence, ANSWER, 1, 1, answer_blocks(evidence, beside, today), beside)
    chosen = _BY_ID[topic]
    pages = topic_pages(chosen, today)
    shown = pages[min(page, len(pages)) - 1]
    blocks = page_blocks(evidence, chosen, shown, today, commands=False)
    return _view(evidence, chosen.id, shown.number, shown.of, blocks, beside)


def answer_modal(factors: PatientFactors, today: str) -> View:
    """What the Evidence button of an answer with these findings opens."""
    return evidence_modal(ANSWER, 1, today, evidence_for_answer(factors, today).topics)


def evidence_action(view: Mapping[str, Any], action: Mapping[str, Any], today: str) -> View:
    """The view after a topic was chosen or a page turned; an action that says nothing leaves the page as it is.

    Args:
        view: the modal as Slack sends it back; only its ``private_metadata`` is read.
        action: one of ``TOPIC_ACTION`` or ``PAGE_ACTION``, as Slack sends it.
        today: ISO 8601.

    Raises:
        MalformedPayloadError: the view is not one that ``evidence_modal`` made.
    """
    topic, page, beside = _state(view)
    if action.get("action_id") == TOPIC_ACTION:
        option = action.get("selected_option")
        value = option.get("value") if isinstance(option, Mapping) else None
        if isinstance(value, str) and (value in _BY_ID or (value == ANSWER and beside is not None)):
            topic, page = value, 1
    elif action.get("action_id") == PAGE_ACTION:
        wanted = str(action.get("value", ""))
        page = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) <= 3 else page
    return evidence_modal(topic, max(page, 1), today, beside)


def _state(view: Mapping[str, Any]) -> tuple[str, int, tuple[str, ...] | None]:
    """Topic, page and the answer's topics, as this module wrote them."""
    written = view.get("private_metadata")
    try:
        state = json.loads(written) if isinstance(written, str) else None
    except (ValueError, RecursionError):
        state = None
    if not isinstance(state, dict) or state.keys() != {"topic", "page", "beside"}:
        raise MalformedPayloadError("private_metadata")
    topic, page, beside = state["topic"], state["page"], state["beside"]
    if not isinstance(topic, str) or (topic not in _BY_ID and topic != ANSWER) or type(page) is not int:
        raise MalformedPayloadError("private_metadata")
    if beside is not None and not (isinstance(beside, list) and all(isinstance(name, str) for name in beside)):
        raise MalformedPayloadError("private_metadata")
    if topic == ANSWER and beside is None:
        raise MalformedPayloadError("private_metadata")
    return topic, page, None if beside is None else tuple(name for name in beside if name in _BY_ID)


def _view(
    evidence: Evidence, topic: str, page: int, of: int, blocks: Sequence[Block], beside: Sequence[str] | None
) -> View:
    state = {"topic": topic, "page": page, "beside": None if beside is None else list(beside)}
    previous = [_turn("Previous page", page - 1)] if page > 1 else []
    following = [{"type": "actions", "block_id": "evidence_next", "elements": [_turn("Next page", page + 1)]}]
    chooser = {
        "type": "actions",
        "block_id": "evidence_topic",
        "elements": [_select(evidence, topic, beside), *previous],
    }
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain("Evidence"),
        "close": plain("Close"),
        "private_metadata": json.dumps(state, separators=(",", ":")),
        "blocks": [chooser, *blocks, *(following if page < of else [])],
    }


def _turn(label: str, page: int) -> dict[str, Any]:
    return {"type": "button", "action_id": PAGE_ACTION, "text": plain(label), "value": str(page)}


def _select(evidence: Evidence, chosen: str, beside: Sequence[str] | None) -> dict[str, Any]:
    """Every topic; where there is an answer, its own evidence first and then the topics of its findings."""
    near = tuple(beside or ())
    topics: list[Topic] = sorted(TOPICS, key=lambda topic: near.index(topic.id) if topic.id in near else len(near))
    options = [_option(topic.id, title(evidence, topic)) for topic in topics]
    if beside is not None:
        options.insert(0, _option(ANSWER, "Behind the figures of the answer"))
    return {
        "type": "static_select",
        "action_id": TOPIC_ACTION,
        "placeholder": plain("Choose a topic"),
        "options": options,
        "initial_option": next(option for option in options if option["value"] == chosen),
    }


def _option(value: str, label: str) -> dict[str, Any]:
    if len(label) > _OPTION_MAX:
        raise ValueError(f"a label of {len(label)} characters does not fit Slack's limit of {_OPTION_MAX}")
    return {"text": plain(label), "value": value}
