"""The model that the ledger last named as the one in use, beside the one that the folder of models names."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from bot.ledger.connection import open_for_reading
from bot.ledger.errors import LedgerFault
from bot.ledger.schema import IS_KEPT
from handlers.ports import Json

_LAST_ACTIVATED = f"""
SELECT seq, (SELECT body FROM payload WHERE payload.seq = event.seq) FROM event
WHERE {IS_KEPT} AND kind = 'model_activated' ORDER BY seq DESC LIMIT 1"""  # noqa: S608 - put together of constants


def last_activated(ledger: Path) -> tuple[int, dict[str, Json] | None]:
    """The last ``model_activated``: its number (0 without one) and the program, model and evidence that it names.

    Raises:
        LedgerUnavailableError: the ledger cannot be read.
    """
    try:
        with contextlib.closing(open_for_reading(ledger)) as connection:
            row = connection.execute(_LAST_ACTIVATED).fetchone()
        if row is None:
            return 0, None
        body = json.loads(row[1])
        return row[0], {name: body.get(name) for name in ("program", "model", "evidence")}
    except (sqlite3.Error, ValueError):
        raise LedgerFault("damaged", "the last change of model cannot be read") from None


def unasked(last: Mapping[str, Json] | None, now: Json) -> str | None:
    """What to say where a site model came or went and the ledger holds no word of it; None where all is in order.

    ``last`` is what ``last_activated`` gave, ``now`` the record of the model in use. A folder of models that is lost or
    another than before leaves no other trace. A new release of the shipped model is nothing of the kind.
    """
    before = None if last is None else last["model"]
    if not isinstance(now, Mapping) or not isinstance(before, Mapping) or before.get("sha256") == now["sha256"]:
        return None
    if "parent" not in before and "parent" not in now:
        return None
    return f"the model in use is {_named(now)}, and the last one that the ledger names is {_named(before)}"


def _named(model: Mapping[str, Json]) -> str:
    return f"{model['id']} (SHA-256 {str(model['sha256'])[:12]}\N{HORIZONTAL ELLIPSIS})"
