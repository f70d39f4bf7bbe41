"""Every number that Tarla shows anywhere: from the engine, from a record named beside it, or said by the user.

The application is driven through every door, and everything that leaves it is walked. Each body belongs to one kind,
and each kind has its own origins; a figure of the engine in a look-up, say, would be found out.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from handlers import controls
from handlers.comparison import variants
from handlers.lookup.registry import LOOK_UPS
from handlers.parsing import parse
from handlers.parsing.limits import LDH_RANGE, MAX_CHARACTERS, MAX_WORDS, RATIO_RANGE, ULN_RANGE
from knowledge import PatientFactors, UpperLimit, assess
from knowledge.card.build import build_card
from knowledge.label.dosing import WEIGHT_MAX_KG, WEIGHT_MIN_KG
from knowledge.model import load as load_model
from knowledge.synthesis.facts import model_fact_ids
from tests.support import answers
from tests.support.app import PATIENCE_S, RunningApp, home_opened, over_http, until
from tests.support.evidence_views import record_behind
from tests.support.forms import button_of, filled
from tests.support.lookups import resolve as label_record
from tests.support.origins import behind, estimated, given, numbers
from tests.support.outcomes import SEEN_WORDS, chosen
from tests.support.shown_numbers import shown, uncovered
from tests.support.signing import event_request

# Names of outcomes and time windows, and the level of every interval.
_NAMES = re.compile(r"grade ≥ [23]\b|grade [23]\b|cycle 1 day 1\b|dose 1\b|95 %|SHA-256")
# An example to type, in code or at a line's end, or a hash; not the fence around preformatted figures.
_CODE = re.compile(r"(?<!`)`[^`]+`(?!`)|(?<=: )/tarla [^\n]*")
# What changes from run to run: places in the text, receipts, versions, moments.
_MARKS = (
    re.compile(r"\bWord [0-9]+"),
    re.compile(r"#?\b[0-9]+-[0-9a-f]{4}\b"),
    re.compile(r"facts-[0-9]+|\b0\.[0-9]+\.0\b"),
    re.compile(r"<!date[^>]*>|[0-9]{4}-[0-9]{2}-[0-9]{2}"),
)
# Entries, pages and days counted in the evidence are in no record; they have tests of their own.
_COUNTS = re.compile(r"\b(entries|page [0-9]+|days? ago)\b")
_RECORD = re.compile(r"[a-z]+(?:\.[a-z0-9_]+)+")
ASKED = (
    "ldh 480/250 liver yes dm no cvd yes",
    "ldh unknown",
    "ldh 255 chf yes",
    "ldh 1.9x, liver mets, T2DM",
    "ldh high",
)
LOOKED_UP = ("dose", "dose c1d8 23", "monitor", "manage crs 2", "manage holds", "toci 82kg", "toci warnings", "grade")
REFUSED = ("help", "mueller yes", "fever", "ldh 8", "ldh 99999/250", "manage crs 7", "toci 82", "toci 999kg")
SITE = UpperLimit(value=250)


@dataclass
class Walked:
    """What was shown, by kind."""

    risks: list[tuple[dict[str, Any], PatientFactors]] = field(default_factory=list)
    comparisons: list[tuple[dict[str, Any], PatientFactors]] = field(default_factory=list)
    label: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    evidence: list[dict[str, Any]] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=list)
    words: list[dict[str, Any]] = field(default_factory=list)
    home: list[dict[str, Any]] = field(default_factory=list)
    outcomes: list[dict[str, Any]] = field(default_factory=list)


@asynccontextmanager
async def app(path: Path) -> AsyncIterator[RunningApp]:
    async with over_http(path / "ledger.db", site_uln=SITE) as running:
        yield running


def understood(text: str) -> PatientFactors:
    return parse(text, site_uln=SITE).factors


def plain(text: str) -> str:
    """A text as a reader sees it, without names of outcomes, examples to type and marks of the moment."""
    text = answers.unescaped(text).replace("\N{NO-BREAK SPACE}", " ")
    for left_out in (_CODE, *_MARKS, _NAMES):
        text = left_out.sub(" ", text)
    return text


async def _latest(running: RunningApp, method: str, count: int) -> dict[str, Any]:
    await until(lambda: len(running.called(method)) >= count)
    body: dict[str, Any] = running.called(method)[-1]
    return dict(body["view"]) if "view" in body else body


async def _pressed(running: RunningApp, message: Mapping[str, Any], action: str) -> dict[str, Any]:
    """The modal that a button of a message opens."""
    before = len(running.called("views.open"))
    await running.press(button_of(message, action))
    return await _latest(running, "views.open", before + 1)


async def _posted(running: RunningApp, message: Mapping[str, Any], action: str) -> dict[str, Any]:
    """The message that a button sends through its response_url."""
    before = len(running.slack.responses)
    await running.press(button_of(message, action))
    await until(lambda: len(running.slack.responses) > before)
    return running.slack.responses[-1].body


async def walk(running: RunningApp) -> Walked:
    """Go through every door once at least."""
    walked = Walked()
    for text in ASKED:
        factors = understood(text)
        message = (await running.ask(text)).message
        walked.risks.append((message, factors))
        walked.risks.append((await _posted(running, message, controls.SHARE), factors))
        walked.comparisons.append((await _posted(running, message, controls.WHAT_IF), factors))
        walked.words.append(await _pressed(running, message, controls.EDIT))
    walked.evidence.append(await _pressed(running, message, controls.EVIDENCE))
    walked.models.append(await _pressed(running, message, controls.MODEL))
    await running.write(f"<@U0TARLABOT> {ASKED[0]}")
    walked.risks.append((await _latest(running, "chat.postEphemeral", 1), understood(ASKED[0])))
    await running.write(ASKED[1], kind="message")
    walked.risks.append((await _latest(running, "chat.postMessage", 1), understood(ASKED[1])))
    before = len(running.called("views.open"))
    await running.use_shortcut(controls.SHORTCUT)
    walked.words.append(await _latest(running, "views.open", before + 1))
    answered = (await running.submit(running.opened_view(), filled())).message
    walked.risks.append((answered["view"], answers.FACTORS))
    await _look_ups(running, walked)
    await _outcomes(running, walked)
    for text in REFUSED:
        walked.words.append((await running.ask(text)).message)
    await running.send(event_request(home_opened()))
    walked.home.append(await _latest(running, "views.publish", 1))
    return walked


async def _outcomes(running: RunningApp, walked: Walked) -> None:
    """An outcome recorded early, then changed."""
    event = next(event for event in await running.events() if event.kind == "computed")
    receipt = f"{event.seq}-{event.leaf.hex()[:4]}"
    for values in (chosen(day="2"), chosen()):
        await running.ask(f"outcome {receipt}")
        walked.outcomes.append(running.opened_view())
        walked.outcomes.append((await running.submit(running.opened_view(), values)).message["view"])
    walked.words.append((await running.ask("outcome")).message)


async def _look_ups(running: RunningApp, walked: Walked) -> None:
    for text in LOOKED_UP:
        walked.label.append(((await running.ask(text)).message, text))
    await running.ask("grade crs")
    view = running.opened_view()
    walked.label.append((view, ""))
    chosen = {"grade_fever": "yes", "grade_hypotension": "one_vasopressor", "grade_hypoxia": "low_flow"}
    state = {name: {"value": {"selected_option": {"value": value}}} for name, value in chosen.items()}
    walked.label.append(((await running.submit(view, state)).message["view"], ""))
    walked.evidence.append((await running.ask("evidence icans 2")).message)


@pytest.fixture
async def walked(tmp_path: Path) -> Walked:
    async with app(tmp_path) as running, asyncio.timeout(20 * PATIENCE_S):
        return await walk(running)


async def test_every_number_has_its_origin(walked: Walked) -> None:
    for body, factors in walked.risks:
        assessment = assess(factors)
        _explained(body, estimated(assessment) | given(assessment) | behind(assessment))
    for body, factors in walked.comparisons:
        figures = (estimated(assess(variant.factors)) for variant in variants(factors))
        _explained(body, given(assess(factors)).union(*figures))
    for body in walked.home:
        # As recorded, of every patient asked about; the limit is the site's setting.
        patients = [answers.FACTORS, *map(understood, ASKED)]
        figures = (estimated(assess(factors)) | given(assess(factors)) for factors in patients)
        _explained(body, {"250"}.union(*figures))
    for body, words in walked.label:
        asked = re.findall(r"[0-9]+", words)
        assert uncovered(_without_receipt(body["blocks"]), label_record, asked) == [], words
    for body in walked.evidence:
        entries = [block for block in _without_receipt(body["blocks"]) if block["type"] in ("section", "context")]
        entries = [block for block in entries if not _COUNTS.search("\n".join(shown(block)))]
        assert uncovered(entries, record_behind) == []
    for body in walked.models:
        _explained(body, _of_the_model())
    assert len(walked.outcomes) == 4
    for body in walked.outcomes:
        # What may be chosen is checked by itself; day 1 is where days are counted from, 2019 the grading's year.
        for block in body["blocks"]:
            said = "\n".join(shown({name: part for name, part in block.items() if name != "element"}))
            _explained_text(said, {"1", "2", "2019"} | given(assess(understood(ASKED[0]))) | _seen(said))
    for body in walked.words:
        _explained(body, _accepted() | given(assess(answers.FACTORS)))


def _seen(text: str) -> set[str]:
    """The day chosen, where an outcome's own words say it."""
    return {"8"} if SEEN_WORDS in text else set()


