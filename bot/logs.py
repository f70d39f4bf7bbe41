"""Logs for the operator. They hold codes, counts and references; never a patient value, text or secret.

One line a record, as JSON or as text. Of an exception the type and the place are kept: its message may quote what
came in.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

# Enough for slack_sdk's own sentences.
MAX_FOREIGN_CHARACTERS = 200
# Known facts of an event, given to the logger as ``extra``: they become fields of their own in JSON.
FIELDS = ("code", "door", "seq", "reason", "reference", "failure", "place", "method", "count", "address")
# An address may stand in a field, a sentence may not.
_FIELD = re.compile(r"[A-Za-z0-9_.:/\[\]-]{1,100}", re.ASCII)

# An address: scheme, whoever signs in, host with port, path, and the rest.
_ADDRESS = re.compile(
    r"""\b(https?|wss?)://(?:[^\s/@'"<>]*@)?([^\s/?#'"<>)]+)(/[^\s?#'"<>)]*)?([?#][^\s'"<>)]*)?""", re.I
)
# Here the path itself is the secret.
_SECRET_PATHS = re.compile(r"hooks\.|/response/", re.IGNORECASE)
_SECRETS = re.compile(r"\b(ticket|token)=[^\s&'\"<>)]+|\bx(?:ox[a-z]|app)-[\w-]+", re.IGNORECASE)
CUT = "\N{HORIZONTAL ELLIPSIS}"

# Ours: bot, handlers and knowledge lie side by side.
_HOME = Path(__file__).resolve().parents[1]
_OWN_PACKAGES = frozenset({"bot", "handlers", "knowledge"})


class LogForm(StrEnum):
    """How a record is written."""

    JSON = "json"
    TEXT = "text"


def set_up_logs(form: LogForm | None = None) -> LogForm:
    """Log to standard error: without ``form`` as text to a terminal and as JSON to anything else. Gives the form.

    Bolt and slack_sdk print request bodies below WARNING, so they stay above it.
    """
    if form is None:
        form = LogForm.TEXT if sys.stderr.isatty() else LogForm.JSON
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form is LogForm.JSON else PlainLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in ("slack_bolt", "slack_sdk", "aiohttp"):
        logging.getLogger(name).setLevel(logging.WARNING)
    _catch_everything()
    return form


def _catch_everything() -> None:
    """Python itself would print a whole traceback, message and all, for what nobody catches."""
    log = logging.getLogger("tarla.uncaught")
    # A record that cannot be written would be printed with its arguments.
    logging.raiseExceptions = False
    logging.captureWarnings(True)

    def of_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.critical("the process ends: uncaught failure", exc_info=(kind, error, trace))

    def of_thread(told: threading.ExceptHookArgs) -> None:
        error = told.exc_value or told.exc_type()
        log.critical("a thread ends: uncaught failure", exc_info=(told.exc_type, error, told.exc_traceback))

    def of_nobody(told: UnraisableHookArgs) -> None:
        error = told.exc_value or told.exc_type()
        log.error("a failure while tidying up", exc_info=(told.exc_type, error, told.exc_traceback))

    sys.excepthook, threading.excepthook, sys.unraisablehook = of_process, of_thread, of_nobody


def without_secrets(text: str) -> str:
    """The text with addresses cut to scheme, host and a path that is no secret, and tickets and tokens taken out."""
    return _SECRETS.sub(CUT, _ADDRESS.sub(_cut, text))


def _cut(address: re.Match[str]) -> str:
    scheme, host, path, more = address.groups(default="")
    if _SECRET_PATHS.search(f"{host}{path}"):
        path, more = "/", CUT
    return f"{scheme}://{host}{path}{CUT if more else ''}"


def on_one_line(text: str) -> str:
    """The text with whatever could break a line or steer a terminal written as ``\\uXXXX``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    # Controls, signs that turn the direction of writing, line and paragraph separators, halves of a pair.
    if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs"):
        return f"\\u{ord(character):04x}"
    return character


def message_of(record: logging.LogRecord) -> str:
    """What a record says, fit for one line: without secrets, and of others' records the first line alone."""
    try:
        said = record.getMessage()
    except Exception as error:  # noqa: BLE001 - a sentence and its arguments that do not fit must not stop the log
        said = f"a record that cannot be put into words ({type(error).__name__})"
    if not record.name.startswith("tarla"):
        said = (said.splitlines() or [""])[0][:MAX_FOREIGN_CHARACTERS]
        if record.name == "asyncio":
            said = said.partition("(")[0]  # what follows are the arguments of whatever failed
        elif record.name == "py.warnings":
            said = said.partition(": ")[2].partition(":")[0]  # the kind; the rest may quote
    return on_one_line(without_secrets(said))


def failure_of(record: logging.LogRecord) -> tuple[str, str] | None:
    """Type and place of the exception that a record carries, if it does."""
    if not record.exc_info or record.exc_info[0] is None:
        return None
    kind, _, trace = record.exc_info
    return kind.__name__, place_of(trace)


def place_of(trace: TracebackType | None) -> str:
    """File and line where a failure arose: the last in our own code, or else the last of all."""
    place = "unknown"
    last_is_ours = False
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        ours = path.is_relative_to(_HOME) and path.relative_to(_HOME).parts[0] in _OWN_PACKAGES
        if ours or not last_is_ours:
            name = path.relative_to(_HOME).as_posix() if ours else "/".join(path.parts[-2:])
            place, last_is_ours = f"{name}:{trace.tb_lineno}", last_is_ours or ours
        trace = trace.tb_next
    return place


def time_of(record: logging.LogRecord) -> str:
    """RFC 3339, UTC, milliseconds."""
    moment = datetime.fromtimestamp(record.created, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


class PlainLines(logging.Formatter):
    """A record as a line of text."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger and message; type and place of a failure after it."""
        line = f"{time_of(record)} {record.levelname} {record.name} {message_of(record)}"
        failure = failure_of(record)
        return line if failure is None else f"{line} [{failure[0]} at {failure[1]}]"


class JsonLines(logging.Formatter):
    """A record as one JSON object on a line."""

    def format(self, record: logging.LogRecord) -> str:
        """``time``, ``level``, ``logger``, ``message``, and those of ``FIELDS`` that the record has."""
        entry: dict[str, str | int | float] = {
            "time": time_of(record),
            "level": record.levelname,
            "logger": record.name,
            "message": message_of(record),
        }
        failure = failure_of(record)
        if failure is not None:
            entry["failure"], entry["place"] = failure
        for name in FIELDS:
            value = getattr(record, name, None)
            if isinstance(value, int | float) or (isinstance(value, str) and _FIELD.fullmatch(value)):
                entry[name] = without_secrets(value) if isinstance(value, str) else value
        return json.dumps(entry)


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
