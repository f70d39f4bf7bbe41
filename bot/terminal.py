"""``tarla ask``: the same conversation as in Slack, at a terminal, recorded in the same ledger."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import json
import os
import re
import shutil
import sys
import uuid
from pathlib import Path
from typing import TextIO

from bot.cli import FAILED, NO_PICTURE, NOT_RECORDED, OK, REFUSED
from bot.clock import SystemClock
from bot.compose import make_conversation, model_of, open_ledger_of
from bot.lifecycle.cut_off import cut_off
from bot.pictures.saving import PictureError, check_target, format_of, write_whole
from bot.settings import Settings
from handlers.answer import answer_text
from handlers.answer.plain import wrapped
from handlers.delivery import expecting_delivery, record_outcome
from handlers.lookup import LookUp
from handlers.outcomes import Answered, HowToAsk, HowToRecord, LookedUp, NotShown, Refused, Repeated, Reply
from handlers.replies import HOW_TO_RECORD, refusal_lines, unmarked
from handlers.requests import Asker, Question
from knowledge.spread import interval_sources

WIDEST = 120
# For terminals and files whose encoding lacks our signs; "grade ? 2" would be worse than none.
_PLAIN_SIGNS = {"≥": ">=", "×": "x", "µ": "u", "·": "|", "“": '"', "”": '"', "…": "...", "–": "-", "\u00a0": " "}
NARROWEST = 72


def ask_in_terminal(text: str, *, as_json: bool, settings: Settings, plot: Path | None = None) -> int:
    """Answer ``text`` on standard output, or say on standard error why not; returns the exit status.

    The picture comes last: only an answer that stands in the ledger and was taken is drawn, and whatever
    happens to the picture, the answer has been given.
    """
    reply, status = asyncio.run(_ask(text, as_json, settings))
    if plot is None:
        return status
    if isinstance(reply, Answered) and status == OK:
        return _draw(reply, plot)
    _complain("No picture was written.")
    return status


def _draw(answered: Answered, path: Path) -> int:
    try:
        check_target(path)
        from bot.pictures.page import picture_of  # loads matplotlib, which costs more than the whole answer

        today = SystemClock().now().strftime("%Y-%m-%d")
        write_whole(path, picture_of(answered, format_of(path), today), private=True)
    except PictureError as error:
        _complain(f"No picture was written: {error}")
        return NO_PICTURE
    return OK


def _complain(text: str) -> None:
    """On standard error, if there is one: the exit status says it as well."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(_writable(text, sys.stderr), file=sys.stderr, flush=True)


async def _ask(text: str, as_json: bool, settings: Settings) -> tuple[Reply, int]:
    clock = SystemClock()
    received = clock.monotonic()
    ledger = open_ledger_of(settings, clock)
    if (fault := cut_off(settings)) is not None:
        ledger.distrust(fault)
    try:
        conversation = make_conversation(settings, ledger, clock, model_of(settings))
        # Whoever copies a command from Slack copies its name too.
        words = text.strip().removeprefix("/tarla")
        question = Question(key=f"cli:{uuid.uuid4()}", text=words, asker=Asker(via="cli", user=_account()))
        with expecting_delivery() as delivery:
            reply = await conversation.reply_to(question)
            failure: str | None = None
            try:
                status = _print(reply, as_json)
            except OSError as error:  # nobody reads on, the disk behind a redirection is full, or it was closed
                failure = "connection_lost" if isinstance(error, BrokenPipeError) else "output_failed"
                status = FAILED
                _stop_writing()
            await record_outcome(ledger, clock, delivery, received, "terminal", failure, patience=None)
    finally:
        await ledger.aclose()
    return reply, status


def _stop_writing() -> None:
    """Point standard output nowhere, so that Python does not fail on it once more when it ends."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(reply: Reply, as_json: bool) -> int:
    if sys.stdout is None:
        raise OSError("standard output is closed")
    if isinstance(reply, Answered):
        if as_json:
            body = reply.assessment.model_dump(mode="json")
            body["assumptions"] = [*reply.notes, *body["assumptions"]]
            sources = interval_sources(reply.assessment.factors, reply.model)
            body["interval_sources"] = [split.model_dump(mode="json") for split in sources]
            print(_writable(json.dumps({**body, "receipt": reply.receipt}, ensure_ascii=False, indent=2)))
        else:
            print(_writable(answer_text(reply.view, _width())))
        sys.stdout.flush()
        return OK
    if isinstance(reply, LookedUp):
        print(_writable(_whole(reply.look_up)), flush=True)
        return OK
    lines: list[str]
    if isinstance(reply, Refused):
        lines, status = [*refusal_lines(reply), f"For example: {reply.example}"], REFUSED
    elif isinstance(reply, NotShown):
        lines = [reply.headline, reply.advice, f"reference: {reply.reason}"]
        status = FAILED if reply.reason in ("model", "site_model") else NOT_RECORDED
    elif isinstance(reply, HowToAsk):
        lines, status = [f"Say what is known, for example: {reply.example}"], REFUSED
    elif isinstance(reply, HowToRecord):
        # Its commands are Slack's, and stay as they are.
        _complain(f"Outcomes are not recorded at a terminal. {unmarked(HOW_TO_RECORD)}")
        return REFUSED
    else:
        lines, status = [_repeated(reply)], FAILED
    print(_writable("\n".join(_at_terminal(line) for line in lines), sys.stderr), file=sys.stderr, flush=True)
    return status


def _whole(look_up: LookUp) -> str:
    """A look-up in full: its long text wrapped, or its text as it was set."""
    if look_up.long_text is None:
        return look_up.text
    lines = look_up.long_text.split("\n")
    return "\n".join("\n".join(wrapped(line, _width(), "  " if line.startswith("•") else "")) for line in lines)


def _width() -> int:
    return min(WIDEST, max(NARROWEST, shutil.get_terminal_size().columns))


def _writable(text: str, stream: TextIO | None = None) -> str:
    """The text in signs that the stream's encoding has."""
    encoding = getattr(stream or sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for sign, plain in _PLAIN_SIGNS.items():
            text = text.replace(sign, plain)
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text


def _repeated(reply: Repeated) -> str:
    return f"This request has had its answer: receipt #{reply.receipt}"


def _at_terminal(line: str) -> str:
    """The line with commands as they are typed here: in backticks, or at the line's end."""
    line = re.sub(r"`/tarla ([^`]+)`", r'tarla ask "\1"', line)
    return re.sub(r"/tarla ([^`]+)$", r'tarla ask "\1"', line).replace("`", "")


def _account() -> str:
    """The operating system's name for who asks; an audit must know."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
