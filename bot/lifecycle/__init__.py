"""Begin and end of the process as the ledger tells them, and what must not go on after an end that was none."""
