"""Logs for the operator. They hold codes, counts and references; never a patient value, text or secret."""

from __future__ import annotations

import logging

# Enough for slack_sdk's own sentences.
MAX_FOREIGN_CHARACTERS = 200
FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def set_up_logs() -> None:
    """Log to standard error. Bolt and slack_sdk print request bodies below WARNING, so they stay above it."""
    logging.basicConfig(level=logging.INFO, format=FORMAT)
    for name in ("slack_bolt", "slack_sdk", "aiohttp"):
        logging.getLogger(name).setLevel(logging.WARNING)


class OneLine(logging.Filter):
    """Keeps a record to its first line and drops the traceback, which may run through a request's text."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Cut the record down; it is always logged."""
        first_line = (record.getMessage().splitlines() or [""])[0]
        record.msg, record.args = first_line[:MAX_FOREIGN_CHARACTERS], None
        record.exc_info = record.exc_text = record.stack_info = None
        return True


def bolt_logger() -> logging.Logger:
    """The logger handed to Bolt: only its errors, a line each, because its warnings may quote a request."""
    logger = logging.getLogger("tarla.bolt")
    logger.setLevel(logging.ERROR)
    if not logger.filters:
        logger.addFilter(OneLine())
    return logger
