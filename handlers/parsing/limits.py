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

# U/L. The highest upper limit among the laboratory catalogues in the evidence
# (cov.ref.linear_sfbc). A limit above it with an LDH below that limit is more
# likely two figures swapped than a laboratory unheard of.
ULN_HIGHEST_KNOWN_U_L = 414.0


def _activity_range(low: float, high: float) -> str:
    return f"{low:g} and {high:,.0f} U/L (about {low / U_PER_MICROKATAL:.2g} and {high / U_PER_MICROKATAL:.3g} µkat/L)"


LDH_RANGE = _activity_range(LDH_MIN_U_L, LDH_MAX_U_L)
ULN_RANGE = _activity_range(ULN_MIN_U_L, ULN_MAX_U_L)
RATIO_RANGE = f"{RATIO_MIN:g} and {RATIO_MAX:g}"
