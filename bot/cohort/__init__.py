"""Everything behind ``tarla study``: a centre's own cohort from file or ledger to report, validation and site model."""
