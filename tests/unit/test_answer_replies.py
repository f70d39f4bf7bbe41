"""Every other reply as a Slack message: within Slack's limits, and with no figure where there must be none."""

from __future__ import annotations

import json
import re

import pytest

from handlers.answer import TableMode
from handlers.outcomes import HowToAsk, NotShown, Refused, Repeated
from handlers.parsing.codes import RefusalCode
from handlers.parsing.refusal_texts import EXAMPLE, TEXTS
from handlers.parsing.terms import Subject
from handlers.replies import message, refusal_lines
from tests.support.slack_limits import check_message


@pytest.mark.parametrize(("code", "about"), TEXTS)
@pytest.mark.parametrize(("position", "suggestion"), [(None, None), (3, "liver")])
def test_every_refusal(code: RefusalCode, about: Subject | None, position: int | None, suggestion: str | None) -> None:
    text, example = TEXTS[code, about]
    body = message(Refused(code, text, example, position, suggestion), TableMode.BLOCK)
    assert body is not None
    check_message(body)
    shown = json.dumps(body, ensure_ascii=False)
    assert "No risk shown." in shown
    assert code in shown
    assert ("Word 3: " in shown) == (position == 3)
    assert ("Did you mean: liver" in shown) == (suggestion == "liver")
    assert not re.search(r"[0-9]\s*%", shown)


def test_a_refusal_of_the_whole_text_names_no_word() -> None:
    code = RefusalCode.EMPTY
    assert refusal_lines(Refused(code, *TEXTS[code, None])) == [TEXTS[code, None][0]]


def test_help_is_short_and_shows_an_example() -> None:
    body = message(HowToAsk(EXAMPLE), TableMode.BLOCK)
    assert body is not None
    check_message(body)
    assert EXAMPLE in body["text"]
    assert EXAMPLE in body["blocks"][0]["text"]["text"]


def test_an_apology_holds_its_reference_and_no_digit_else() -> None:
    body = message(NotShown("disk_full", "Risk not shown.", "Tell whoever runs Tarla."), TableMode.TEXT)
    assert body is not None
    check_message(body)
    shown = json.dumps(body)
    assert "disk_full" in body["text"]
    assert "disk_full" in json.dumps(body["blocks"])
    assert not re.search(r"[0-9]", shown)


def test_a_repeated_request_gets_nothing_more() -> None:
    assert message(Repeated("1-abcd"), TableMode.BLOCK) is None
