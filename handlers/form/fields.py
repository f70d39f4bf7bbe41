"""The form's fields by the names Slack sends back, and what may be chosen in them."""

from __future__ import annotations

from knowledge.factors import LdhUnit, Presence

# The same name for a field's block and for the element in it.
LDH, LDH_AS, ULN = "ldh", "ldh_given_as", "upper_limit"
LIVER, DIABETES, CVD = "liver_metastases", "diabetes", "cardiovascular_disease"

MULTIPLE, HIGH, NORMAL = "multiple", "high", "normal"
UNITS: dict[str, LdhUnit] = {"u_per_l": LdhUnit.U_PER_L, "ukat_per_l": LdhUnit.MICROKATAL_PER_L}
LDH_CHOICES: dict[str, str] = {
    **{name: unit.value for name, unit in UNITS.items()},
    MULTIPLE: "× ULN",
    HIGH: "above its limit, no figure",
    NORMAL: "not above its limit, no figure",
}
PRESENCE_CHOICES: dict[str, str] = {presence.value: presence.value for presence in Presence}
