"""Modals other than the form: an answer, its sources, the model."""
