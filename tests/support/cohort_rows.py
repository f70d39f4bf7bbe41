"""Any patient that a cohort can hold, for laws; and the example cohort as pandas has it."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from knowledge.cohort.example import example_csv
from knowledge.cohort.record import CohortRow, Death, Histology, Sex, Treatment
from knowledge.factors import LdhCategory, LdhMeasured, LdhMultiple, LdhUnit, Presence, UpperLimit

FRAME = pd.read_csv(io.BytesIO(example_csv()))


def parquet(frame: pd.DataFrame) -> bytes:
    """The bytes of a Parquet file."""
    out = io.BytesIO()
    frame.to_parquet(out)
    return out.getvalue()


PRESENCES = st.sampled_from(Presence)
HOURS = st.one_of(st.none(), st.floats(0.0, 2_000.0), st.integers(0, 2_000).map(float))
# In the order of the vocabulary, each once, as the file writes them.
TREATMENTS = st.one_of(
    st.none(), st.sets(st.sampled_from(Treatment)).map(lambda given: tuple(each for each in Treatment if each in given))
)
GRADES = st.one_of(st.none(), st.integers(0, 5))


@st.composite
def measured(draw: st.DrawFn) -> LdhMeasured:
    """An LDH with its limit, each in either unit."""
    unit, limit_unit = draw(st.sampled_from(LdhUnit)), draw(st.sampled_from(LdhUnit))
    # Well within the accepted range, whichever way the division by 60 is rounded.
    value, limit = draw(st.floats(60.1, 9_990.0)), draw(st.floats(250.1, 599.0))
    per = {LdhUnit.U_PER_L: 1.0, LdhUnit.MICROKATAL_PER_L: 60.0}
    return LdhMeasured(
        value=value / per[unit], unit=unit, uln=UpperLimit(value=limit / per[limit_unit], unit=limit_unit)
    )


LDHS = st.one_of(
    st.none(),
    measured(),
    st.floats(0.1, 40.0).map(lambda multiple: LdhMultiple(multiple=multiple)),
    st.sampled_from([LdhCategory(category="high"), LdhCategory(category="normal")]),
)


@st.composite
def rows(draw: st.DrawFn, *, simulated: bool = True) -> CohortRow:
    """A patient who does not contradict himself, and of whom a file holds enough to be one."""
    crs = [draw(GRADES) for _ in range(3)]
    icans, prophylaxis = draw(GRADES), draw(PRESENCES)
    if crs[0] is None and icans is None and prophylaxis is Presence.UNKNOWN:
        prophylaxis = Presence.NO
    fields: dict[str, Any] = {
        "dose_day": draw(st.one_of(st.none(), st.integers(0, 20_000))),
        "age": draw(st.one_of(st.none(), st.integers(18, 90))),
        "sex": draw(st.one_of(st.none(), st.sampled_from(Sex))),
        "histology": draw(st.one_of(st.none(), st.sampled_from(Histology))),
        "ecog": draw(st.one_of(st.none(), st.integers(0, 4))),
        "prior_lines": draw(st.one_of(st.none(), st.integers(0, 20))),
        "ldh": draw(LDHS),
        "liver_metastases": draw(PRESENCES),
        "diabetes": draw(PRESENCES),
        "cardiovascular_disease": draw(PRESENCES),
        "brain_metastases": draw(PRESENCES),
        "tocilizumab_prophylaxis": prophylaxis,
        "crs_grade_dose1": crs[0],
        "crs_grade_dose2": crs[1],
        "crs_grade_dose3": crs[2],
        "crs_onset_hours": draw(HOURS) if crs[0] else None,
        "crs_duration_hours": draw(HOURS) if crs[0] else None,
        "crs_treatment": draw(TREATMENTS) if any(crs) else draw(st.sampled_from([None, ()])),
        "icans_grade": icans,
        "icans_onset_hours": draw(HOURS) if icans else None,
        "icans_duration_hours": draw(HOURS) if icans else None,
        "icans_treatment": draw(TREATMENTS) if icans else draw(st.sampled_from([None, ()])),
        "discontinued": draw(PRESENCES),
        "follow_up_days": draw(st.one_of(st.none(), st.integers(0, 5_000))),
    }
    deaths = [None, *Death] if 5 not in (*crs, icans) else [None, Death.TREATMENT_RELATED]
    return CohortRow(**fields, death=draw(st.sampled_from(deaths)), simulated=simulated)
