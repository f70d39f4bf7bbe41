"""The look-ups by their first word, which decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from handlers.lookup.reply import LookUp

# The words after the first in ASCII lower case, and today's date (ISO 8601), to what is shown.
LOOK_UPS: Mapping[str, Callable[[Sequence[str], str], LookUp]] = {}
