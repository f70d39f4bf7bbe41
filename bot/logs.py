"""Logs for the operator. They hold codes, counts and references; never a patient value, text or secret."""

from __future__ import annotations

import logging

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def set_up_logs() -> None:
    """Log to standard error. Bolt and slack_sdk print request bodies below WARNING, so they stay above it."""
    logging.basicConfig(level=logging.INFO, format=FORMAT)
    for name in ("slack_bolt", "slack_sdk", "aiohttp"):
        logging.getLogger(name).setLevel(logging.WARNING)


def bolt_logger() -> logging.Logger:
    """The logger handed to Bolt: only its errors, because its warnings may quote a request."""
    logger = logging.getLogger("tarla.bolt")
    logger.setLevel(logging.ERROR)
    return logger
