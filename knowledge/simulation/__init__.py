"""Proof that it is worth it: the engine and the study's own regression on cohorts that show the published facts."""