def _explained(body: Mapping[str, Any], known: set[str]) -> None:
    """No number in a block but those known, and those of the records that the block names."""
    for block in body["blocks"]:
        _explained_text("\n".join(shown(block)), known)
    if isinstance(body.get("text"), str):
        _explained_text(body["text"], known)


def _explained_text(text: str, known: set[str]) -> None:
    records = [record_behind(name) or label_record(name) for name in _RECORD.findall(text)]
    left = numbers(plain(text)) - known.union(*(numbers(str(record)) for record in records if record))
    assert left == set(), (left, text)


def _without_receipt(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [block for block in blocks if not re.fullmatch(r"receipt #[0-9]+-[0-9a-f]{4}", "\n".join(shown(block)))]


def _of_the_model() -> set[str]:
    """What the model's file and its card say; the card's own figures are traced in the tests of the card."""
    model = load_model()
    draws = [f"{model.draws(pool).weight.size:,}" for pool in ("crs", "icans")]
    known = {str(model.content.seed), str(len(model_fact_ids(model.spec)))}
    card = build_card("0", model)
    said = [*card.summary, *card.use.excluded, *card.risks, *(each.text for each in card.assumptions.conditions)]
    return known.union(*map(numbers, [*draws, *said]))


def _accepted() -> set[str]:
    """The ranges of what may be typed."""
    texts = (LDH_RANGE, ULN_RANGE, RATIO_RANGE, str(MAX_CHARACTERS), str(MAX_WORDS))
    weights = {str(WEIGHT_MIN_KG), str(WEIGHT_MAX_KG)}
    return weights.union(*map(numbers, texts))


def test_the_walk_would_notice_a_number_without_origin() -> None:
    body = {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "CRS, any grade 77 %"}}], "text": "x"}
    with pytest.raises(AssertionError, match="77"):
        _explained(body, estimated(assess(answers.FACTORS)))


def test_every_look_up_and_every_action_is_walked() -> None:
    """A new door has to be added to the walk."""
    walked = {"dose", "evidence", "grade", "manage", "monitor", "toci"}
    assert set(LOOK_UPS) == walked
    pressed = {controls.WHAT_IF, controls.EVIDENCE, controls.MODEL, controls.EDIT, controls.SHARE}
    elsewhere = {controls.OPEN_FORM, controls.OUTCOME, *controls.GRADE.values(), *controls.EVIDENCE_PAGES}
    assert set(controls.ACTIONS) == pressed | elsewhere
