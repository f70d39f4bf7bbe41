"""What was sent with an outcome's form: the outcome, or what is wrong, field by field. Nothing has a default."""

from __future__ import annotations

from handlers.outcome import fields
from handlers.outcome.record import PatientOutcome
from handlers.submitted import chosen
from knowledge.factors import Presence

CHOOSE = "Choose one."


def read_outcome_form(values: object) -> PatientOutcome | dict[str, str]:
    """The outcome in a submitted view's ``state.values``, or the errors for ``response_action: errors``.

    Raises:
        MalformedPayloadError: the values are not of the shape Slack documents, or not of this form.
    """
    given = {name: chosen(values, name, choices) for name, choices in fields.CHOICES.items()}
    errors = {name: CHOOSE for name, value in given.items() if value is None}
    if errors:
        return errors
    said = {name: str(value) for name, value in given.items()}
    return PatientOutcome(
        crs_grade=fields.GRADES[said[fields.CRS]],
        icans_grade=fields.GRADES[said[fields.ICANS]],
        prophylaxis=Presence(said[fields.PROPHYLAXIS]),
        day=int(said[fields.DAY]),
    )
