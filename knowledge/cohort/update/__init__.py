"""The model updated by a centre's own patients: its draws reweighted by their likelihood."""
