"""Nothing of the tester's is seen or touched: unless a test says otherwise, files lie in a home of the run's own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bot.settings import Settings

# Pictures would have to look through all fonts anew: what is only cached stays where it is.
os.environ.setdefault("XDG_CACHE_HOME", str(Path("~/.cache").expanduser()))
# What pip needs to install the wheel is the tester's too.
_PIP = Path("~/.config/pip/pip.conf").expanduser()
if _PIP.is_file():
    os.environ.setdefault("PIP_CONFIG_FILE", str(_PIP))
# Before any test is imported, for a module may ask for a default place then. It goes when the run ends.
_OWN = tempfile.TemporaryDirectory(prefix="tarla-home-", ignore_cleanup_errors=True)
os.environ["HOME"] = _OWN.name
for _name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", *map(str.upper, Settings.model_fields)):
    os.environ.pop(_name, None)
