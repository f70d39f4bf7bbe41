"""A validation from a cohort file, streamed, with progress; and its two files."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from bot.audit.options import bar
from bot.cohort.files import rows_or_fail
from bot.cohort.validation.words import SIMULATED, of_site_model
from bot.cohort.writing import see_targets, write_files
from knowledge.cohort.validation import Validation
from knowledge.cohort.validation.collecting import Progress, collect
from knowledge.cohort.validation.run import validate_collected
from knowledge.model import Model

PAGE, DATA = "validation.html", "validation.json"


def validated(path: Path, model: Model, *, seed: int, workers: int | None) -> Validation:
    """Validate a cohort file, with a bar on a terminal.

    Raises:
        CannotError: the file cannot be read.
    """
    with rows_or_fail(path) as (rows, digest):
        collected = collect(rows)
    with _bars() as progress:
        return validate_collected(
            collected, model, seed=seed, workers=workers, cohort_sha256=digest.hex, progress=progress
        )


def targets_of(folder: Path, *, force: bool) -> None:
    """See, before long work begins, whether both files can be written.

    Raises:
        CannotError: they cannot.
    """
    see_targets(folder, (PAGE, DATA), what="validation", force=force)


def write(found: Validation, folder: Path, *, force: bool) -> None:
    """Both files.

    Raises:
        CannotError: they cannot be written.
    """
    from bot.cohort.validation.page import validation_page  # loads matplotlib

    write_files(folder, {PAGE: validation_page(found), DATA: as_json(found)}, what="validation", force=force)


def as_json(found: Validation) -> str:
    """The record as text, full digits; it begins with what must be known of simulated patients and of a site model."""
    notice = {"notice": SIMULATED} if found.simulated else {}
    if told := of_site_model(found):
        notice["site_notice"] = " ".join(told)
    return json.dumps({**notice, **found.model_dump(mode="json")}, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


@contextlib.contextmanager
def _bars() -> Iterator[Progress]:
    """A bar for each stage whose whole is known."""
    with contextlib.ExitStack() as stack:
        current: list[str] = []
        done = 0
        more = None

        def follow(what: str, now: int, whole: int | None) -> None:
            nonlocal done, more
            if whole is None:
                return
            if current != [what]:
                stack.close()
                current[:] = [what]
                done, more = 0, stack.enter_context(bar(what.capitalize(), "", whole))
            if more is not None:
                more(now - done)
            done = now

        yield follow
