"""CSV: one event a line, the parts of its payload that a table can hold in columns of their own (RFC 4180, UTF-8).

A spreadsheet takes a cell that begins with ``= + - @`` for a formula. Such a cell, and one that begins with an
apostrophe, is given an apostrophe in front: whoever reads the file takes one leading apostrophe away.
"""

from __future__ import annotations

import csv
import io
import unicodedata

from bot.audit.export import hexed, readable
from bot.audit.payload import OUTCOMES, PRESENCES, RECORDED, figures, outcome_said, parsed, part, parts, text
from bot.ledger.read import RawEvent

FIGURES = ("risk", "low", "high")
COLUMNS = (
    *("seq", "receipt", "time", "kind", "ref", "idem_key"),
    *("via", "user", "channel", "team", "enterprise"),
    *("ldh_value", "ldh_unit", "ldh_uln", "ldh_uln_unit", "ldh_uln_from", "ldh_multiple", "ldh_category"),
    *PRESENCES,
    *(f"{outcome}_{figure}" for outcome in OUTCOMES for figure in FIGURES),
    *("compared", "reason", "word", "length", "look_up", "milliseconds"),
    *RECORDED,
    *("model_id", "model_sha256", "model_parent_sha256", "model_data_sha256", "model_simulated", "evidence", "code"),
    *("payload", "payload_hash", "leaf", "problem"),
)
_LDH = {"value": "ldh_value", "unit": "ldh_unit", "uln": "ldh_uln", "uln_unit": "ldh_uln_unit"}
_LDH |= {"uln_from": "ldh_uln_from", "multiple": "ldh_multiple", "category": "ldh_category"}
_PLAIN = ("reason", "word", "length", "look_up", "milliseconds", "evidence", "code")
_ASKER = ("via", "user", "channel", "team", "enterprise")
GUARD = "'"
_FORMULA = ("=", "+", "-", "@", GUARD)


class CsvWriter:
    """Columns as in ``COLUMNS``; ``payload`` says whether it is ``kept`` or ``pruned``."""

    def header(self) -> str:
        """The columns' names."""
        return ",".join(COLUMNS) + "\n"

    def line(self, row: RawEvent, problem: str | None) -> str:
        """One event."""
        payload = parsed(row.body)
        leaf = hexed(row.leaf)
        cells = {
            "seq": text(row.seq),
            "receipt": f"{row.seq}-{leaf[:4]}",
            "time": readable(row.time),
            "kind": readable(row.kind),
            "ref": "" if row.ref is None else readable(row.ref),
            "idem_key": readable(row.idem_key),
            "payload": "kept" if row.body is not None else "pruned" if problem is None else "missing",
            "payload_hash": hexed(row.payload_hash),
            "leaf": leaf,
            "problem": text(problem),
        }
        cells |= {name: text(part(payload, "asker").get(name)) for name in _ASKER}
        cells["via"] = cells["via"] or text(payload.get("via"))
        factors = part(payload, "factors")
        cells |= {column: text(part(factors, "ldh").get(name)) for name, column in _LDH.items()}
        cells |= {name: text(factors.get(name)) for name in PRESENCES}
        for outcome, *values in figures(payload):
            cells |= {f"{outcome}_{figure}": value for figure, value in zip(FIGURES, values, strict=True)}
        compared = parts(payload, "comparison")
        cells["compared"] = text(len(compared) or None)
        cells |= {name: text(payload.get(name)) for name in _PLAIN}
        cells |= dict(outcome_said(payload))
        model = part(payload, "model")
        cells |= {"model_id": text(model.get("id")), "model_sha256": text(model.get("sha256"))}
        cells |= {"model_parent_sha256": text(part(model, "parent").get("sha256"))}
        cells |= {"model_data_sha256": text(model.get("data_sha256"))}
        cells |= {"model_simulated": "yes" if model.get("simulated") is True else ""}
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([guarded(cells.get(name, "")) for name in COLUMNS])
        return line.getvalue()


def guarded(cell: str) -> str:
    """The cell, harmless in a spreadsheet; also behind blanks and in the wide forms of the signs."""
    start = unicodedata.normalize("NFKC", cell[:20]).lstrip(" \t\r\n\f\v")
    return GUARD + cell if start.startswith(_FORMULA) or cell[:1] in ("\t", "\r", "\n") else cell


def unguarded(cell: str) -> str:
    """What ``guarded`` was given."""
    return cell.removeprefix(GUARD)
