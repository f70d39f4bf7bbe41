"""Percentages as sources print them, against counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.evidence.printed import agrees, parse_percent


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(0, 3))
def test_a_correctly_rounded_percent_agrees_and_the_next_ones_do_not(count: tuple[int, int], decimals: int) -> None:
    events, n = count
    scale = 10**decimals
    nearest = (2 * 100 * events * scale + n) // (2 * n)  # in units of the last digit, halves up

    def text(units: int) -> str:
        whole, rest = divmod(units, scale)
        return f"{whole}.{rest:0{decimals}d}%" if decimals else f"{whole}%"

    assert agrees(parse_percent(text(nearest)), events, n)
    if nearest >= 2:
        assert not agrees(parse_percent(text(nearest - 2)), events, n)
    if nearest + 2 <= 100 * scale:
        assert not agrees(parse_percent(text(nearest + 2)), events, n)


def test_a_half_may_be_rounded_either_way() -> None:
    assert agrees(parse_percent("12%"), 1, 8)
    assert agrees(parse_percent("13%"), 1, 8)
    assert not agrees(parse_percent("12.4%"), 1, 8)


@pytest.mark.parametrize("text", ["", "10", "10 %", ".5%", "10.%", "-1%", "100.1%", "١٠%", "about 10%", "10%\n"])
def test_other_texts_are_not_percentages(text: str) -> None:
    with pytest.raises(ValueError, match="not a single percentage"):
        parse_percent(text)
