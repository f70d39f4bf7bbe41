"""What an auditor does with the ledger: check it, read it, hand it on, keep it and look back."""
