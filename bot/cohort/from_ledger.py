"""Outcomes and findings out of the ledger, as rows of a cohort: every row checked, in bounded memory.

What is gathered on the way lies in a temporary database on disk. Nothing of who, when or under which receipt goes on.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from bot.audit.walk import walk
from bot.ledger.check import Retention, problem_of
from bot.ledger.connection import AUDIT_WAIT_MS, open_for_reading
from bot.ledger.errors import fault_of_sqlite
from bot.ledger.read import RawEvent, prunings, raw_events
from handlers.outcome.record import PatientOutcome, outcome_from_payload
from handlers.outcome.view import second_dose_day
from handlers.ports import Json, Kind
from handlers.records import factors_from_record
from knowledge.cohort.record import CohortRow
from knowledge.factors import PatientFactors, Presence

# Rows that are named; all are counted.
NAMED_MOST = 1_000
# An altered row is held against the answer that it is, and against the one that it says it is about.
_SPOOL = """
CREATE TABLE outcome (answer INTEGER PRIMARY KEY, kept INTEGER, crs INTEGER, icans INTEGER, given TEXT, day INTEGER);
CREATE TABLE edited (seq INTEGER PRIMARY KEY, root INTEGER NOT NULL);
CREATE TABLE altered (seq INTEGER PRIMARY KEY);
CREATE TABLE findings (digest BLOB PRIMARY KEY, patients INTEGER NOT NULL);"""

_USABLE = """
FROM outcome LEFT JOIN edited ON edited.seq = outcome.answer
WHERE kept AND (crs IS NOT NULL OR icans IS NOT NULL) AND answer NOT IN (SELECT seq FROM altered)"""
# Of the answers that were edited one into the other, the last that has an outcome.
_CHOSEN = f"""
SELECT max(answer), coalesce(root, answer), crs, icans, given, day {_USABLE}
GROUP BY coalesce(root, answer) ORDER BY 1"""
_EDITED_LATER = "SELECT EXISTS (SELECT 1 FROM edited WHERE root = ? AND seq > ?)"


@dataclass
class Summary:
    """What was found, and what became of it; ``rows`` is how many patients there are.

    ``answers`` are those for one patient whose payload is kept, edited ones and questions asked twice among them.
    """

    events: int = 0
    answers: int = 0
    outcomes: int = 0
    rows: int = 0
    replaced: int = 0
    taken_back: int = 0
    pruned: int = 0
    edited: int = 0
    edited_later: int = 0
    early: int = 0
    alike: int = 0
    crs_known: int = 0
    icans_known: int = 0
    prophylaxis: int = 0
    altered: int = 0
    altered_out: int = 0
    tried_out: int = 0
    unreadable: int = 0
    named: list[tuple[int, str]] = field(default_factory=list)

    def name(self, seq: int, problem: str) -> None:
        """Keep a row that could not be used, to be told."""
        if len(self.named) < NAMED_MOST:
            self.named.append((seq, problem))


class FromLedger:
    """One reading of the ledger at ``path``: ``gather`` first, then ``rows``. Close it."""

    def __init__(self, path: Path) -> None:
        self._path, self.summary = path, Summary()
        self._spool = sqlite3.connect("")
        self._spool.executescript(_SPOOL)
        self._spool.execute("BEGIN")

    def close(self) -> None:
        """Drop what was gathered."""
        self._spool.close()

    def gather(self, follow: Callable[[int], None] = lambda _seq: None) -> None:
        """Go through all events once; ``follow`` is given each one's number.

        Raises:
            LedgerUnavailableError: the ledger cannot be read.
        """
        for seen in walk(self._path):
            row = seen.row
            self.summary.events += 1
            if seen.problem is not None:
                self._altered(row, seen.problem)
            elif row.kind == Kind.OUTCOME.value.encode():
                self._outcome(row)
            elif row.kind == Kind.COMPUTED.value.encode() and not _is_comparison(row):
                self.summary.answers += row.body is not None
                if row.ref is not None:
                    self._edited(row, row.ref)
            follow(row.seq)
        count = self._spool.execute
        (self.summary.pruned,) = count("SELECT count(*) FROM outcome WHERE NOT kept").fetchone()
        (self.summary.taken_back,) = count(
            "SELECT count(*) FROM outcome WHERE kept AND crs IS NULL AND icans IS NULL"
        ).fetchone()
        (self.summary.altered_out,) = count(
            "SELECT count(*) FROM outcome WHERE answer IN (SELECT seq FROM altered)"
        ).fetchone()
        (answers,) = count("SELECT count(*) FROM outcome").fetchone()
        self.summary.replaced = self.summary.outcomes - answers

    @property
    def patients(self) -> int:
        """How many rows there will be at most."""
        (found,) = self._spool.execute(f"SELECT count(DISTINCT coalesce(root, answer)) {_USABLE}").fetchone()
        return int(found)

    def rows(self, follow: Callable[[int], None] = lambda _more: None) -> Iterator[CohortRow]:
        """The patients in the order of their answers; ``follow`` is told how many more are done.

        Raises:
            LedgerUnavailableError: the ledger cannot be read.
        """
        summary, due = self.summary, second_dose_day()
        (usable,) = self._spool.execute(f"SELECT count(*) {_USABLE}").fetchone()
        summary.edited = int(usable) - self.patients
        try:
            with contextlib.closing(open_for_reading(self._path, AUDIT_WAIT_MS)) as connection:
                for answer, root, crs, icans, given, day in self._spool.execute(_CHOSEN):
                    factors = self._findings(connection, answer)
                    follow(1)
                    if factors is None:
                        continue
                    outcome = PatientOutcome(crs, icans, Presence(given), day)
                    (later,) = self._spool.execute(_EDITED_LATER, (root, answer)).fetchone()
                    summary.rows += 1
                    summary.edited_later += later
                    summary.early += outcome.day < due
                    summary.crs_known += crs is not None
                    summary.icans_known += icans is not None
                    summary.prophylaxis += outcome.prophylaxis is Presence.YES
                    self._count_alike(factors)
                    yield cohort_row(factors, outcome)
        except sqlite3.Error as error:
            raise fault_of_sqlite(error) from None
        (alike,) = self._spool.execute("SELECT coalesce(sum(patients), 0) FROM findings WHERE patients > 1").fetchone()
        summary.alike = int(alike)

    def _altered(self, row: RawEvent, problem: str) -> None:
        self.summary.altered += 1
        self.summary.name(row.seq, problem)
        for seq in (row.seq, row.ref):
            if isinstance(seq, int):
                self._spool.execute("INSERT OR IGNORE INTO altered VALUES (?)", (seq,))

    def _outcome(self, row: RawEvent) -> None:
        self.summary.outcomes += 1
        if row.ref is None:
            self._unreadable(row.seq)
            return
        if row.body is None:
            said: tuple[object, ...] = (row.ref, False, None, None, None, None)
        else:
            try:
                outcome = outcome_from_payload(json.loads(row.body))
            except (KeyError, TypeError, ValueError):
                self._unreadable(row.seq)
                # The last outcome of this answer is not known, so none is.
                said = (row.ref, False, None, None, None, None)
            else:
                said = (row.ref, True, outcome.crs_grade, outcome.icans_grade, outcome.prophylaxis.value, outcome.day)
        self._spool.execute("INSERT OR REPLACE INTO outcome VALUES (?, ?, ?, ?, ?, ?)", said)

    def _edited(self, row: RawEvent, ref: int) -> None:
        """An answer that came of another by *Edit*."""
        found = self._spool.execute("SELECT root FROM edited WHERE seq = ?", (ref,)).fetchone()
        self._spool.execute("INSERT INTO edited VALUES (?, ?)", (row.seq, ref if found is None else found[0]))

    def _findings(self, connection: sqlite3.Connection, answer: int) -> PatientFactors | None:
        """The findings of an answer, read and checked once more; None where they are not there or not readable."""
        row = next(raw_events(connection, after=answer - 1, page=1), None)
        if row is None or row.seq != answer:
            self._unreadable(answer)
            return None
        pruned = row.body is None and Retention(prunings(connection)).covers(row)
        if (problem := problem_of(row, answer, pruned=pruned)) is not None:
            self.summary.altered += 1
            self.summary.altered_out += 1
            self.summary.name(answer, problem)
            return None
        if row.body is None:
            self.summary.pruned += 1
            return None
        try:
            payload = _answer(row, row.body)
            factors = factors_from_record(_object(payload, "factors"))
            tried_out = _object(payload, "model").get("simulated") is True
        except (KeyError, TypeError, ValueError):
            self._unreadable(answer)
            return None
        if tried_out:
            # By a model of simulated patients nobody is treated: whoever recorded an outcome was trying it out.
            self.summary.tried_out += 1
            return None
        return factors

    def _count_alike(self, factors: PatientFactors) -> None:
        said = factors.model_dump(mode="json")
        if isinstance(said["ldh"], dict):
            said["ldh"].pop("uln_from", None)  # whose limit it was makes no other patient
        digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()
        self._spool.execute(
            "INSERT INTO findings VALUES (?, 1) ON CONFLICT (digest) DO UPDATE SET patients = patients + 1", (digest,)
        )

    def _unreadable(self, seq: int) -> None:
        self.summary.unreadable += 1
        self.summary.name(seq, "unreadable")


def cohort_row(factors: PatientFactors, outcome: PatientOutcome) -> CohortRow:
    """One patient. When the answer was given is not when the dose was, so ``dose_day`` stays blank."""
    return CohortRow(
        ldh=factors.ldh,
        liver_metastases=factors.liver_metastases,
        diabetes=factors.diabetes,
        cardiovascular_disease=factors.cardiovascular_disease,
        tocilizumab_prophylaxis=outcome.prophylaxis,
        crs_grade_dose1=outcome.crs_grade,
        icans_grade=outcome.icans_grade,
        follow_up_days=outcome.day - 1,
    )


def _is_comparison(row: RawEvent) -> bool:
    """Whether patients were set side by side; the body is canonical JSON, so the name stands in it as written here."""
    return row.body is not None and b'"comparison":' in row.body


def _answer(row: RawEvent, body: bytes) -> Mapping[str, Json]:
    payload = json.loads(body)
    if row.kind != Kind.COMPUTED.value.encode() or not isinstance(payload, dict):
        raise TypeError("an outcome belongs to an answer")
    return payload


def _object(payload: Mapping[str, Json], name: str) -> dict[str, Json]:
    found = payload[name]
    if not isinstance(found, dict):
        raise TypeError("an answer has findings and a model")
    return cast("dict[str, Json]", found)
