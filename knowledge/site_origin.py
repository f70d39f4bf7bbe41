"""Where a site model comes from: which model, updated by which patients."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from knowledge.frozen import FrozenModel

Count = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SiteOrigin(FrozenModel):
    """What a site model's file says of its making; no patient's finding is in it.

    ``patients`` are the cohort's rows. Left out of them: ``with_prophylaxis``, ``prophylaxis_unknown``, and, of those
    without prophylaxis, ``crs_unknown`` and ``icans_unknown`` whose outcome is not known. The rest entered:
    ``crs_patients`` and ``icans_patients``, with their events. ``khat_*`` is the Pareto k of the weights,
    ``effective_*`` the effective sample size of the draws after the update; None where no patient entered.
    """

    parent_id: str
    parent_sha256: Sha256
    data_sha256: Sha256
    simulated: bool
    seed: int
    patients: Count
    with_prophylaxis: Count
    prophylaxis_unknown: Count
    crs_patients: Count
    crs_events: Count
    crs_grade2plus_events: Count
    crs_unknown: Count
    icans_patients: Count
    icans_events: Count
    icans_unknown: Count
    khat_crs: float | None
    khat_icans: float | None
    effective_crs: float | None
    effective_icans: float | None
