"""The files of a report, a validation or an update: seen to be writable before long work begins, written whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel

from bot.audit.files import OutputError, check_target, output_file, reason
from bot.audit.options import CannotError


def see_targets(folder: Path, names: Iterable[str], *, what: str, force: bool) -> None:
    """Make the folder if need be; whether every file can be expected to be written there.

    Raises:
        CannotError: one cannot; ``what`` names what all of them are.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            check_target(folder / name, force=force)
    except (OutputError, OSError) as error:
        raise _cannot(what, error) from None


def write_files(folder: Path, contents: Mapping[str, str | bytes], *, what: str, force: bool) -> None:
    """Each file whole or not at all, text as UTF-8.

    Raises:
        CannotError: one cannot be written; those before it stand.
    """
    try:
        for name, content in contents.items():
            with output_file(folder / name, force=force) as part:
                part.write_bytes(content.encode() if isinstance(content, str) else content)
    except (OutputError, OSError) as error:
        raise _cannot(what, error) from None


def record_text(record: BaseModel) -> str:
    """The record as JSON: full digits, keys in the order of the schema, never a NaN."""
    return json.dumps(record.model_dump(mode="json"), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _cannot(what: str, error: OutputError | OSError) -> CannotError:
    told = reason(error) if isinstance(error, OSError) else str(error)
    hint = " (--force writes over it)" if "exists already" in told else ""
    return CannotError(f"the {what} cannot be written: {told}{hint}")
