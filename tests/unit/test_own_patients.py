"""What is said of a model that a site's own patients updated: words, figures, pictures and records."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.text import Text

from bot.pictures.page import answer_page
from handlers.answer import AnswerView, build_view
from handlers.answer.own_patients import HEADING, SIMULATED, counts, named, origin, told
from handlers.home.past import past_block
from handlers.ports import PastEvent
from handlers.records import comparison_payload, computed_payload, past_answer
from handlers.requests import Asker
from knowledge import Assessment, PatientFactors, assess
from knowledge.assessment import Outcome
from knowledge.evidence import load as load_evidence
from knowledge.model import Model, load
from knowledge.spread import interval_sources
from tests.support.answers import FACTORS
from tests.support.fakes import recorded
from tests.support.site_models import DATA_SHA256, SITE_ID, site_model
from tests.support.site_models import origin as origin_of

ASKER = Asker(via="slash_command", user="U0FELLOW01", channel="C0TUMOURBD", team="T0TARLADEV")


def answered(model: Model, factors: PatientFactors = FACTORS) -> tuple[Assessment, AnswerView]:
    assessment = assess(factors, model)
    return assessment, build_view(assessment, load_evidence(), "1284-3f9a", (), model=model)


def paragraph(view: AnswerView, heading: str) -> str:
    (text,) = [each.text for each in view.paragraphs if each.heading == heading]
    return text


def test_the_shipped_models_answer_knows_of_no_site() -> None:
    assessment, view = answered(load())
    assert assessment.site is None
    assert "site" not in assessment.model_dump(mode="json")
    assert HEADING not in [each.heading for each in view.paragraphs]
    assert "model " not in view.summary
    assert Assessment.model_validate_json(assessment.model_dump_json()) == assessment


def test_a_site_models_answer_names_it_first_and_last() -> None:
    model = site_model()
    assessment, view = answered(model)
    assert assessment.site == model.site
    assert Assessment.model_validate_json(assessment.model_dump_json()) == assessment
    assert view.paragraphs[0].heading == HEADING
    assert view.footer[-1].startswith(f"model {SITE_ID} ·")
    assert f"; model {SITE_ID}; receipt" in view.summary
    assert "this centre" in paragraph(view, "Time window")


def test_only_the_model_that_answered_can_explain_the_width() -> None:
    assessment, _ = answered(load())
    with pytest.raises(ValueError, match="only the model that answered"):
        build_view(assessment, load_evidence(), "1284-3f9a", model=site_model())


@pytest.mark.parametrize("factors", [FACTORS, PatientFactors()])
def test_what_the_width_is_owed_to_is_the_site_models_own(factors: PatientFactors) -> None:
    model = site_model()
    _, view = answered(model, factors)
    text = paragraph(view, "Why so wide")
    for split in interval_sources(factors, model):
        assert f"{100 * split.centre:.0f} % this centre's level" in text
    assert ("how few patients there are" in text) == (factors is FACTORS)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "CRS in 37 of 47, grade ≥ 2 in 14; ICANS in 9 of 46"),
        ({"crs_events": 0, "crs_grade2plus_events": 0}, "CRS in 0 of 47, grade ≥ 2 in 0; ICANS in 9 of 46"),
        (
            {"crs_patients": 0, "crs_events": 0, "crs_grade2plus_events": 0, "khat_crs": None},
            "CRS: no patient of this centre, so as in the parent model; ICANS in 9 of 46",
        ),
        (
            {"icans_patients": 0, "icans_events": 0, "khat_icans": None},
            "CRS in 37 of 47, grade ≥ 2 in 14; ICANS: no patient of this centre, so as in the parent model",
        ),
    ],
)
def test_counts(changes: dict[str, Any], expected: str) -> None:
    site = origin_of(**changes)
    assert counts(site) == expected
    assert expected in told(site)
    assert origin(site) == f"facts-2 updated with this centre's own patients: {expected}"


def test_simulated_patients_are_nobodys_and_each_text_says_so() -> None:
    site = origin_of(simulated=True)
    assert named(SITE_ID, site) == f"{SITE_ID} (simulated patients)"
    assert "own patients" not in told(site)
    assert "describe no centre's patients and are not for care" in told(site)
    assert "own patients" not in origin(site)
    _, view = answered(site_model(simulated=True))
    assert view.title.startswith(f"{SIMULATED}: ")


def _shown(model: Model) -> str:
    assessment, view = answered(model)
    page = answer_page(assessment, load_evidence(), model, "1284-3f9a", view.assumed, "2026-11-24")
    texts = [each.get_text() for each in page.figure.findobj(Text)]
    return " ".join(" ".join(texts).replace("\N{NO-BREAK SPACE}", " ").split())


def test_the_picture_says_whose_patients_it_rests_on() -> None:
    for simulated in (False, True):
        text = _shown(site_model(simulated=simulated))
        assert "centre not in the evidence" not in text
        assert "CRS in 37 of 47, grade ≥ 2 in 14; ICANS in 9 of 46" in text
        assert f"model {SITE_ID}" in text
        assert (SIMULATED in text) == simulated
        assert ("its own patients" in text) != simulated


def test_the_record_names_parent_and_patients_file_and_is_read_back() -> None:
    model = site_model()
    assessment, _ = answered(model)
    payload = computed_payload(assessment, (), ASKER, "2026-01-02", "0.0.1")
    parent = {"id": load().version.id, "sha256": load().version.sha256}
    expected = {"id": SITE_ID, "sha256": model.version.sha256, "parent": parent, "data_sha256": DATA_SHA256}
    assert payload["model"] == expected
    compared = comparison_payload([("as answered", assessment)], ASKER, "2026-01-02", "0.0.1")
    assert compared["model"] == expected
    past = past_answer(PastEvent(recorded(7), "computed", payload))
    assert past is not None
    assert (past.model_id, past.model_sha256) == (SITE_ID, model.version.sha256)
    assert past.agrees(assessment)
    assert computed_payload(assess(FACTORS), (), ASKER, "2026-01-02", "0.0.1")["model"] == parent


@pytest.mark.parametrize("simulated", [False, True])
def test_home_names_it_as_it_was_recorded(simulated: bool) -> None:
    assessment, _ = answered(site_model(simulated=simulated))
    payload = computed_payload(assessment, (), ASKER, "2026-01-02", "0.0.1")
    text = past_block(PastEvent(recorded(7), "computed", payload))["text"]["text"]
    assert SITE_ID in text
    assert ("(simulated patients)" in text) == simulated


def test_the_small_models_differ_from_the_shipped_one_in_print() -> None:
    """Else nothing above would tell them apart."""
    ours, theirs = (assess(FACTORS, model).risk_of(Outcome.CRS_ANY).risk for model in (site_model(), load()))
    assert abs(ours - theirs) > 0.02
