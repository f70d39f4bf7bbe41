"""What was sent with the form: findings, or what is wrong, field by field.

Slack sends what stands in a field, prefilled or not. A field that comes without a
value is empty: it is never taken for what was prefilled, and never for "unknown".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handlers.form import fields
from handlers.parsing import Refusal, RefusalCode, Understood
from handlers.parsing.figures import canonical_number
from handlers.parsing.ldh import measured, multiple
from handlers.parsing.limits import ULN_RANGE
from handlers.parsing.parse import ldh_notes
from handlers.parsing.refusal_texts import TEXTS
from handlers.parsing.statements import Amount, Multiple, Statement
from handlers.parsing.terms import Subject
from handlers.requests import MalformedPayloadError
from handlers.submitted import chosen, element
from knowledge.factors import Ldh, LdhCategory, LdhUnit, PatientFactors, Presence, UpperLimit

CHOOSE = "Choose one."
NOT_PLAIN = TEXTS[RefusalCode.NOT_CANONICAL_NUMBER, None][0]
NO_FIGURE = "Leave the figure empty, or choose below what it is given as."
NO_LIMIT = "Write your laboratory's upper limit for this LDH."
LIMIT_NOT_NEEDED = "With this choice of LDH there is no limit to give: empty this field, or choose the LDH's unit."
LIMIT_ALONE = "An upper limit is given without an LDH: write the figure, or empty the limit."
LIMIT_RANGE = f"The upper limit must lie between {ULN_RANGE}; it has the unit of the LDH."

# The form's numbers have no place in a sentence.
_NO_PLACE = 0


@dataclass(frozen=True)
class NotUnderstood:
    """What is wrong, by field; fixed sentences that hold nothing of what was written."""

    errors: Mapping[str, str]


class _WrongFieldError(Exception):
    """A field cannot be read so; the arguments are its name and the sentence under it."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(name)
        self.name, self.sentence = name, sentence


def read_form(values: object, site_uln: UpperLimit | None) -> Understood | NotUnderstood:
    """The findings in a submitted view's ``state.values``.

    Raises:
        MalformedPayloadError: the values are not of the shape Slack documents, or not of this form.
    """
    errors: dict[str, str] = {}
    given_as = _chosen(values, fields.LDH_AS, fields.LDH_CHOICES, errors)
    figure, limit = _number(values, fields.LDH, errors), _number(values, fields.ULN, errors)
    liver, diabetes, cvd = (
        _chosen(values, name, fields.PRESENCE_CHOICES, errors) for name in (fields.LIVER, fields.DIABETES, fields.CVD)
    )
    ldh: Ldh | None = None
    # What is wrong with a field itself comes first: only then can figures be set against each other.
    if not errors.keys() & {fields.LDH, fields.LDH_AS, fields.ULN}:
        try:
            ldh = _ldh(given_as, figure, limit, site_uln)
        except _WrongFieldError as wrong:
            errors[wrong.name] = wrong.sentence
    if errors:
        return NotUnderstood(errors)
    factors = PatientFactors(
        ldh=ldh,
        liver_metastases=Presence(liver),
        diabetes=Presence(diabetes),
        cardiovascular_disease=Presence(cvd),
    )
    return Understood(factors, ldh_notes(ldh))


def _ldh(given_as: str, figure: float | None, limit: float | None, site_uln: UpperLimit | None) -> Ldh | None:
    own_limit = limit is not None and (site_uln is None or limit != site_uln.value)
    if given_as in (fields.HIGH, fields.NORMAL):
        if figure is not None:
            raise _WrongFieldError(fields.LDH, NO_FIGURE)
        _without_limit(own_limit)
        return LdhCategory(category="high" if given_as == fields.HIGH else "normal")
    if figure is None:
        if own_limit:
            raise _WrongFieldError(fields.LDH, LIMIT_ALONE)
        return None
    try:
        if given_as == fields.MULTIPLE:
            read = multiple(Multiple(figure), _NO_PLACE)
            _without_limit(own_limit)
            return read
        return _measured(figure, fields.UNITS[given_as], limit, site_uln)
    except Refusal as refusal:
        if refusal.about is Subject.ULN:
            raise _WrongFieldError(fields.ULN, LIMIT_RANGE) from None
        raise _WrongFieldError(fields.LDH, refusal.message) from None


def _without_limit(own_limit: bool) -> None:
    """A limit beside an LDH that needs none may mean another reading; what the form was prefilled with says nothing."""
    if own_limit:
        raise _WrongFieldError(fields.ULN, LIMIT_NOT_NEEDED)


def _measured(figure: float, unit: LdhUnit, limit: float | None, site_uln: UpperLimit | None) -> Ldh:
    if limit is None:
        raise _WrongFieldError(fields.ULN, NO_LIMIT)
    amount = Amount(figure, unit)
    if site_uln is not None and (site_uln.value, site_uln.unit) == (limit, unit):
        # What the form was prefilled with has come back: the answer says whose limit it is.
        return measured(amount, _NO_PLACE, None, site_uln)
    return measured(amount, _NO_PLACE, Statement(Subject.ULN, Amount(limit, unit), _NO_PLACE), None)


def _number(values: object, name: str, errors: dict[str, str]) -> float | None:
    written = element(values, name).get("value")
    if written is None:
        return None
    if not isinstance(written, str):
        raise MalformedPayloadError(name)
    number = canonical_number(written)
    if number is None:
        errors[name] = NOT_PLAIN
    return number


def _chosen(values: object, name: str, choices: Mapping[str, str], errors: dict[str, str]) -> str:
    value = chosen(values, name, choices)
    if value is None:
        errors[name] = CHOOSE
        return ""
    return value
