"""The report's sections on regressions: what they say, their pictures, and that a page's policy lets them stand."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from bot.cohort.inline_svg import inline_svg
from bot.cohort.report.model_plots import FURTHEST, forest, ldh_by_outcome, predicted_against_observed
from bot.cohort.report.model_words import odds, p_value
from bot.cohort.report.models import REPORTED, model_sections
from bot.html_page import page
from knowledge import evidence
from knowledge.assessment import Outcome
from knowledge.cohort.record import CohortRow
from knowledge.cohort.report.model_parts import ModelParts, model_parts
from knowledge.cohort.report.specification import OUTCOMES
from knowledge.factors import LdhMultiple, Presence
from tests.support.centre import simulated_centre


class _Page(HTMLParser):
    """Ids, references, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: set[str] = set()
        self.attributes: set[str] = set()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(str(value))
            if name.endswith("href"):
                self.references.add(str(value).removeprefix("#"))
            if name == "aria-labelledby":
                self.references |= set(str(value).split())
            self.references |= set(re.findall(r"url\(#([^)]*)\)", str(value)))

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


@pytest.fixture(scope="module")
def parts() -> ModelParts:
    return model_parts(simulated_centre(40, 5, missing=0.06, prophylaxis=0.25), seed=1, resamples=60)


@pytest.fixture(scope="module")
def html(parts: ModelParts) -> str:
    return page("Cohort", model_sections(parts))


def test_ids_are_unique_and_every_reference_is_met(html: str) -> None:
    found = _Page(html)
    assert len(found.ids) == len(set(found.ids)) > 100
    assert found.references
    assert found.references <= set(found.ids)


def test_nothing_in_it_is_stopped_by_the_pages_policy(html: str) -> None:
    """One style element, whose hash the policy names; no style attribute, no script, nothing from elsewhere."""
    found = _Page(html)
    assert "style" not in found.attributes
    assert html.count("<style") == 1
    assert not found.tags & {"script", "image", "img", "iframe", "metadata", "link"}
    assert not re.findall(r'(?:href|src)="(?!#)', html)


