"""Limits of what is read, and the accepted ranges in words."""

from __future__ import annotations

from knowledge.factors import (
    LDH_MAX_U_L,
    LDH_MIN_U_L,
    RATIO_MAX,
    RATIO_MIN,
    U_PER_MICROKATAL,
    ULN_MAX_U_L,
    ULN_MIN_U_L,
)

# The longest sensible command, every factor spelt out with units, is near 150
# characters and 30 words. Whatever is longer is read no further than this.
MAX_CHARACTERS = 300
MAX_WORDS = 60

# U/L, compared after rounding, since 250 U/L is printed as 4.17 µkat/L. Of the laboratory
# catalogues in the evidence (cov.ref.*) all but one have an upper limit of at most 250
# (cov.ref.nbt; the one is cov.ref.linear_sfbc with 414, of an older method). A higher limit
# with an LDH below it may be two figures swapped.
ULN_HIGHEST_USUAL_U_L = 250
# U/L, as above. The lowest upper limit among them (cov.ref.uci); their lower ends begin at 96
# in the same catalogue, so what is typed below may be a lower end.
ULN_LOWEST_KNOWN_U_L = 199


def _activity_range(low: float, high: float) -> str:
    return f"{low:g} and {high:,.0f} U/L (about {low / U_PER_MICROKATAL:.2g} and {high / U_PER_MICROKATAL:.3g} µkat/L)"


LDH_RANGE = _activity_range(LDH_MIN_U_L, LDH_MAX_U_L)
ULN_RANGE = _activity_range(ULN_MIN_U_L, ULN_MAX_U_L)
RATIO_RANGE = f"{RATIO_MIN:g} and {RATIO_MAX:g}"
