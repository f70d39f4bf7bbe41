"""Random patients: the engine against a second computation written from the description, and laws of its answer."""

from __future__ import annotations

import math
import random

import pytest

from handlers.answer import build_view
from handlers.answer.figures import estimate
from handlers.parsing import parse
from handlers.ports import Kind, PastEvent
from handlers.records import PastAnswer, computed_payload, past_answer
from handlers.requests import Asker
from knowledge import Assessment, LdhMultiple, Outcome, PatientFactors, Presence, assess
from knowledge.assessment import OutcomeRisk
from knowledge.evidence import load as load_evidence
from knowledge.factors import RATIO_MAX, RATIO_MIN, Ldh, LdhCategory, LdhMeasured, UpperLimit
from knowledge.model import Model, load
from knowledge.predict import crs_risks, icans_risk
from tests.support import engine_plain as plain
from tests.support.chaos import rng, scale, tally
from tests.support.engine_factors import figures
from tests.support.fakes import recorded

TOLERANCE = 1e-9
EVERY = 25  # the plain way walks through draws one by one, so it is given every 25th
PRESENCES = tuple(Presence)
PLAIN_WORD = {Presence.YES: True, Presence.NO: False, Presence.UNKNOWN: None}
FIELDS = ("liver_metastases", "diabetes", "cardiovascular_disease")
ASKER = Asker("slash_command", "U1")


@pytest.fixture(scope="module")
def thinned() -> Model:
    return plain.thinned(load(), EVERY)


def random_ldh(random_: random.Random) -> Ldh | None:
    """Unknown, a category, a multiple anywhere or about its limit, or a measured value."""
    way = random_.randrange(8)
    if way == 0:
        return None
    if way == 1:
        return LdhCategory(category=random_.choice(("high", "normal")))
    if way in (2, 3):
        return LdhMultiple(multiple=math.exp(random_.uniform(math.log(RATIO_MIN), math.log(RATIO_MAX))))
    if way == 4:
        return LdhMultiple(multiple=random_.choice((RATIO_MIN, RATIO_MAX, 1.0, random_.uniform(0.8, 1.25))))
    while True:
        value, limit = random_.randrange(500, 99_990) / 10, random_.randrange(1_000, 6_001) / 10
        if RATIO_MIN <= value / limit <= RATIO_MAX:
            return LdhMeasured(value=value, uln=UpperLimit(value=limit))


def random_patient(random_: random.Random) -> PatientFactors:
    """Any patient; each finding present, absent or unknown alike often."""
    found = {name: random_.choice(PRESENCES) for name in FIELDS}
    return PatientFactors(ldh=random_ldh(random_), **found)


def in_plain_words(ldh: Ldh | None) -> float | str | None:
    """An LDH as the second computation takes it."""
    return ldh.category if isinstance(ldh, LdhCategory) else None if ldh is None else ldh.ratio


def apart(ours: OutcomeRisk, theirs: plain.PlainRisk, study: plain.PlainRisk | None = None) -> float:
    """The largest difference between estimates and limits."""
    pairs = list(zip((ours.risk, *ours.interval), (theirs.risk, theirs.low, theirs.high), strict=True))
    if study is not None:
        own = (ours.risk_study_centre, *ours.interval_study_centre)
        pairs += zip(own, (study.risk, study.low, study.high), strict=True)
    return max(abs(one - other) for one, other in pairs)


def test_random_patients_against_a_second_computation(thinned: Model) -> None:
    random_, count, worst = rng("differential"), scale(12, 6_000), 0.0
    # ICANS has nine patients in all.
    icans = {(a, b): plain.icans_risk(thinned, PLAIN_WORD[a], PLAIN_WORD[b]) for a in PRESENCES for b in PRESENCES}
    for _ in range(count):
        patient = random_patient(random_)
        ours = crs_risks(thinned, patient.ldh, patient.liver_metastases)
        theirs = plain.crs_risks(thinned, in_plain_words(patient.ldh), PLAIN_WORD[patient.liver_metastases])
        worst = max(worst, apart(ours.any_grade, theirs["any"], theirs["study_any"]))
        worst = max(worst, apart(ours.grade2plus, theirs["grade2"], theirs["study_grade2"]))
        own = icans_risk(thinned, patient.diabetes, patient.cardiovascular_disease)
        worst = max(worst, apart(own, icans[patient.diabetes, patient.cardiovascular_disease]))
    tally(
        "patients against a second computation",
        patients=count,
        draws=f"1 in {EVERY}",
        largest_difference=f"{worst:.1e}",
    )
    assert worst <= TOLERANCE


