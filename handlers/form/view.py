"""The form as a modal, empty or filled with findings."""

from __future__ import annotations

import math
from typing import Any

from handlers.blockkit import Block, context, modal, plain, section
from handlers.controls import FORM_CALLBACK
from handlers.form import fields
from handlers.form.origin import Origin
from handlers.parsing.figures import canonical_number
from handlers.replies import SCOPE
from knowledge.factors import (
    RATIO_DECIMALS,
    LdhCategory,
    LdhMeasured,
    LdhMultiple,
    LdhUnit,
    PatientFactors,
    Presence,
    UpperLimit,
)

# As fine as a ratio of LDH and limit is told apart.
SAME_LIMIT = 10.0**-RATIO_DECIMALS
INTRODUCTION = "Choose what is known; *unknown* is averaged over, and the answer says so."
LDH_HINT = "The figure alone. Leave it empty where there is none."
ULN_HINT = "Your laboratory's, in the unit of the LDH; used with a figure in U/L or µkat/L only."
CVD_HINT = "The study does not define it. Hypertension alone is not counted here."


def form_view(origin: Origin, site_uln: UpperLimit | None, factors: PatientFactors | None = None) -> dict[str, Any]:
    """The form. Without ``factors`` it starts with everything unknown and the site's upper limit, where one is set."""
    shown = factors or PatientFactors()
    ldh, given_as, uln = _ldh_fields(shown, site_uln)
    blocks = [
        section(INTRODUCTION),
        _number(fields.LDH, "LDH", LDH_HINT, ldh),
        _choice(fields.LDH_AS, "LDH given as", "static_select", fields.LDH_CHOICES, given_as),
        _number(fields.ULN, "Upper limit of normal (ULN) for LDH", ULN_HINT, uln),
        _presence(fields.LIVER, "Liver metastases", shown.liver_metastases),
        _presence(fields.DIABETES, "Diabetes", shown.diabetes),
        _presence(fields.CVD, "Cardiovascular disease (CVD)", shown.cardiovascular_disease, CVD_HINT),
        context(SCOPE),
    ]
    more = {"callback_id": FORM_CALLBACK, "submit": plain("Show the risks"), "private_metadata": origin.written()}
    return modal("Ask Tarla", blocks, **more) | {"close": plain("Cancel")}


def _ldh_fields(factors: PatientFactors, site_uln: UpperLimit | None) -> tuple[str | None, str, str | None]:
    """Figure, what it is given as, and the upper limit, as the fields hold them."""
    ldh = factors.ldh
    if isinstance(ldh, LdhMeasured):
        limit = ldh.uln.value if ldh.uln.unit is ldh.unit else _converted(ldh.uln, ldh.unit)
        return _figure(ldh.value), _name_of(ldh.unit), None if limit is None else _figure(limit)
    limit_of_site = _figure(site_uln.value) if site_uln else None
    if isinstance(ldh, LdhMultiple):
        return _figure(ldh.multiple), fields.MULTIPLE, limit_of_site
    if isinstance(ldh, LdhCategory):
        return None, fields.HIGH if ldh.category == "high" else fields.NORMAL, limit_of_site
    return None, _name_of(site_uln.unit if site_uln else LdhUnit.U_PER_L), limit_of_site


def _name_of(unit: LdhUnit) -> str:
    return next(name for name, each in fields.UNITS.items() if each is unit)


def _converted(limit: UpperLimit, unit: LdhUnit) -> float | None:
    """The limit in another unit, where that can be written without changing it by more than the computer's rounding."""
    text = _figure(limit.u_per_l / unit.to_u_per_l(1.0))
    written = None if text is None else canonical_number(text)
    same = written is not None and math.isclose(unit.to_u_per_l(written), limit.u_per_l, rel_tol=SAME_LIMIT)
    return written if same else None


def _figure(value: float) -> str | None:
    """A number as the form would take it back; None where it would not."""
    text = f"{value:.10g}"
    return text if canonical_number(text) is not None else None


def _number(name: str, label: str, hint: str, value: str | None) -> Block:
    element: dict[str, Any] = {"type": "number_input", "action_id": name, "is_decimal_allowed": True}
    if value is not None:
        element["initial_value"] = value
    return _field(name, label, element, hint) | {"optional": True}


def _presence(name: str, label: str, chosen: Presence, hint: str | None = None) -> Block:
    return _choice(name, label, "radio_buttons", fields.PRESENCE_CHOICES, chosen.value, hint)


def _choice(name: str, label: str, kind: str, choices: dict[str, str], chosen: str, hint: str | None = None) -> Block:
    options = {value: {"text": plain(text), "value": value} for value, text in choices.items()}
    element = {"type": kind, "action_id": name, "options": list(options.values()), "initial_option": options[chosen]}
    return _field(name, label, element, hint)


def _field(name: str, label: str, element: dict[str, Any], hint: str | None) -> Block:
    block: Block = {"type": "input", "block_id": name, "label": plain(label), "element": element}
    if hint is not None:
        block["hint"] = plain(hint)
    return block
