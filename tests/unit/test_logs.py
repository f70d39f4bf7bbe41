"""What other libraries log through us is cut to one line, without a traceback."""

from __future__ import annotations

import logging

import pytest

from bot.logs import MAX_FOREIGN_CHARACTERS, bolt_logger


def test_a_foreign_failure_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    logger = bolt_logger()
    try:
        int("x")
    except ValueError:
        logger.exception("Failed to connect (error: %s)\nbody: secret", "refused" * 100)
    (record,) = caplog.records
    assert record.exc_info is None
    assert record.getMessage().startswith("Failed to connect (error: refused")
    assert len(record.getMessage()) == MAX_FOREIGN_CHARACTERS
    assert "secret" not in record.getMessage()


def test_warnings_of_bolt_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """They may quote a request."""
    bolt_logger().warning("Unhandled request ({'text': 'Smith'})")
    assert caplog.records == []


def test_asking_twice_gives_one_filter() -> None:
    assert bolt_logger() is bolt_logger()
    assert len(bolt_logger().filters) == 1
    assert bolt_logger().level == logging.ERROR
