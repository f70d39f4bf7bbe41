"""Print the example cohort, built anew: ``python -m knowledge.cohort.example > knowledge/data/example_cohort.csv``."""

from __future__ import annotations

import sys

from knowledge.cohort.example.build import build_example
from knowledge.cohort.file import write_csv

if __name__ == "__main__":
    sys.stdout.buffer.write(write_csv(build_example()))
