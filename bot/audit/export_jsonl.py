"""JSON lines: one event a line, nothing lost, so that every hash can be computed again from the line alone.

A payload whose bytes are right is embedded as it stands: canonical JSON (RFC 8785) is itself JSON.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from bot.audit.export import hexed, readable
from bot.ledger.read import RawEvent


class JsonLinesWriter:
    """Keys in this order: seq, idem_key, kind, ref, time, payload_hash, leaf, salt, payload; ``problem`` if any.

    ``payload`` is null when pruned; where its bytes are not the recorded ones it is a text, as is what is no JSON.
    """

    def header(self) -> str:
        """Nothing."""
        return ""

    def line(self, row: RawEvent, problem: str | None) -> str:
        """One event."""
        columns: dict[str, Any] = {
            "seq": row.seq,
            "idem_key": readable(row.idem_key),
            "kind": readable(row.kind),
            "ref": row.ref if row.ref is None or isinstance(row.ref, int) else readable(row.ref),
            "time": readable(row.time),
            "payload_hash": hexed(row.payload_hash),
            "leaf": hexed(row.leaf),
            "salt": None if row.salt is None else hexed(row.salt),
        }
        head = json.dumps(columns, ensure_ascii=False, separators=(",", ":"))[:-1]
        tail = "" if problem is None else f',"problem":{json.dumps(problem)}'
        return f'{head},"payload":{_payload(row.body, problem)}{tail}}}\n'


def _payload(body: object, problem: str | None) -> str:
    if body is None:
        return "null"
    if problem is None and isinstance(body, bytes) and embeddable(body):
        return body.decode()
    return json.dumps(readable(body), ensure_ascii=False)


def embeddable(body: bytes) -> bool:
    """Whether a body is one JSON object on one line. Ours are; but who made its hash may have been anyone."""
    try:
        return b"\n" not in body and b"\r" not in body and isinstance(json.loads(body, parse_constant=_refuse), dict)
    except (ValueError, RecursionError):
        return False


def _refuse(_name: str) -> NoReturn:
    raise ValueError("not a JSON number")