def test_each_picture_says_what_it_is(html: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    assert len(drawings) == 7  # three forests, three of predictions, LDH
    for drawing in drawings:
        assert drawing.count("<title") == drawing.count("<desc") == 1
        assert re.search(r"<title [^>]*>[^<]+ \(simulated patients\)</title>", drawing)


def test_pages_are_the_same_again(parts: ModelParts, html: str) -> None:
    assert page("Cohort", model_sections(parts)) == html


def test_too_few_patients_is_said_loudly_with_the_number_needed(parts: ModelParts, html: str) -> None:
    loud = re.findall(r'<p class="verdict wrong">([^<]*)</p>', html)
    needed = {f"{each.needed:,}" for each in parts.sizes if each.specification.standing == "published"}
    assert len(loud) == 3
    for number in needed:
        assert any(f"of at least {number}." in line for line in loud)


def test_every_odds_ratio_stands_in_the_tables(parts: ModelParts, html: str) -> None:
    text = _Page(html).text
    for model in (*parts.univariable, *parts.study, *parts.imputation):
        for effect in model.effects:
            assert odds(effect.odds_ratio, effect.odds_ratio_limits) in text
    for each in parts.performance:
        assert f"{each.apparent:.2f}" in text


def test_simulated_is_said_in_every_section_and_of_real_patients_nowhere(parts: ModelParts) -> None:
    assert all("imulated" in each for each in model_sections(parts)[:-1])
    real = parts.model_copy(update={"population": parts.population.model_copy(update={"simulated": False})})
    assert not any("imulated" in each for each in model_sections(real))


def test_what_the_founding_study_reports_is_in_the_evidence() -> None:
    known = evidence.load().associations
    for outcome, text in REPORTED.items():
        named = re.findall(r"rf\.[a-z0-9_.]+", text)
        assert named
        for each in named:
            assert known[each].endpoint == outcome.value


@pytest.mark.parametrize("n", [0, 1, 3, 12])
def test_a_dozen_patients_or_none_give_sentences_and_no_nan(n: int) -> None:
    found = model_parts(simulated_centre(n, 4, missing=0.2), seed=1, resamples=20)
    text = _Page(page("Cohort", model_sections(found))).text
    assert "Not fitted" in text
    assert not re.search(r"\b(nan|inf|None)\b", text)


def test_an_interval_beyond_the_axis_ends_in_an_arrow() -> None:
    """All ten above the limit have CRS, none of ten below: the upper limit is far beyond the axis."""
    rows = [
        CohortRow(
            ldh=LdhMultiple(multiple=2.0 if place < 10 else 0.5),
            tocilizumab_prophylaxis=Presence.NO,
            crs_grade_dose1=int(place < 10),
            icans_grade=0,
        )
        for place in range(20)
    ]
    found = model_parts(rows, seed=1, resamples=20)
    picture = forest(found, Outcome.CRS_ANY)
    assert picture is not None
    axes = picture.figure.axes[0]
    assert axes.get_xlim()[1] == FURTHEST
    limits = [each.odds_ratio_limits[1] for model in found.univariable for each in model.effects]
    assert all(limit is None or limit > FURTHEST for limit in limits[:1])
    arrows = [line for line in axes.lines if line.get_marker() == ">"]
    assert [line.get_xdata()[0] for line in arrows] == [FURTHEST] * len(arrows)
    assert arrows
    # Nothing to say of ICANS, which nobody had.
    assert forest(found, Outcome.ICANS_ANY) is None
    assert predicted_against_observed(found, Outcome.ICANS_ANY) is None
    assert "Separation" in "".join(model_sections(found))


def test_every_patient_is_a_dot_and_the_upper_limit_is_drawn(parts: ModelParts) -> None:
    picture = ldh_by_outcome(parts)
    assert picture is not None
    panels = picture.figure.axes
    assert len(panels) == len(OUTCOMES)
    for axes in panels:
        dots = sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() == "o")
        assert dots == parts.dots_of
        assert any(list(line.get_xdata()) == [1.0, 1.0] for line in axes.lines)


def test_predictions_are_drawn_with_their_patients(parts: ModelParts) -> None:
    picture = predicted_against_observed(parts, Outcome.CRS_ANY)
    assert picture is not None
    shown = [each for each in parts.performance if each.specification.outcome is Outcome.CRS_ANY]
    for axes, each in zip(picture.figure.axes, shown, strict=True):
        dots = [line for line in axes.lines if line.get_marker() == "o"]
        assert len(dots) == len(each.points) + len(each.groups)


def test_two_pictures_alike_have_ids_of_their_own(parts: ModelParts) -> None:
    picture = ldh_by_outcome(parts)
    assert picture is not None
    both = _Page(inline_svg(picture, "one", "about") + inline_svg(picture, "two", "about"))
    assert len(both.ids) == len(set(both.ids))
    assert both.references <= set(both.ids)


@pytest.mark.parametrize(
    ("ratio", "limits", "says"),
    [
        (2.156, (0.935, 6.394), "2.16 (0.94 to 6.39)"),
        (12.34, (0.004, 98_765.0), "12.3 (below 0.01 to above 9,999)"),
        (165.2, (1.5, None), "165 (1.50 to no upper limit)"),
        (0.5, (None, 9.996), "0.50 (no lower limit to 10.0)"),
    ],
)
def test_odds_ratios_in_words(ratio: float, limits: tuple[float | None, float | None], says: str) -> None:
    assert odds(ratio, limits) == says


def test_p_values_in_words() -> None:
    assert [p_value(p) for p in (0.00099, 0.0234, 0.4567, 1.0)] == ["below 0.001", "0.023", "0.46", "1.00"]
