"""Prints what the fuzzing tests did, whether they passed or not; where the fault tests run too, they print it all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.chaos import report

if TYPE_CHECKING:
    import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a tally, after the failures."""
    plugins = terminalreporter.config.pluginmanager.get_plugins()
    told = any(str(getattr(plugin, "__file__", "")).endswith("tests/chaos/conftest.py") for plugin in plugins)
    lines = [] if told else report()
    if lines:
        terminalreporter.section("bad input")
        for line in lines:
            terminalreporter.write_line(line)
