"""The limits that docs/operations.md names are those of the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.transports import admission, replays, shedding
from handlers import retrying
from handlers.listeners.busy import BUSY

TEXT = " ".join((Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    "said",
    [
        f"{admission.SIDE_BY_SIDE} requests are answered side by side and {admission.MOST_WAITING} may wait",
        f"its first has waited {admission.ROW_WAITS_S} s, and to whoever has waited {admission.LATEST_TURN_S} s",
        f"is bounded apart, by {admission.MOST_AT_WORK},",
        f"{replays.REMEMBERED_MOST:,} signatures",
        f'"{BUSY}"',
    ],
)
def test_a_limit_is_as_the_program_has_it(said: str) -> None:
    assert said in TEXT


def test_limits_in_words_too() -> None:
    assert replays.REMEMBERED_S == 10.5 * 60
    assert "remembered for ten and a half minutes" in TEXT
    assert (retrying.TRIES, retrying.WITHIN_S) == (4, 5 * 60)
    assert "At most four attempts, within five minutes" in TEXT
    assert shedding.MOST_NOTES == 20
    assert "(twenty at a time)" in TEXT
    assert sorted(retrying.REFUSED_FOR_NOW) == [429, 500, 503]
    assert "(429, 500, 503)" in TEXT
