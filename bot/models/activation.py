"""What the event ``model_activated`` says: which versions answer, and whose patients a site model was updated with."""

from __future__ import annotations

from bot.compose import code_version
from handlers.ports import Json
from handlers.records import model_record
from knowledge.evidence import load as load_evidence
from knowledge.model import Model

# The cohort's rows, and how many of them came in and had what.
COUNTS = (
    *("patients", "with_prophylaxis", "prophylaxis_unknown"),
    *("crs_patients", "crs_events", "crs_grade2plus_events", "crs_unknown"),
    *("icans_patients", "icans_events", "icans_unknown"),
)
_FIT = ("khat_crs", "khat_icans", "effective_crs", "effective_icans")
FIT_DECIMALS = 4


def activation(model: Model) -> dict[str, Json]:
    """The versions that answer and, of a site model, how it was made."""
    versions: dict[str, Json] = {
        "program": code_version(),
        "model": model_record(model),
        "evidence": load_evidence().version,
    }
    return versions | updated_with(model)


def updated_with(model: Model | None) -> dict[str, Json]:
    """Counts of a site model's patients and how well its weights behave, figures as strings; nothing for another."""
    site = None if model is None else model.site
    if site is None:
        return {}
    said: dict[str, Json] = {name: getattr(site, name) for name in COUNTS}
    for name in _FIT:
        value = getattr(site, name)
        said[name] = None if value is None else f"{value:.{FIT_DECIMALS}f}"
    return {"updated_with": {**said, "seed": site.seed}}
