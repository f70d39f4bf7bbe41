"""One recorded answer worked out again with the present model: what a reader would see change, and by how much."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from handlers.answer.figures import risk_estimate, risk_ranges
from handlers.answer.findings import describe
from handlers.answer.view import EXPLAINED, LABELS
from handlers.ports import Json
from handlers.records import (
    DECIMALS,
    PAYLOAD_VERSION,
    ROUNDED_APART,
    factors_from_record,
    outcome_from_record,
    outcome_record,
)
from knowledge import PatientFactors, assess
from knowledge.assessment import OutcomeRisk
from knowledge.model import Model

# Patients remembered with their answers: about 4 KB each.
REMEMBERED = 8_192
# The ledger keeps six decimals; what was printed came from more. A figure this near to where rounding changes may
# have been printed either way.
KEPT_TO = 0.5 * 10.0**-DECIMALS
# No estimate is exactly 0 or 1, however it was rounded for the ledger.
LEAST = 1e-9
# Figures in a sentence, and the words that stand for one.
_FIGURES = re.compile(r"\d+|less than|below|above|nearly all")


class Level(StrEnum):
    """How much of a changed answer a reader would see."""

    ESTIMATE = "estimate"
    REASON = "reason"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Figure:
    """One outcome then and now. ``row`` names the patient of a comparison.

    ``difference`` is now less then. ``in_doubt`` says that the old figure may have been printed either way.
    """

    row: str | None
    outcome: str
    old: str
    new: str
    difference: str
    old_printed: str
    new_printed: str
    in_doubt: bool

    @property
    def changes(self) -> bool:
        """Whether a reader sees it, or may."""
        return self.in_doubt or self.old_printed != self.new_printed


@dataclass(frozen=True, slots=True)
class Difference:
    """How an answer differs from today's.

    ``level`` is what a reader would see of it, ``figures`` those of every outcome, ``reasons`` what the reasons
    printed then and now, and ``apart`` the largest difference of any figure kept.
    """

    level: Level
    findings: str
    figures: tuple[Figure, ...]
    reasons: tuple[tuple[str, str], ...]
    apart: float

    @property
    def beyond_rounding(self) -> bool:
        """Whether it is more than two machines may round apart."""
        return self.apart >= ROUNDED_APART


@dataclass(frozen=True)
class _Present:
    """Today's answer for one patient."""

    findings: str
    outcomes: tuple[OutcomeRisk, ...]
    records: list[dict[str, Json]]
    estimates: tuple[str, ...]
    reasons: tuple[str, ...]
    assumed: tuple[str, ...]


class Recomputing:
    """Works answers out again with one model, as a rule that in use; remembers patients, not answers."""

    def __init__(self, model: Model) -> None:
        self.model = model.version
        self._present: Callable[[str], _Present] = lru_cache(maxsize=REMEMBERED)(lambda key: _present(key, model))

    def compare(self, payload: Mapping[str, Json]) -> Difference | None:
        """What differs in the answer or comparison of a ``computed`` event; None where not a decimal does.

        Raises:
            TypeError, KeyError, ValueError: the payload is in no known form.
        """
        if payload["version"] != PAYLOAD_VERSION:
            raise ValueError("a payload of another version")
        compared = payload.get("comparison")
        if compared is None:
            found = self._one(payload, None, reasons=True)
            return None if found is None else _joined([found])
        if not isinstance(compared, list) or not compared:
            raise TypeError("a comparison has rows")
        rows = [self._one(row, str(row["change"]), reasons=False) for row in compared]
        changed = [row for row in rows if row is not None]
        if not changed:
            return None
        return _joined(changed, findings=self._present(_key(compared[0])).findings)

    def _one(self, record: Mapping[str, Json], row: str | None, *, reasons: bool) -> Difference | None:
        present = self._present(_key(record))
        outcomes = record["outcomes"]
        assumed = _assumed(record["assumptions"]) if reasons else present.assumed
        if outcomes == present.records and assumed == present.assumed:
            return None
        if not isinstance(outcomes, list):
            raise TypeError("an answer has outcomes")
        old = [outcome_from_record(outcome) for outcome in outcomes]
        if [outcome.outcome for outcome in old] != [outcome.outcome for outcome in present.outcomes]:
            raise ValueError("an answer of other outcomes")
        figures = tuple(
            _figure(row, *each) for each in zip(old, present.outcomes, outcomes, present.records, strict=True)
        )
        told = tuple(_reasons(old, assumed, present)) if reasons else ()
        level = Level.ESTIMATE if any(f.changes for f in figures) else Level.REASON if told else Level.HIDDEN
        apart = max(map(_apart, old, present.outcomes))
        return Difference(level, present.findings, figures, told, apart)


