"""A centre's own cohort: the file, and what can be learnt from it."""
