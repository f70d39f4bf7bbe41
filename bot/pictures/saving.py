"""Where ``--plot`` writes: checked before anything is drawn, and written whole or not at all. Loads no matplotlib."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bot.files import OWNER_ONLY, new_file

# As the account makes its other files.
PLAIN = 0o666
# How pictures are written, by the suffix of the file.
FORMATS = {".png": "png", ".svg": "svg", ".pdf": "pdf"}
EXAMPLE = "for example --plot risk.png"


class PictureError(Exception):
    """No picture, and what to type instead. Holds nothing that the user typed: a file's name may name a patient."""


def format_of(path: Path) -> str:
    """``png``, ``svg`` or ``pdf``, as matplotlib names them.

    Raises:
        PictureError: the suffix is none of them.
    """
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise PictureError(f"the name of the picture must end in .png, .svg or .pdf, {EXAMPLE}") from None


def check_target(path: Path) -> None:
    """Whether a picture can be expected to be written there.

    Raises:
        PictureError: wrong suffix, no such folder, a folder in its place, or no right to write.
    """
    format_of(path)
    try:
        if not path.parent.is_dir():
            raise PictureError(f"the folder of the picture does not exist: make it first, or name another, {EXAMPLE}")
        if path.exists() and not path.is_file():
            raise PictureError(f"what bears the name of the picture is no file: name another, {EXAMPLE}")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise PictureError(f"the picture may not be written there: name a folder of your own, {EXAMPLE}")
    except OSError as error:
        raise _cannot(error) from None


def write_whole(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write ``content``, in place of an existing file; on failure nothing is left and an existing file is as it was.

    An existing file's rights stay; a new one that is ``private`` may be read by its owner alone, like the ledger.

    Raises:
        PictureError: it could not be written.
    """
    try:
        target = path.resolve()  # through a link, not in place of it
        with new_file(target, mode=OWNER_ONLY if private else PLAIN, replace=True) as part:
            if target.exists():
                part.chmod(stat.S_IMODE(target.stat().st_mode))
            part.write_bytes(content)
    except OSError as error:
        raise _cannot(error) from None


def _cannot(error: OSError) -> PictureError:
    reason = os.strerror(error.errno) if error.errno else "unknown reason"
    return PictureError(f"the picture cannot be written there ({reason}): name another file, {EXAMPLE}")
