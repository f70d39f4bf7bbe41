"""What is written is read again, as the same patients."""

from __future__ import annotations

from knowledge.cohort.file import read_cohort, write_csv
from tests.support.centre import simulated_centre


def test_written_patients_are_read_again() -> None:
    rows = simulated_centre(50, 1, missing=0.2, prophylaxis=0.2)
    cohort = read_cohort(write_csv(rows))
    assert list(cohort.rows) == rows
    assert cohort.simulated
