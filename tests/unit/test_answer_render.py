"""The answer's renderings: as Slack will take them, as wide as promised, and the same figures in each."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block as SdkBlock
from slack_sdk.models.blocks import SectionBlock
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from handlers.answer import AnswerView, TableMode, answer_blocks, answer_text, build_view
from handlers.answer.plain import compact_table
from handlers.outcomes import Answered
from handlers.parsing import parse
from handlers.replies import message
from knowledge import Assessment, UpperLimit, assess
from knowledge.evidence import load as load_evidence
from knowledge.model import load as load_model
from tests.support.slack_limits import check_message

COMPACT_WIDTH = 72  # a phone held sideways, and the narrowest terminal promised
RECEIPT = "1284-3f9a"
CASES = {
    "everything-known": ("ldh 480/250 liver yes dm no cvd yes", None),
    "nothing-known": ("ldh unknown", None),
    "none-present": ("ldh 200/250 liver no dm no cvd no", None),
    "site-limit-and-near-it": ("ldh 255 liver unknown chf yes", UpperLimit(value=250)),
}


def answered(name: str) -> Answered:
    text, site = CASES[name]
    understood = parse(text, site_uln=site)
    assessment = assess(understood.factors)
    view = build_view(assessment, load_evidence(), RECEIPT, understood.notes, model=load_model())
    return Answered(view, assessment, understood.notes, RECEIPT, load_model())


def with_risks(assessment: Assessment, risk: float, interval: tuple[float, float]) -> Assessment:
    """The same with figures that the model would hardly give."""
    outcomes = tuple(
        outcome.model_copy(update={"risk": risk, "interval": interval, "risk_by_prior": interval})
        for outcome in assessment.outcomes
    )
    return assessment.model_copy(update={"outcomes": outcomes})


def extreme_view(risk: float, interval: tuple[float, float]) -> AnswerView:
    return build_view(
        with_risks(answered("nothing-known").assessment, risk, interval), load_evidence(), RECEIPT, model=load_model()
    )


@pytest.fixture
def as_json(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


@pytest.mark.parametrize("mode", TableMode)
@pytest.mark.parametrize("name", CASES)
def test_message(name: str, mode: TableMode, as_json: SnapshotAssertion) -> None:
    body = message(answered(name), mode)
    assert body is not None
    check_message(body)
    assert None not in SdkBlock.parse_all(body["blocks"])  # how slack_sdk reports a type it does not know
    assert body == as_json


@pytest.mark.parametrize("mode", TableMode)
@pytest.mark.parametrize("risk", [0.0001, 0.004, 0.5, 0.996, 0.9999])
def test_extreme_figures_fit_slack_too(mode: TableMode, risk: float) -> None:
    reply = replace(answered("nothing-known"), view=extreme_view(risk, (0.001, 0.999)))
    body = message(reply, mode)
    assert body is not None
    check_message(body)


@pytest.mark.parametrize("risk", [0.0001, 0.5, 0.9999])
@pytest.mark.parametrize("interval", [(0.0001, 0.0002), (0.001, 0.999), (0.9995, 0.9999)])
def test_the_compact_table_fits_a_phone_held_sideways(risk: float, interval: tuple[float, float]) -> None:
    lines = compact_table(extreme_view(risk, interval)).splitlines()
    assert len(lines) == 6
    assert max(map(len, lines)) <= COMPACT_WIDTH


@pytest.mark.parametrize("name", CASES)
def test_no_terminal_line_is_wider_than_asked(name: str) -> None:
    view = answered(name).view
    for width in range(COMPACT_WIDTH, 121):
        for line in answer_text(view, width).splitlines():
            assert len(line) <= width, (width, line)


@settings(max_examples=60, deadline=None)
@given(
    risk=st.floats(min_value=0, max_value=1),
    limits=st.tuples(st.floats(min_value=0, max_value=1), st.floats(min_value=0, max_value=1)),
    width=st.integers(min_value=COMPACT_WIDTH, max_value=120),
)
def test_no_terminal_line_is_too_wide_whatever_the_figures(
    risk: float, limits: tuple[float, float], width: int
) -> None:
    text = answer_text(extreme_view(risk, (min(limits), max(limits))), width)
    assert max(map(len, text.splitlines())) <= width


def _all_texts(node: Any) -> list[str]:
    if isinstance(node, dict):
        found = [node["text"]] if isinstance(node.get("text"), str) else []
        return found + [text for value in node.values() for text in _all_texts(value)]
    return [text for item in node for text in _all_texts(item)] if isinstance(node, list) else []


def _figures(text: str) -> list[str]:
    """Numbers in a rendering, wherever lines break; the compact rendering's order differs, so sorted."""
    plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return sorted(re.findall(r"(?:below |above )?[0-9]+(?:[./][0-9]+)*", " ".join(plain.split())))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("width", [COMPACT_WIDTH, 110])
def test_every_rendering_carries_the_same_figures(name: str, width: int) -> None:
    view = answered(name).view
    block, text = (_figures(" ".join(_all_texts(answer_blocks(view, mode)))) for mode in TableMode)
    # The compact form names each outcome a second time, before what was seen elsewhere.
    labels = [figure for row in view.rows for figure in _figures(row.outcome)]
    assert text == sorted([*block, *labels])
    terminal = _figures(answer_text(view, width))
    assert terminal in (block, text)


@pytest.mark.parametrize("name", CASES)
def test_the_notification_text_holds_the_estimates_and_the_receipt(name: str) -> None:
    reply = answered(name)
    for mode in TableMode:
        body = message(reply, mode)
        assert body is not None
        assert body["response_type"] == "ephemeral"
        assert RECEIPT in body["text"]
        assert all(row.patient in body["text"] for row in reply.view.rows[:3])


def test_markup_in_a_view_is_shown_as_typed() -> None:
    """Nothing free reaches a view, but if it did it could not become a mention or a link."""
    view = replace(answered("nothing-known").view, patient="<!channel> & <http://x|y>")
    first = SectionBlock(**answer_blocks(view, TableMode.BLOCK)[0])
    assert first.text is not None
    assert first.text.text.endswith("&lt;!channel&gt; &amp; &lt;http://x|y&gt;")


@pytest.mark.parametrize("name", CASES)
def test_no_word_ranks_a_patient(name: str) -> None:
    ranking = re.compile(r"\b(safe|low.risk|high.risk|favou?rable|red|amber|green)\b", re.IGNORECASE)
    words = " ".join(answer_text(answered(name).view).split())
    # The authors' own words, told as theirs.
    assert not ranking.search(words.replace("The authors: it may lessen toxicity in high-risk patients", ""))
