"""Readiness: a closed word for each thing in the way of an answer."""

from __future__ import annotations

import pytest

from bot.operations.readiness import Readiness


def test_without_a_reason_it_is_ready() -> None:
    readiness = Readiness()
    assert readiness.reasons() == {}
    readiness.watch("ledger", lambda: None)
    assert readiness.states() == {"ledger": None}
    assert readiness.reasons() == {}


def test_each_reason_is_named_anew_each_time() -> None:
    readiness, state = Readiness(), ["locked"]
    readiness.watch("ledger", lambda: state[0] or None)
    readiness.watch("checkpoint", lambda: "not_written")
    assert readiness.reasons() == {"ledger": "locked", "checkpoint": "not_written"}
    state[0] = ""
    assert readiness.reasons() == {"checkpoint": "not_written"}


@pytest.mark.parametrize("said", ["two words", "", "U0FELLOW01", "/var/lib/x", "a" * 41, "a\nb", "é"])
def test_what_is_no_closed_word_is_not_repeated(said: str) -> None:
    readiness = Readiness()
    readiness.watch("ledger", lambda: said)
    assert readiness.reasons() == {"ledger": "unspecified"}


def test_a_probe_that_fails_is_a_reason_and_hides_no_other() -> None:
    def broken() -> str | None:
        raise RuntimeError("ldh 487")

    readiness = Readiness()
    readiness.watch("model", broken)
    readiness.watch("ledger", lambda: "locked")
    assert readiness.reasons() == {"model": "probe_failed", "ledger": "locked"}


def test_a_probe_has_a_closed_name() -> None:
    with pytest.raises(ValueError, match="lower-case"):
        Readiness().watch("Smith 487", lambda: None)
