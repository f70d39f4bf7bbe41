"""What a person is told when answers of theirs read otherwise today: plain text from the record and the model."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from bot.audit.recalling import ChangedAnswer
from bot.audit.recomputing import Figure
from bot.files import new_file
from handlers.answer.view import TITLE
from knowledge.assessment import ModelVersion

HEADLINE = "Tarla: answers that you were given read otherwise today"
WHAT_TO_DO = (
    "If one of these answers bears on a decision that is still open, ask Tarla once more for that patient, and judge "
    "by your local protocol and the label. Each answer stands in the audit ledger under its receipt as it was given; "
    "questions go to whoever runs Tarla here."
)
_PLAIN = re.compile(r"[^A-Za-z0-9_.-]")


class NoticeError(Exception):
    """The notices cannot be written; the message says why and what to do."""


def notice(answers: Iterable[ChangedAnswer], model: ModelVersion, day: str) -> Iterator[str]:
    """The lines of one person's notice. ``day`` is that of the recall (ISO 8601, UTC)."""
    yield HEADLINE
    yield ""
    yield (
        f"On {day} the answers in the audit ledger were worked out again with the present model, {model.id}. Those "
        f"below were given to you and differ from today's in a figure that was shown. All are for: {TITLE}. "
        "Estimates with 95 % intervals."
    )
    for answer in answers:
        yield ""
        yield from told(answer)
    yield ""
    yield WHAT_TO_DO


def told(answer: ChangedAnswer) -> Iterator[str]:
    """One answer: which, for what findings, what it said and what it says now."""
    place = f", in {answer.asker['channel']}" if "channel" in answer.asker else ""
    what = "comparison, first row" if answer.comparison else "findings as understood"
    yield f"Receipt #{answer.receipt}, {answer.time[:10]} {answer.time[11:16]} UTC{place}, model {answer.model}"
    yield f"  {what}: {answer.difference.findings}"
    for figure in answer.difference.figures:
        if figure.changes or not answer.comparison:
            yield f"  {_figure(figure)}"
    for was, now in answer.difference.reasons:
        yield f"  {was}; now {now.partition(': ')[2]}"
    if answer.delivered is False:
        yield "  By the record it did not reach you."
    if answer.shared:
        yield f"  It was shared in {', '.join(answer.shared)}: please tell those who read it there."


def _figure(figure: Figure) -> str:
    name = figure.outcome if figure.row is None else f"{figure.row}: {figure.outcome}"
    if not figure.changes:
        return f"{name}: {figure.old_printed}, the same today"
    doubt = " (to the rounding)" if figure.in_doubt else ""
    return f"{name}: was {figure.old_printed}, is {figure.new_printed} today{doubt}"


def file_name(who: str) -> str:
    """A plain name for a person's notice; what is not plain in theirs is told apart by a hash."""
    plain = _PLAIN.sub("_", who.replace("/", "-"))[:80]
    exact = who.count("/") == 1 and plain == who.replace("/", "-") and "-" not in who
    return f"{plain}.txt" if exact else f"{plain}.{hashlib.sha256(who.encode()).hexdigest()[:8]}.txt"


def new_folder(folder: Path) -> None:
    """An empty folder for notices, readable by its owner alone.

    Raises:
        NoticeError: it holds something already, or cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=False, exist_ok=True)
        if any(folder.iterdir()):
            raise NoticeError("the folder of the notices is not empty: name a new one, so that no old notice is sent")
        folder.chmod(0o700)
    except OSError as error:
        raise NoticeError(f"the notices cannot be written there ({os.strerror(error.errno or 0)})") from None


def write_notice(folder: Path, who: str, lines: Iterable[str]) -> None:
    """One notice as a file that its owner alone may read.

    Raises:
        NoticeError: it cannot be written.
    """
    try:
        with new_file(folder / file_name(who)) as part, part.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise NoticeError(f"a notice cannot be written ({os.strerror(error.errno or 0)})") from None
