"""Events with real answers in them, so that what a ledger holds after a fault can be computed again."""

from __future__ import annotations

import functools
import random

from handlers.ports import Entry, Json, Kind
from handlers.records import computed_payload
from handlers.requests import Asker
from knowledge import LdhMeasured, LdhUnit, PatientFactors, Presence, UpperLimit, assess

ASKER = Asker("http", "U0FAULT", "C0FAULT", "T0FAULT")
EVIDENCE, CODE = "evidence-under-test", "code-under-test"
# As many different patients as a test needs to notice a row that holds another one's answer.
PATIENTS = 24


def random_factors(chance: random.Random) -> PatientFactors:
    """Findings of a made-up patient; about one in five of them unknown."""
    presence = [Presence.YES, Presence.NO, Presence.UNKNOWN]
    limit = UpperLimit(value=float(chance.randint(200, 300)), unit=LdhUnit.U_PER_L)
    measured = LdhMeasured(value=float(chance.randint(90, 2_000)), unit=LdhUnit.U_PER_L, uln=limit, uln_from="given")
    liver, diabetes, heart = (chance.choices(presence, (2, 2, 1))[0] for _ in range(3))
    return PatientFactors(
        ldh=measured if chance.random() < 0.8 else None,
        liver_metastases=liver,
        diabetes=diabetes,
        cardiovascular_disease=heart,
    )


def answer_payload(factors: PatientFactors) -> dict[str, Json]:
    """What the bot records of its answer for these findings."""
    return computed_payload(assess(factors), (), ASKER, EVIDENCE, CODE)


@functools.cache
def patient_payload(number: int) -> dict[str, Json]:
    """The recorded answer for made-up patient ``number``."""
    return answer_payload(random_factors(random.Random(f"patient {number}")))  # noqa: S311 - no secret


def answer_entry(key: str, number: int = 0) -> Entry:
    """A ``computed`` event for made-up patient ``number`` (taken modulo ``PATIENTS``)."""
    return Entry(key, Kind.COMPUTED, patient_payload(number % PATIENTS))
