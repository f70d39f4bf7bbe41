"""Pictures: what is drawn is what the engine says, labels stay apart, and the same picture has the same bytes."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from bot.pictures.drawing import Drawing, render
from bot.pictures.ldh import HIGHEST, LOWEST, OUTCOMES, Curve, ldh_curves
from bot.pictures.page import answer_page, ldh_picture, patient_picture
from bot.pictures.patient import ESTIMATED
from bot.pictures.rates import fact_ids
from handlers.answer import AnswerView, build_view
from handlers.answer.figures import bare_percent, percent
from handlers.parsing import parse
from knowledge import Assessment, LdhMultiple, Outcome, PatientFactors, Presence, UpperLimit, assess, comparators
from knowledge.evidence import load as load_evidence
from knowledge.exact import clopper_pearson
from knowledge.model import load as load_model

A4_HEIGHT = 11.69  # inches
DAY = "2026-11-24"
RECEIPT = "1284-3f9a"
CASES = {
    "everything known": "ldh 480/250 liver yes dm no cvd yes",
    "nothing known": "ldh unknown",
    "ldh high": "ldh high liver unknown dm yes cvd yes",
    "extreme ldh": "ldh 12x liver yes dm yes cvd yes",
    "all no": "ldh 200/250 liver no dm no cvd no",
    "site limit, near it": "ldh 255 liver unknown chf yes",
    "as high as can be": "ldh 40x liver no",
}


@lru_cache
def case(name: str) -> tuple[Assessment, AnswerView, Drawing]:
    understood = parse(CASES[name], site_uln=UpperLimit(value=250))
    assessment = assess(understood.factors)
    view = build_view(assessment, load_evidence(), RECEIPT, understood.notes, model=load_model())
    return assessment, view, answer_page(assessment, load_evidence(), load_model(), RECEIPT, view.assumed, DAY)


def line(drawing: Drawing, name: str) -> Line2D:
    """The one line that bears the name."""
    (found,) = drawing.figure.findobj(lambda artist: isinstance(artist, Line2D) and artist.get_gid() == name)
    assert isinstance(found, Line2D)
    return found


def names(drawing: Drawing) -> set[str]:
    return {str(each.get_gid()) for each in drawing.figure.findobj(Line2D) if each.get_gid()}


def shown(drawing: Drawing) -> str:
    """Every text, lines joined."""
    return " ".join(each.get_text() for each in drawing.figure.findobj(Text) if isinstance(each, Text))


@pytest.mark.parametrize("name", CASES)
def test_risks_drawn_are_the_assessments(name: str) -> None:
    """Point, bar and printed figure of every outcome."""
    assessment, _, drawing = case(name)
    texts = shown(drawing)
    for outcome in ESTIMATED:
        risk = assessment.risk_of(outcome)
        assert list(line(drawing, f"{outcome.value}.patient").get_xdata()) == [risk.risk]
        assert tuple(line(drawing, f"{outcome.value}.patient.interval").get_xdata()) == risk.interval
        low, high = map(bare_percent, risk.interval)
        assert f"{percent(risk.risk)} ({low} to {high})" in texts
    assert not [each for each in names(drawing) if "grade3" in each]  # counts only, no estimate
    assert "CRS, grade ≥ 3: founding study 3/30 (2 to 27 %); elsewhere 9/473 = 2 % over all doses (trials)" in texts
    assert "Grade ≥ 3: counts only, no estimate" in texts


def test_rates_drawn_are_the_evidences() -> None:
    """Each entry that the answer compares with is drawn once, at its published rate."""
    _, _, drawing = case("everything known")
    evidence = load_evidence()
    for outcome in ESTIMATED:
        assert sorted(fact_ids(outcome)) == sorted(comparators.ELSEWHERE[outcome])
        for each in fact_ids(outcome):
            fact, name = evidence.fact(each), f"{outcome.value}.{each}"
            if each == "inc.label473.icans_broad":  # in one row with the narrow definition
                continue
            drawn = list(line(drawing, name).get_xdata())
            if fact.count is not None and fact.denominator is not None:
                assert drawn == [fact.count / fact.denominator]
                limits = tuple(line(drawing, f"{name}.interval").get_xdata())
                assert limits == clopper_pearson(fact.count, fact.denominator)
            else:
                assert f"{name}.interval" not in names(drawing)
    assert list(line(drawing, "icans_any.inc.label473.icans_c1d1").get_xdata()) == pytest.approx([0.025])
    assert list(line(drawing, "icans_any.inc.label473.icans_pt").get_xdata()) == pytest.approx([0.047, 0.10])
    texts = shown(drawing)
    assert "trials, over all doses, narrow to broad (n = 473) 4.7 to 10 %" in texts
    assert "real world, window not stated (n = 25) 16 % (5 to 36)" in texts


def test_the_study_beside_it_and_what_it_does_not_report() -> None:
    assessment, _, drawing = case("nothing known")
    for outcome, events in ((Outcome.CRS_ANY, 16), (Outcome.ICANS_ANY, 7)):
        assert list(line(drawing, f"{outcome.value}.study").get_xdata()) == [events / 30]
        limits = line(drawing, f"{outcome.value}.study.interval").get_xdata()
        assert tuple(limits) == assessment.observed_of(outcome).interval
    assert "crs_grade2plus.study" not in names(drawing)
    assert "founding study (n = 30) not reported" in shown(drawing)


@pytest.mark.parametrize("name", CASES)
def test_head_and_foot(name: str) -> None:
    """The findings as understood, what was assumed, the purpose and where it is recorded."""
    _, view, drawing = case(name)
    texts = shown(drawing)
    wanted = (view.patient, view.title, view.assumed, "not for a patient with symptoms", "never validated elsewhere")
    for each in (*wanted, view.footer[-1], "95 % interval"):
        assert each in texts
    assert view.footer[-1].endswith(f"receipt #{RECEIPT}")


@pytest.mark.parametrize("name", CASES)
def test_no_two_texts_touch_and_the_page_is_whole(name: str) -> None:
    """Nor does a text run into a patient's bar, or off the page, and it prints on A4."""
    _, _, drawing = case(name)
    canvas = FigureCanvasAgg(drawing.figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    boxes = [
        (each.get_text(), Text.get_window_extent(each, renderer))
        for each in drawing.figure.findobj(Text)
        if isinstance(each, Text) and each.get_text() and each.get_visible()
    ]
    assert len(boxes) > 60
    touching = [(a, b) for (a, one), (b, other) in combinations(boxes, 2) if one.overlaps(other)]
    assert touching == []
    page = drawing.figure.bbox
    assert [text for text, box in boxes if not (box.x0 >= 0 and box.x1 <= page.x1 and box.y0 >= 0)] == []
    bars = [
        Bbox.from_extents(*each.get_window_extent(renderer).extents)
        for each in drawing.figure.findobj(Line2D)
        if str(each.get_gid()).endswith("patient.interval")
    ]
    assert len(bars) == 3
    assert [text for text, box in boxes for bar in bars if box.overlaps(bar)] == []
    assert drawing.figure.get_size_inches()[1] <= A4_HEIGHT


@pytest.mark.parametrize("name", CASES)
def test_the_patient_is_marked_where_the_ldh_is_a_number(name: str) -> None:
    """On the LDH that was given, at the risk that the assessment gives; else the picture says why not."""
    assessment, _, drawing = case(name)
    ratio = assessment.factors.ldh_ratio
    for outcome in OUTCOMES:
        mark = f"{outcome.value}.patient_on_curve"
        if ratio is None:
            assert mark not in names(drawing)
            assert "This patient is not marked: LDH" in shown(drawing)
            continue
        risk = assessment.risk_of(outcome)
        assert line(drawing, mark).get_xydata().tolist() == [[ratio, risk.risk]]
        assert line(drawing, f"{mark}.interval").get_xydata().tolist() == [[ratio, limit] for limit in risk.interval]
        low, high = line(drawing, mark).axes.get_xlim()  # type: ignore[union-attr]
        assert low < ratio < high


def test_curves_drawn_are_the_engines() -> None:
    """Every point of every line and band, by asking the engine itself."""
    _, _, drawing = case("everything known")
    (bands,) = [
        {each.get_gid(): each for each in drawing.figure.findobj() if str(each.get_gid()).endswith(".band")},
    ]
    assert len(bands) == 8
    for outcome in OUTCOMES:
        for liver in (Presence.YES, Presence.NO):
            for side in ("below", "above"):
                name = f"{outcome.value}.liver_{liver.value}.{side}"
                multiples, risks = line(drawing, name).get_data()
                corners = {tuple(point) for point in bands[f"{name}.band"].get_paths()[0].vertices}  # type: ignore[attr-defined]
                for multiple, drawn in zip(multiples, risks, strict=True):
                    factors = PatientFactors(ldh=LdhMultiple(multiple=float(multiple)), liver_metastases=liver)
                    risk = assess(factors).risk_of(outcome)
                    assert np.isnan(drawn) or drawn == risk.risk
                    assert {(multiple, limit) for limit in risk.interval} <= corners


def test_the_jump_at_the_limit_is_a_jump() -> None:
    """No artist joins both sides; the value at the limit is filled, that just above it open."""
    _, _, drawing = case("everything known")
    for each in names(drawing):
        if each.endswith(".below"):
            below, above = line(drawing, each), line(drawing, each.replace(".below", ".above"))
            assert below.get_xdata()[-1] == 1.0 < above.get_xdata()[0] < 1.0 + 1e-6
            assert above.get_ydata()[0] > below.get_ydata()[-1] + 0.05
            at, over = line(drawing, f"{each}.limit"), line(drawing, f"{each.replace('.below', '.above')}.limit")
            assert at.get_markerfacecolor() == at.get_color()
            assert over.get_markerfacecolor() == "white"
            assert at.get_ydata()[0] == below.get_ydata()[-1]
            assert over.get_ydata()[0] == above.get_ydata()[0]


def test_where_the_ldh_is_held_the_line_is_dashed() -> None:
    """The solid line ends where most draws hold, the dashed one takes over at that point, and nothing is left out."""
    _, _, drawing = case("everything known")
    for curve in ldh_curves(load_model()):
        name = f"{curve.outcome.value}.liver_{curve.liver.value}.{curve.side}"
        solid = ~np.isnan(np.asarray(line(drawing, name).get_ydata(), dtype=float))
        assert (solid == (curve.held <= 0.5)).all()
        if curve.side == "above":
            dashed = np.asarray(line(drawing, f"{name}.held").get_ydata(), dtype=float)
            assert (~np.isnan(dashed)).sum() == (~solid).sum() + 1
            assert (solid | ~np.isnan(dashed)).all()
            assert line(drawing, f"{name}.held").is_dashed()
    # Beside this figure the engine's own words: held in three quarters of the draws at 8 times the limit.
    assert any("beyond the range of" in each for each in assess(parse("ldh 8x", site_uln=None).factors).assumptions)


@settings(max_examples=6, deadline=None)
@given(lowest=st.floats(0.1, 0.9), highest=st.floats(1.1, 40.0))
def test_bands_contain_their_lines(lowest: float, highest: float) -> None:
    """Over any range, from its first multiple to its last; and more liver metastases or LDH, never less CRS."""
    curves = ldh_curves(load_model(), lowest, highest)
    assert len(curves) == 8
    for each in curves:
        assert (each.low <= each.risk).all()
        assert (each.risk <= each.high).all()
        assert (np.diff(each.multiple) > 0).all()
    assert min(each.multiple[0] for each in curves) == pytest.approx(lowest, rel=0.1)
    assert max(each.multiple[-1] for each in curves) == highest
    of = {(each.outcome, each.liver, each.side): each for each in curves}
    for (outcome, liver, side), each in of.items():
        assert (of[Outcome.CRS_ANY, liver, side].risk >= each.risk).all()
        assert (of[outcome, Presence.YES, side].risk >= each.risk).all()


def test_curves_span_the_promised_range() -> None:
    curves: tuple[Curve, ...] = ldh_curves(load_model())
    assert {(each.multiple[0], each.multiple[-1]) for each in curves if each.side == "below"} == {(LOWEST, 1.0)}
    assert {each.multiple[-1] for each in curves if each.side == "above"} == {HIGHEST}


def test_greys_alone_tell_lines_apart() -> None:
    """Lightness of the two lines differs by far more than a printer loses (contrast ratio after WCAG 2)."""
    _, _, drawing = case("everything known")
    shades = [line(drawing, f"crs_any.liver_{each}.above").get_color() for each in ("yes", "no")]
    linear = [[((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(shade)] for shade in shades]
    dark, light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in linear)
    assert (light + 0.05) / (dark + 0.05) > 2.0


@pytest.mark.parametrize("format_", ["png", "svg", "pdf"])
def test_the_same_picture_has_the_same_bytes_and_no_date(format_: str) -> None:
    """Also under a user's own matplotlib settings, which stay as they are."""
    assessment, _, _ = case("everything known")
    first = render(ldh_picture(assessment, load_evidence(), load_model()), format_)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": None, "savefig.dpi": 20}):
        assert render(ldh_picture(assessment, load_evidence(), load_model()), format_) == first
        assert mpl.rcParams["font.size"] == 30
    for dated in (b"CreationDate", b"dc:date", b"tIME", b"matplotlib.org", b"Producer", b"Creator"):
        assert dated not in first


def test_pictures_of_the_documents_say_that_they_are_examples() -> None:
    assessment, _, _ = case("everything known")
    for drawing in (
        patient_picture(assessment, load_evidence()),
        ldh_picture(assessment, load_evidence(), load_model()),
    ):
        assert "example, in no ledger" in shown(drawing)
        assert "receipt" not in shown(drawing)
        assert not re.search("[#][0-9]", shown(drawing))
