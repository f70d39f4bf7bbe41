"""How figures are written: whole per cents, and never a false 0 or 100."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.answer import figures
from knowledge.assessment import ObservedCount, Outcome
from knowledge.evidence import Fact
from knowledge.evidence import load as load_evidence


@pytest.mark.parametrize(
    ("fraction", "written"),
    [
        (0.0, "0 %"),
        (1e-9, "below 1 %"),
        (0.004, "below 1 %"),
        (0.00999, "below 1 %"),
        (0.01, "1 %"),
        (0.014, "1 %"),
        (0.016, "2 %"),
        (0.5, "50 %"),
        (0.989, "99 %"),
        (0.99, "99 %"),
        (0.99001, "above 99 %"),
        (0.995, "above 99 %"),
        (1 - 1e-9, "above 99 %"),
        (1.0, "100 %"),
    ],
)
def test_percent(fraction: float, written: str) -> None:
    assert figures.percent(fraction) == written


@given(st.floats(min_value=0, max_value=1, exclude_min=True, exclude_max=True))
def test_between_nought_and_one_no_figure_is_a_false_certainty(fraction: float) -> None:
    written = figures.bare_percent(fraction)
    if written in ("below 1", "above 99"):
        assert (fraction < 0.01) == (written == "below 1")
    else:
        assert 1 <= int(written) <= 99
        assert abs(int(written) - 100 * fraction) <= 0.5 + 1e-9


@pytest.mark.parametrize(
    ("fractions", "written"),
    [
        ([1.0], ["100 %"]),
        ([0.668, 0.332], ["67 %", "33 %"]),
        ([1 / 3, 1 / 3, 1 / 3], ["34 %", "33 %", "33 %"]),
        ([0.143, 0.225, 0.632], ["14 %", "23 %", "63 %"]),
        ([0.0002, 0.1575, 0.8423], ["below 1 %", "16 %", "84 %"]),
        ([0.996, 0.004], ["above 99 %", "below 1 %"]),
    ],
)
def test_whole_shares(fractions: list[float], written: list[str]) -> None:
    assert figures.whole_shares(fractions) == written


@given(st.lists(st.floats(min_value=0.001, max_value=1), min_size=2, max_size=3))
def test_shares_add_up_and_none_is_far_from_its_own(parts: list[float]) -> None:
    fractions = [part / sum(parts) for part in parts]
    words = {"below 1 %": "0", "above 99 %": "100"}
    numbers = [int(words.get(text, text.split()[0])) for text in figures.whole_shares(fractions)]
    assert sum(numbers) == 100
    assert all(abs(number - 100 * share) < 1 for number, share in zip(numbers, fractions, strict=True))


def test_estimate_and_span() -> None:
    assert figures.estimate(0.5, (0.004, 0.996)) == "50 % (below 1 to above 99)"
    assert figures.span((0.37, 0.29)) == "29 to 37 %"
    assert figures.span((0.501, 0.499)) == "50 %"
    assert figures.span((0.001, 0.002)) == "below 1 %"
    assert figures.span((0.0, 0.31)) == "0 to 31 %"


def test_counts_with_what_the_study_does_not_report() -> None:
    known = ObservedCount(outcome=Outcome.CRS_GRADE3PLUS, events=3, n=30, interval=(0.021, 0.265))
    assert figures.count_and_rate(known) == "3/30 = 10 %"
    assert figures.count_and_interval(known) == "3/30 (2 to 26 %)"
    silent = ObservedCount(outcome=Outcome.CRS_GRADE2PLUS, events=None, n=30, interval=None)
    assert figures.count_and_rate(silent) == figures.count_and_interval(silent) == "not reported"


def _fact(**figures_of: object) -> Fact:
    printed = {"percent", "events", "n", "value"}
    blank = load_evidence().fact("inc.joshi.toci_crs").model_dump(exclude=printed, exclude_none=True)
    return Fact.model_validate({**blank, **figures_of})


@pytest.mark.parametrize(
    ("fact", "written"),
    [
        ({"percent": "2.5%"}, "2.5"),
        ({"percent": "10%"}, "10"),
        ({"percent": "41.4%"}, "41"),
        ({"percent": "approximately 55%"}, "55"),
        ({"events": 9, "n": 473}, "2"),
        ({"events": 1, "n": 473}, "below 1"),
    ],
)
def test_published_rates_are_small_as_printed_and_others_whole(fact: dict[str, object], written: str) -> None:
    assert figures.published_percent(_fact(**fact)) == written


def test_a_fact_without_counts_or_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="no rate"):
        figures.published_percent(_fact(value="not a rate"))
    with pytest.raises(ValueError, match="no counts"):
        figures.fact_count_and_interval(_fact(percent="10%"))


def test_counts_of_none_and_all_have_exact_ends() -> None:
    assert figures.fact_count_and_interval(_fact(events=0, n=10)) == "0/10 (0 to 31 %)"
    assert figures.fact_count_and_interval(_fact(events=10, n=10)) == "10/10 (69 to 100 %)"
