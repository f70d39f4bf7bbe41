"""Prints what the fault tests did, whether they passed or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.chaos import report

if TYPE_CHECKING:
    import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a tally, after the failures."""
    lines = report()
    if lines:
        terminalreporter.section("faults")
        for line in lines:
            terminalreporter.write_line(line)
