"""What is said of a model that a site's own patients updated: in each answer, and wherever the model is named."""

from __future__ import annotations

from knowledge.site_origin import SiteOrigin

HEADING, SIMULATED_HEADING = "This centre's own patients", "Simulated patients"
SIMULATED = "SIMULATED PATIENTS, not for care"
_DESCRIBES_NOBODY = "The figures describe no centre's patients and are not for care."


def marked(text: str, site: SiteOrigin | None) -> str:
    """The text; before it, where the patients are simulated, that they are."""
    return f"{SIMULATED}: {text}" if site is not None and site.simulated else text


def named(model_id: str, site: SiteOrigin | None) -> str:
    """The model's name in small print, with what must never be missing from it."""
    return f"{model_id} (simulated patients)" if site is not None and site.simulated else model_id


def heading(site: SiteOrigin) -> str:
    """Above what is told of the patients."""
    return SIMULATED_HEADING if site.simulated else HEADING


def whose(site: SiteOrigin) -> str:
    """Whose outcomes updated the model."""
    return "simulated patients" if site.simulated else "this centre's own patients"


def counts(site: SiteOrigin) -> str:
    """How many of a site's patients the model was updated with, and how many had each outcome."""
    crs = "CRS: no patient of this centre, so as in the parent model"
    if site.crs_patients:
        crs = f"CRS in {site.crs_events} of {site.crs_patients}, grade ≥ 2 in {site.crs_grade2plus_events}"
    icans = "ICANS: no patient of this centre, so as in the parent model"
    if site.icans_patients:
        icans = f"ICANS in {site.icans_events} of {site.icans_patients}"
    return f"{crs}; {icans}"


def origin(site: SiteOrigin) -> str:
    """One line: parent and counts, for where the model is named outside an answer."""
    return f"{site.parent_id} updated with {whose(site)}: {counts(site)}"


def fit(site: SiteOrigin) -> str:
    """Pareto k of the weights that the patients gave the draws; empty where nothing was weighed."""
    found = (("CRS", site.khat_crs), ("ICANS", site.khat_icans))
    named_k = ", ".join(f"{name} {value:.2f}" for name, value in found if value is not None)
    return f"Pareto k of the new weights: {named_k}" if named_k else ""


def told(site: SiteOrigin) -> str:
    """An answer's paragraph: what updated its estimates, and what that is not."""
    opening = f"{_DESCRIBES_NOBODY} The estimates are by" if site.simulated else "The estimates are for this centre:"
    patients = "simulated patients" if site.simulated else "its own patients"
    return (
        f"{opening} model {site.parent_id}, updated with {patients} without tocilizumab prophylaxis ({counts(site)}). "
        "Patients who updated a model cannot also validate it, and no others have."
    )
