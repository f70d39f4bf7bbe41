"""The synthesis of published facts: simulate cohorts, keep those that show what was published."""
