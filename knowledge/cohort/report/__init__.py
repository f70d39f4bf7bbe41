"""The founding study repeated on a centre's own cohort: tables, models, and what they can bear."""