def test_random_patients_on_every_draw() -> None:
    random_, count, worst = rng("every draw"), scale(1, 100), 0.0
    for _ in range(count):
        patient = random_patient(random_)
        ours = assess(patient)
        theirs = plain.crs_risks(load(), in_plain_words(patient.ldh), PLAIN_WORD[patient.liver_metastases])
        worst = max(worst, apart(ours.risk_of(Outcome.CRS_ANY), theirs["any"], theirs["study_any"]))
        worst = max(worst, apart(ours.risk_of(Outcome.CRS_GRADE2PLUS), theirs["grade2"], theirs["study_grade2"]))
    tally("patients on every draw", patients=count, largest_apart=f"{worst:.1e}")
    assert worst <= TOLERANCE


def test_laws_of_every_answer() -> None:
    """Interval and estimate, grades, unknown between its branches, stored as computed, printed as stored."""
    random_, count = rng("laws"), scale(120, 30_000)
    evidence = load_evidence()
    for number in range(count):
        patient = random_patient(random_)
        answer = assess(patient)
        for outcome in answer.outcomes:
            assert 0 < outcome.interval[0] <= outcome.risk <= outcome.interval[1] < 1
        assert answer.risk_of(Outcome.CRS_GRADE2PLUS).risk <= answer.risk_of(Outcome.CRS_ANY).risk
        for name in FIELDS:
            if getattr(patient, name) is Presence.UNKNOWN:
                assert_between(answer, patient, name)
        past = stored(answer)
        assert past.factors == patient
        assert past.agrees(answer)
        if number % 20 == 0:
            table = repr(build_view(answer, evidence, "1-0000", model=load()))
            for outcome in answer.outcomes:
                assert estimate(outcome.risk, outcome.interval) in table.replace("\\xa0", " ")
    tally("laws of an answer", patients=count)


def assert_between(answer: Assessment, patient: PatientFactors, name: str) -> None:
    """Each figure of an answer with an unknown finding lies between those with it present and absent."""
    branches = [assess(patient.model_copy(update={name: each})) for each in (Presence.YES, Presence.NO)]
    for mixed, one, other in zip(answer.outcomes, branches[0].outcomes, branches[1].outcomes, strict=True):
        for between, a, b in zip(*(figures(each).values() for each in (mixed, one, other)), strict=True):
            assert min(a, b) - 1e-12 <= between <= max(a, b) + 1e-12


def stored(answer: Assessment) -> PastAnswer:
    """The answer as it is read back from its row."""
    payload = computed_payload(answer, (), ASKER, load_evidence().version, "0.0-test")
    past = past_answer(PastEvent(recorded(1), Kind.COMPUTED, payload))
    assert past is not None
    return past


def test_units_and_multiples_are_one_patient() -> None:
    """The same LDH in U/L, in µkat/L to the digits a laboratory prints, and as a multiple of its limit."""
    random_, count = rng("units"), scale(40, 5_000)
    shown = 0
    for _ in range(count):
        value, limit = random_.randrange(60, 4_000), random_.randrange(110, 590)
        if not 0.11 < value / limit < 39 or 0.995 < value / limit < 1.005:
            continue
        units = assess(parse(f"ldh {value} U/L uln {limit} U/L").factors)
        exact = LdhMeasured(value=value / 60, unit="µkat/L", uln=UpperLimit(value=limit / 60, unit="µkat/L"))
        multiple = LdhMultiple(multiple=value / limit)
        for same in (exact, multiple):
            other = assess(PatientFactors(ldh=same))
            for one, two in zip(units.outcomes, other.outcomes, strict=True):
                assert abs(one.risk - two.risk) < 1e-9
        printed = assess(parse(f"ldh {value / 60:.3f} µkat/L uln {limit / 60:.3f}").factors)
        for one, two in zip(units.outcomes, printed.outcomes, strict=True):
            # Three decimals of a µkat/L are 0.06 U/L: no more than the last shown digit can turn by it.
            assert abs(one.risk - two.risk) < 5e-4
        shown += 1
    tally("one LDH in three spellings", patients=shown)
    one, two = (assess(parse(text).factors) for text in ("ldh 412 U/L uln 250", "ldh 6.867 µkat/L uln 250 U/L"))
    for a, b in zip(one.outcomes, two.outcomes, strict=True):
        assert estimate(a.risk, a.interval) == estimate(b.risk, b.interval)