def _present(key: str, model: Model) -> _Present:
    factors: PatientFactors = factors_from_record(json.loads(key))
    assessment = assess(factors, model)
    return _Present(
        describe(factors),
        assessment.outcomes,
        [outcome_record(outcome) for outcome in assessment.outcomes],
        tuple(risk_estimate(outcome) for outcome in assessment.outcomes),
        tuple(_ranges(assessment.outcomes)),
        _assumed(list(assessment.assumptions)),
    )


def _key(record: Json) -> str:
    if not isinstance(record, Mapping):
        raise TypeError("a row is an object")
    return json.dumps(record["factors"], sort_keys=True)


def _joined(parts: Sequence[Difference], findings: str | None = None) -> Difference:
    level = min((part.level for part in parts), key=list(Level).index)
    figures = tuple(figure for part in parts for figure in part.figures)
    reasons = tuple(reason for part in parts for reason in part.reasons)
    return Difference(level, findings or parts[0].findings, figures, reasons, max(part.apart for part in parts))


def _figure(row: str | None, old: OutcomeRisk, new: OutcomeRisk, was: Json, now: Mapping[str, Json]) -> Figure:
    possible = {risk_estimate(_moved(old, by)) for by in (-KEPT_TO, KEPT_TO)}
    printed, today = risk_estimate(_moved(old, 0.0)), risk_estimate(new)
    before = str(was["risk"]) if isinstance(was, Mapping) else ""
    return Figure(
        row,
        LABELS[new.outcome],
        before,
        str(now["risk"]),
        f"{float(str(now['risk'])) - float(before):+.{DECIMALS}f}",
        printed,
        today,
        # Where nothing of it changed in the record, nothing did in print.
        in_doubt=was != now and len(possible | {printed}) > 1 and today in possible | {printed},
    )


def _moved(outcome: OutcomeRisk, by: float) -> OutcomeRisk:
    def moved(value: float) -> float:
        return min(1.0 - LEAST, max(LEAST, value + by))

    def both(values: tuple[float, float]) -> tuple[float, float]:
        return moved(values[0]), moved(values[1])

    return OutcomeRisk(
        outcome=outcome.outcome,
        risk=moved(outcome.risk),
        interval=both(outcome.interval),
        risk_study_centre=moved(outcome.risk_study_centre),
        interval_study_centre=both(outcome.interval_study_centre),
        risk_by_prior=both(outcome.risk_by_prior),
    )


def _reasons(old: Sequence[OutcomeRisk], assumed: tuple[str, ...], present: _Present) -> Iterator[tuple[str, str]]:
    """Figures of the reasons that print otherwise. What was assumed is kept word for word."""
    ranges = list(_ranges([_moved(outcome, 0.0) for outcome in old]))
    yield from ((was, now) for was, now in zip(ranges, present.reasons, strict=True) if was != now)
    if assumed != present.assumed:
        yield f"assumed: {' '.join(assumed) or 'no figure'}", f"assumed: {' '.join(present.assumed) or 'no figure'}"


def _ranges(outcomes: Sequence[OutcomeRisk]) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.outcome in EXPLAINED:
            by_prior, own_centre = risk_ranges(outcome)
            yield f"{LABELS[outcome.outcome]}, with other effects: {by_prior}"
            yield f"{LABELS[outcome.outcome]}, at the study's own centre: {own_centre}"


def _assumed(sentences: Json) -> tuple[str, ...]:
    """The figures in what was assumed; its wording may change with the program and means no other answer."""
    if not isinstance(sentences, list):
        raise TypeError("what was assumed is a list")
    return tuple(figure for sentence in sentences for figure in _FIGURES.findall(str(sentence)))


def _apart(old: OutcomeRisk, new: OutcomeRisk) -> float:
    pairs = zip(_values(old), _values(new), strict=True)
    return max(abs(float(f"{now:.{DECIMALS}f}") - was) for was, now in pairs)


def _values(outcome: OutcomeRisk) -> tuple[float, ...]:
    own, prior = outcome.interval_study_centre, outcome.risk_by_prior
    return (outcome.risk, *outcome.interval, outcome.risk_study_centre, *own, *prior)
