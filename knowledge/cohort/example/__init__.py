"""The example cohort: 40 patients who do not exist, in whom every published figure of the founding study comes out.

The study's own patients are not public. These are drawn as the engine draws the cohorts it is conditioned on, and kept
where they show what was published; the file says ``simulated`` in every row. ``python -m knowledge.cohort.example``
prints it anew, byte for byte.
"""

from __future__ import annotations

from importlib.resources import files

from knowledge.cohort.file import Cohort, read_cohort

FILE_NAME = "example_cohort.csv"


def example_csv() -> bytes:
    """The file as it ships."""
    return (files("knowledge") / "data" / FILE_NAME).read_bytes()


def example_cohort() -> Cohort:
    """Its patients."""
    return read_cohort(example_csv())
