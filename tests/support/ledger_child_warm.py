"""Imported for its effect: the process that imports it has done all that is slow the first time."""

from tests.support.ledger_child import warm

warm()
