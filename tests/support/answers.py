"""What an answer must say, computed from the engine, and how to read what Slack holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.ledger import StoredEvent, check_ledger
from bot.ledger.schema import KEPT_KINDS
from handlers.answer import AnswerView, build_view
from handlers.answer.figures import estimate
from handlers.answer.plain import compact_table
from knowledge import Assessment, LdhMeasured, LdhUnit, PatientFactors, Presence, UpperLimit, assess
from knowledge.evidence import load as load_evidence
from knowledge.model import load as load_model
from tests.support.slack_limits import check_message

WORDS = "ldh 480/250 liver yes dm no cvd yes"
FACTORS = PatientFactors(
    ldh=LdhMeasured(value=480, unit=LdhUnit.U_PER_L, uln=UpperLimit(value=250, unit=LdhUnit.U_PER_L), uln_from="given"),
    liver_metastases=Presence.YES,
    diabetes=Presence.NO,
    cardiovascular_disease=Presence.YES,
)
REFUSED_WORDS = "ldh 480/250 mueller yes"
NAME_IN_REFUSED_WORDS = "mueller"
# A number and its sign; not the escapes of a web form, such as 480%2F250.
_PER_CENT = re.compile(r"\d ?%(?![0-9A-F]{2})")


def expected_assessment() -> Assessment:
    """The engine's own word on ``WORDS``."""
    return assess(FACTORS)


def expected_estimates() -> list[str]:
    """The three estimates as they are printed, such as ``78 % (47 to 97)``."""
    return [estimate(outcome.risk, outcome.interval) for outcome in expected_assessment().outcomes]


def expected_view(receipt: str) -> AnswerView:
    """The whole answer to ``WORDS`` that stands in the ledger under ``receipt``."""
    return build_view(expected_assessment(), load_evidence(), receipt, model=load_model())


def texts(message: dict[str, Any]) -> list[str]:
    """Every text that a message shows, spaces all alike; the fallback text last."""
    found = [*_texts_of(message.get("blocks", [])), message["text"]]
    return [text.replace("\N{NO-BREAK SPACE}", " ") for text in found]


def code_of(message: dict[str, Any]) -> str:
    """The one preformatted text of a message, with Slack's escapes undone."""
    (fenced,) = [text for text in texts(message) if text.startswith("```")]
    return unescaped(fenced.strip("`"))


def unescaped(text: str) -> str:
    """Slack's three escaped characters as themselves."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def assert_ephemeral(message: dict[str, Any], user: str) -> None:
    """Only ``user`` is to see it, and Slack itself would take it."""
    assert message["subtype"] == "ephemeral"
    assert message["ephemeral_to"] == user
    check_message({"response_type": "ephemeral", "text": message["text"], "blocks": message["blocks"]})


def assert_answered(message: dict[str, Any], events: list[StoredEvent], via: str) -> None:
    """The message answers ``WORDS`` with the engine's figures, and the ledger holds just that.

    ``events`` are the two that the command made.
    """
    computed, delivered = events
    assert (computed.kind, delivered.kind, delivered.ref) == ("computed", "delivered", computed.seq)
    receipt = f"{computed.seq}-{computed.leaf.hex()[:4]}"
    view = expected_view(receipt)
    assert code_of(message) == compact_table(view)
    assert [row.patient for row in view.rows[:3]] == expected_estimates()
    shown = "\n".join(unescaped(text) for text in texts(message))
    for wanted in (view.title, view.patient, *(paragraph.text for paragraph in view.paragraphs), *view.footer):
        assert wanted in shown
    assert message["text"].endswith(f"receipt #{receipt}")
    payload = computed.payload
    assert payload is not None
    assert payload["outcomes"] == [
        {
            "outcome": outcome.outcome.value,
            "risk": f"{outcome.risk:.6f}",
            "interval": [f"{limit:.6f}" for limit in outcome.interval],
            "risk_study_centre": f"{outcome.risk_study_centre:.6f}",
            "interval_study_centre": [f"{limit:.6f}" for limit in outcome.interval_study_centre],
            "risk_by_prior": [f"{risk:.6f}" for risk in outcome.risk_by_prior],
        }
        for outcome in expected_assessment().outcomes
    ]
    assert delivered.payload is not None
    assert delivered.payload["via"] == via
    # Slack gives up after 3 s, and says so to the user.
    assert int(str(delivered.payload["milliseconds"])) < 3000


def assert_refused(message: dict[str, Any], events: list[StoredEvent], ledger: Path, log: Path) -> None:
    """The message refuses ``REFUSED_WORDS``, and the name in them is nowhere: not shown, kept or logged."""
    refused, delivered = events
    assert (refused.kind, delivered.kind, delivered.ref) == ("refused", "delivered", refused.seq)
    shown = "\n".join(texts(message))
    assert "No risk shown." in shown
    assert "Word 3" in shown
    assert "/tarla ldh 480/250 liver yes dm no cvd yes" in shown
    assert_no_estimate(shown)
    assert refused.payload is not None
    assert (refused.payload["reason"], refused.payload["word"]) == ("E_UNKNOWN_WORD", 3)
    for held in (shown, log.read_text(), ledger.read_bytes().decode("latin-1")):
        assert NAME_IN_REFUSED_WORDS not in held.lower()


def assert_how_to_ask(message: dict[str, Any]) -> None:
    """The message says how to ask, and holds no risk."""
    shown = "\n".join(texts(message))
    assert "How to ask" in shown
    assert "/tarla ldh 480/250 liver yes dm no cvd yes" in shown
    assert_no_estimate(shown)


def assert_not_shown(message: dict[str, Any], reason: str) -> None:
    """The message says that the ledger cannot be written, gives the code, and holds no figure of any kind."""
    for text in texts(message):
        assert not any(character.isdigit() for character in text), text
    shown = "\n".join(texts(message))
    assert "Risk not shown: the audit ledger cannot be written." in shown
    assert f"reference: {reason}" in shown


def assert_no_estimate(text: str) -> None:
    """No percentage and none of the figures that the engine gives for ``WORDS``."""
    plain = text.replace("\N{NO-BREAK SPACE}", " ")
    assert not _PER_CENT.search(plain)
    for outcome in expected_assessment().outcomes:
        for figure in (outcome.risk, *outcome.interval, outcome.risk_study_centre):
            # As a fraction to any number of digits, and as the start of a range.
            for written in (f"{int(100 * figure) / 100:.2f}", f"{figure:.2f}"):
                found = re.search(rf"(?<!\d){re.escape(written)}", plain)
                assert not found, plain[max(0, found.start() - 40) : found.end() + 20]
            assert f"{100 * figure:.0f} to" not in plain


async def everything_said(slack: Any) -> str:
    """All messages and all traffic that a local Slack has kept, as one text."""
    return json.dumps([await slack.messages(), await slack.log()], ensure_ascii=False)


def assert_whole(ledger: Path, events: int) -> None:
    """The ledger holds so many events of requests, and every hash recomputed is right."""
    kinds: list[str] = []
    verdict = check_ledger(ledger, lambda row: kinds.append(row.kind.decode()))
    assert verdict.ok, verdict
    assert len([kind for kind in kinds if kind not in KEPT_KINDS]) == events


def _texts_of(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _texts_of(each)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "text" and isinstance(value, str):
                yield value
            else:
                yield from _texts_of(value)
