"""The findings of a patient in words, as they were understood."""

from __future__ import annotations

from knowledge.factors import LdhCategory, LdhMeasured, PatientFactors, Presence


def describe(factors: PatientFactors) -> str:
    """The findings as understood, in closed vocabulary."""
    parts = [_describe_ldh(factors)]
    parts += [f"{name} {presence.value}" for name, presence in presences(factors)]
    return " · ".join(parts)


def presences(factors: PatientFactors) -> tuple[tuple[str, Presence], ...]:
    """The findings that are there or not, by the names they have in an answer."""
    return (
        ("liver metastases", factors.liver_metastases),
        ("diabetes", factors.diabetes),
        ("CVD", factors.cardiovascular_disease),
    )


def _describe_ldh(factors: PatientFactors) -> str:
    ldh = factors.ldh
    if ldh is None:
        return "LDH unknown"
    if isinstance(ldh, LdhCategory):
        return f"LDH {ldh.category}"
    if isinstance(ldh, LdhMeasured):
        unit = "" if ldh.uln.unit is ldh.unit else f" {ldh.uln.unit}"
        site = ", this site's" if ldh.uln_from == "site" else ""
        return (
            f"LDH {_number(ldh.value)} {ldh.unit} = {_multiple(ldh.ratio)} × ULN ({_number(ldh.uln.value)}{unit}{site})"
        )
    return f"LDH {_number(ldh.multiple)} × ULN"


def _number(value: float) -> str:
    return f"{value:.10g}"


def _multiple(ratio: float) -> str:
    """To one decimal; more where one decimal would hide which side of the limit it is."""
    for digits in (1, 2, 3, 4):
        text = f"{ratio:.{digits}f}"
        if (float(text) > 1.0) == (ratio > 1.0) and (float(text) < 1.0) == (ratio < 1.0):
            return text
    return "just above 1" if ratio > 1.0 else "just below 1"
