"""App Home: how to ask, one's own answers as they were recorded, which versions answer, what is set."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from handlers.access import Rules
from handlers.home import home_view
from handlers.home.past import date_token
from handlers.parsing.refusal_texts import EXAMPLE
from handlers.ports import OwnAnswers, PastEvent
from handlers.records import comparison_payload, computed_payload
from handlers.requests import Asker
from handlers.site import SiteSettings
from knowledge import LdhUnit, PatientFactors, Presence, UpperLimit, assess
from knowledge.evidence import load as load_evidence
from knowledge.model import Model
from knowledge.model import load as load_model
from tests.support import answers
from tests.support.app import allowed_links
from tests.support.fakes import recorded
from tests.support.slack_limits import check_view

ASKER = Asker(via="slash_command", user="U0FELLOW01", channel="C0TUMOURBD", team="T0TARLADEV")
NONE_YET = OwnAnswers(())
SHIPPED = load_model()


def _payload() -> dict[str, Any]:
    return dict(computed_payload(answers.expected_assessment(), (), ASKER, "2026-01-02", "0.0.1"))


def _event(payload: dict[str, Any] | None, seq: int = 7) -> PastEvent:
    return PastEvent(recorded(seq), "computed", payload)


def _texts(
    site: SiteSettings | None = None, own: OwnAnswers | str = NONE_YET, model: Model | None = SHIPPED
) -> list[str]:
    """The view's texts, each a block's, spaces all alike; the view itself is one that Slack takes."""
    view = home_view(site or SiteSettings(), own, model)
    check_view(view, allowed_links=allowed_links(view))
    blocks = [block for block in view["blocks"] if block["type"] in ("section", "context")]
    texts = [[block["text"]] if block["type"] == "section" else block["elements"] for block in blocks]
    return ["\n".join(part["text"] for part in parts).replace("\N{NO-BREAK SPACE}", " ") for parts in texts]


def _shown(site: SiteSettings | None = None, own: OwnAnswers | str = NONE_YET) -> str:
    return "\n".join(_texts(site, own))


def test_it_says_how_to_ask_and_which_versions_answer() -> None:
    shown = _shown()
    assert EXAMPLE in shown
    assert SHIPPED.version.id in shown
    assert load_evidence().version in shown
    assert "not for a patient with symptoms" in shown
    assert "not set: give it with each LDH" in shown
    assert "None yet." in shown
    for look_up in ("evidence", "dose", "monitor", "manage", "grade", "toci"):
        assert f"`{look_up}" in shown or f"`/tarla {look_up}" in shown


def test_the_form_is_a_button_away() -> None:
    blocks = home_view(SiteSettings(), NONE_YET, load_model())["blocks"]
    (actions,) = [block for block in blocks if block["type"] == "actions"]
    assert [element["action_id"] for element in actions["elements"]] == ["tarla_form"]


@pytest.mark.parametrize(
    ("limit", "written"),
    [(UpperLimit(value=250), "250 U/L"), (UpperLimit(value=4.1, unit=LdhUnit.MICROKATAL_PER_L), "4.1 µkat/L")],
)
def test_it_shows_the_sites_upper_limit(limit: UpperLimit, written: str) -> None:
    assert f"(`TARLA_LDH_ULN`): {written}" in _shown(SiteSettings(uln=limit))


def test_it_says_who_may_ask() -> None:
    assert "Who may ask: full members of this workspace" in _shown()
    shown = _shown(SiteSettings(Rules(groups=("S0ONCOLOGY",), channels=("C0WARD",))))
    assert "who are in one of the site's user groups or who ask in one of the site's channels" in shown
    assert "Channels: <#C0WARD>" in shown
    assert "S0ONCOLOGY" not in shown


def test_without_a_model_it_says_that_no_risk_is_shown() -> None:
    assert "not usable, so no risk is shown" in "\n".join(_texts(model=None))


def test_an_answer_is_shown_as_it_was_recorded() -> None:
    payload = _payload()
    # Not what the engine says today: what the ledger says was answered.
    payload["outcomes"][0] |= {"risk": "0.123000", "interval": ["0.045000", "0.678000"]}
    (text,) = [text for text in _texts(own=OwnAnswers((_event(payload),))) if "receipt `#" in text]
    assert f"receipt `#{recorded(7).receipt}`" in text
    assert "LDH 480 U/L = 1.9 × ULN (250) · liver metastases yes · diabetes no · CVD yes" in text
    assert "CRS, any grade: 12 % (4 to 68)" in text
    for outcome, estimate in zip(("CRS, grade ≥ 2", "ICANS, any grade"), answers.expected_estimates()[1:], strict=True):
        assert f"{outcome}: {estimate}" in text
    assert f"model {payload['model']['id']} · evidence 2026-01-02" in text


def test_a_time_is_in_the_readers_zone_and_else_in_utc() -> None:
    shown = date_token("2026-11-22T09:30:59.123456Z")
    assert shown == "<!date^1795339859^{date_short_pretty} {time}|2026-11-22 09:30 UTC>"


def test_a_comparison_is_shown_shortly() -> None:
    unknown = assess(answers.FACTORS.model_copy(update={"diabetes": Presence.UNKNOWN}))
    rows = [("", answers.expected_assessment()), ("diabetes unknown", unknown)]
    payload = dict(comparison_payload(rows, ASKER, "2026-01-02", "0.0.1"))
    (text,) = [text for text in _texts(own=OwnAnswers((_event(payload),))) if "receipt `#" in text]
    assert "LDH 480 U/L = 1.9 × ULN (250) · liver metastases yes · diabetes no · CVD yes" in text
    assert "What if: a comparison with other findings" in text
    assert "%" not in text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"outcomes": 7}, "in a form that this version cannot read"),
        ({"outcomes": [{"outcome": "later", "risk": "0.5", "interval": ["0.1", "0.9"]}]}, "cannot read"),
        ({"factors": {"ldh": None}}, "cannot read"),
        ({"comparison": [{"factors": 7}]}, "cannot read"),
        (None, "no longer kept"),
    ],
)
def test_what_cannot_be_read_is_said_and_the_rest_shown(change: dict[str, Any] | None, told: str) -> None:
    payload = None if change is None else _payload() | change
    texts = _texts(own=OwnAnswers((_event(payload, 8), _event(_payload(), 7))))
    unread, read = [text for text in texts if "receipt `#" in text]
    assert told in unread
    assert "%" not in unread
    assert "CRS, any grade" in read


def test_what_was_altered_is_named_and_not_shown() -> None:
    shown = _shown(own=OwnAnswers((), altered=("7-abcd",)))
    assert "no longer holds them as they were recorded: receipt `#7-abcd`" in shown
    assert "None yet" not in shown


def test_an_unreadable_ledger_is_said_and_the_rest_shown() -> None:
    shown = _shown(own="damaged")
    assert "the audit ledger cannot be read (`damaged`)" in shown
    assert EXAMPLE in shown


def test_where_the_search_ended_is_said() -> None:
    shown = _shown(own=OwnAnswers((), searched=50_000, complete=False))
    assert "None among the newest." in shown
    assert "the newest 50,000 events of the ledger; older ones not" in shown


def test_ten_of_the_longest_answers_fit() -> None:
    ldh = {"value": 9_998.123456, "unit": "U/L", "uln": {"value": 599.123456, "unit": "U/L"}, "uln_from": "site"}
    factors = PatientFactors.model_validate({"ldh": {"kind": "measured", **ldh}})
    longest = dict(computed_payload(assess(factors), (), ASKER, "2026-01-02", "0.0.1"))
    _texts(SiteSettings(Rules(channels=tuple(f"C0WARD{n}" for n in range(50)))), OwnAnswers((_event(longest),) * 10))


def test_every_figure_stands_beside_its_receipt() -> None:
    for text in _texts(own=OwnAnswers((_event(_payload()),))):
        if re.search(r"\d ?%", text):
            assert "receipt `#" in text


def test_nothing_of_a_view_is_a_table() -> None:
    assert '"table"' not in json.dumps(home_view(SiteSettings(), OwnAnswers((_event(_payload()),)), load_model()))
