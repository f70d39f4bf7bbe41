"""The cohort file: one row a patient, read from whatever a spreadsheet makes of CSV, written in one way.

``read_cohort`` gives a ``Cohort``; ``iter_rows`` goes through any number of patients in bounded memory;
``write_csv`` makes the file.
"""

from knowledge.cohort.file.columns import COLUMNS, Column
from knowledge.cohort.file.problems import CohortFileError, Problem, ProblemsError, UnreadableError
from knowledge.cohort.file.reading import Cohort, iter_rows, read_cohort
from knowledge.cohort.file.writing import Digest, csv_lines, write_csv

__all__ = [
    "COLUMNS",
    "Cohort",
    "CohortFileError",
    "Column",
    "Digest",
    "Problem",
    "ProblemsError",
    "UnreadableError",
    "csv_lines",
    "iter_rows",
    "read_cohort",
    "write_csv",
]
