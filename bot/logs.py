"""Logs for the operator. They hold codes, counts and references; never a patient value, text or secret."""

from __future__ import annotations

import logging
import re

# Enough for slack_sdk's own sentences.
MAX_FOREIGN_CHARACTERS = 200
FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


# An address: scheme, whoever signs in, host with port, path, and the rest.
_ADDRESS = re.compile(
    r"""\b(https?|wss?)://(?:[^\s/@'"<>]*@)?([^\s/?#'"<>)]+)(/[^\s?#'"<>)]*)?([?#][^\s'"<>)]*)?""", re.I
)
# Here the path itself is the secret.
_SECRET_PATHS = re.compile(r"hooks\.|/response/", re.IGNORECASE)
_SECRETS = re.compile(r"\b(ticket|token)=[^\s&'\"<>)]+|\bx(?:ox[a-z]|app)-[\w-]+", re.IGNORECASE)
CUT = "\N{HORIZONTAL ELLIPSIS}"


def set_up_logs() -> None:
    """Log to standard error. Bolt and slack_sdk print request bodies below WARNING, so they stay above it."""
    handler = logging.StreamHandler()
    handler.setFormatter(WithoutSecrets(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in ("slack_bolt", "slack_sdk", "aiohttp"):
        logging.getLogger(name).setLevel(logging.WARNING)


def without_secrets(text: str) -> str:
    """The text with addresses cut to scheme, host and a path that is no secret, and tickets and tokens taken out."""
    return _SECRETS.sub(CUT, _ADDRESS.sub(_cut, text))


def _cut(address: re.Match[str]) -> str:
    scheme, host, path, more = address.groups(default="")
    if _SECRET_PATHS.search(f"{host}{path}"):
        path, more = "/", CUT
    return f"{scheme}://{host}{path}{CUT if more else ''}"


class WithoutSecrets(logging.Formatter):
    """Writes a record, its traceback too, without tickets, tokens and secret addresses, whoever logged it."""

    def format(self, record: logging.LogRecord) -> str:
        """As ever, then cut."""
        return without_secrets(super().format(record))


class OneLine(logging.Filter):
    """Keeps a record to its first line and drops the traceback, which may run through a request's text."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Cut the record down; it is always logged."""
        first_line = (without_secrets(record.getMessage()).splitlines() or [""])[0]
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
