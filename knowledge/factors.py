"""Patient factors: the only things about a patient that Tarla ever takes in.

LDH is understood in three ways: a measured value with its upper limit of
normal (ULN), a multiple of the ULN, or merely high or normal. Every factor may
be unknown; the engine then averages over it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from knowledge.frozen import FrozenModel

# Enzyme activity: 1 µkat/L is 60 U/L by definition (katal = mol/s, U = µmol/min).
U_PER_MICROKATAL = 60.0

# Accepted ranges in U/L. Below 50 U/L an adult LDH is not physiological and the
# figure is probably in other units; 9,999 is above any value seen in lung cancer.
LDH_MIN_U_L, LDH_MAX_U_L = 50.0, 9_999.0
# Upper limits read in laboratory catalogues run from 199 to 414 U/L
# (cov.ref.* in the evidence); 100 to 600 leaves room for other methods.
ULN_MIN_U_L, ULN_MAX_U_L = 100.0, 600.0
# Multiples outside this range are typing errors, not biology.
RATIO_MIN, RATIO_MAX = 0.1, 40.0
# 108.6 U/L is exactly 1.81 µkat/L, but not in binary floating point. Far finer than any laboratory
# prints, this keeps an LDH at its upper limit from counting as above it when the units differ.
RATIO_DECIMALS = 12


class LdhUnit(StrEnum):
    """Unit of an LDH activity or of its upper limit."""

    U_PER_L = "U/L"
    MICROKATAL_PER_L = "µkat/L"

    def to_u_per_l(self, value: float) -> float:
        """Value in this unit converted to U/L."""
        return value * U_PER_MICROKATAL if self is LdhUnit.MICROKATAL_PER_L else value


class Presence(StrEnum):
    """A finding that is present, absent or not known."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class UpperLimit(FrozenModel):
    """Upper limit of normal for LDH, with its unit; 100 to 600 U/L or the same in µkat/L."""

    value: float = Field(gt=0)
    unit: LdhUnit = LdhUnit.U_PER_L

    @property
    def u_per_l(self) -> float:
        """The limit in U/L."""
        return self.unit.to_u_per_l(self.value)

    @model_validator(mode="after")
    def _in_range(self) -> UpperLimit:
        if not ULN_MIN_U_L <= self.u_per_l <= ULN_MAX_U_L:
            raise ValueError(f"an LDH upper limit must lie between {ULN_MIN_U_L:g} and {ULN_MAX_U_L:g} U/L")
        return self


class LdhMeasured(FrozenModel):
    """A measured LDH (50 to 9,999 U/L, or the same in µkat/L) with the laboratory's upper limit."""

    kind: Literal["measured"] = "measured"
    value: float = Field(gt=0)
    unit: LdhUnit = LdhUnit.U_PER_L
    uln: UpperLimit
    uln_from: Literal["given", "site"] = "given"

    @property
    def ratio(self) -> float:
        """LDH as a multiple of the upper limit of normal (no unit)."""
        return round(self.unit.to_u_per_l(self.value) / self.uln.u_per_l, RATIO_DECIMALS)

    @model_validator(mode="after")
    def _in_range(self) -> LdhMeasured:
        if not LDH_MIN_U_L <= self.unit.to_u_per_l(self.value) <= LDH_MAX_U_L:
            raise ValueError(f"LDH must lie between {LDH_MIN_U_L:g} and {LDH_MAX_U_L:,.0f} U/L")
        if not RATIO_MIN <= self.ratio <= RATIO_MAX:
            raise ValueError(f"LDH must lie between {RATIO_MIN:g} and {RATIO_MAX:g} times its upper limit")
        return self


class LdhMultiple(FrozenModel):
    """LDH stated directly as a multiple of the upper limit of normal (0.1 to 40)."""

    kind: Literal["multiple"] = "multiple"
    multiple: float = Field(ge=RATIO_MIN, le=RATIO_MAX)

    @property
    def ratio(self) -> float:
        """LDH as a multiple of the upper limit of normal (no unit)."""
        return self.multiple


class LdhCategory(FrozenModel):
    """LDH known only as high (strictly above the upper limit) or normal (at or below it)."""

    kind: Literal["category"] = "category"
    category: Literal["high", "normal"]


Ldh = Annotated[LdhMeasured | LdhMultiple | LdhCategory, Field(discriminator="kind")]


class PatientFactors(FrozenModel):
    """What is known of a patient before the first infusion. ``ldh=None`` means unknown.

    Raises:
        pydantic.ValidationError: a figure is out of range or not finite.
    """

    ldh: Ldh | None = None
    liver_metastases: Presence = Presence.UNKNOWN
    diabetes: Presence = Presence.UNKNOWN
    cardiovascular_disease: Presence = Presence.UNKNOWN

    @property
    def ldh_ratio(self) -> float | None:
        """LDH as a multiple of its upper limit, or None when not known as a number."""
        return None if self.ldh is None or isinstance(self.ldh, LdhCategory) else self.ldh.ratio
