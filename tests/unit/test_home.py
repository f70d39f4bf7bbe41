"""App Home: how to ask, what it is for, which versions answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.home import home_view
from handlers.parsing.refusals import EXAMPLE
from knowledge import LdhUnit, UpperLimit
from knowledge import model as model_module
from knowledge.evidence import load as load_evidence
from tests.support.slack_limits import check_view


@pytest.fixture
def _no_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(model_module, "data_folder", lambda: tmp_path)
    model_module.load.cache_clear()
    yield
    model_module.load.cache_clear()


def _shown(site: UpperLimit | None) -> str:
    view = home_view(site)
    check_view(view)
    return json.dumps(view, ensure_ascii=False)


def test_it_says_how_to_ask_and_which_versions_answer() -> None:
    shown = _shown(None)
    assert EXAMPLE in shown
    assert model_module.load().version.id in shown
    assert load_evidence().version in shown
    assert "not for a patient with symptoms" in shown
    assert "not set: give it with each LDH" in shown


@pytest.mark.parametrize(
    ("site", "written"),
    [(UpperLimit(value=250), "250 U/L"), (UpperLimit(value=4.1, unit=LdhUnit.MICROKATAL_PER_L), "4.1 µkat/L")],
)
def test_it_shows_the_sites_upper_limit(site: UpperLimit, written: str) -> None:
    assert f"this site: {written}" in _shown(site)


@pytest.mark.usefixtures("_no_model")
def test_without_a_model_it_says_that_no_risk_is_shown() -> None:
    assert "not usable, so no risk is shown" in _shown(None)
