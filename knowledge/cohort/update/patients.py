"""A centre's patients as the update sees them: those without prophylaxis, alike ones together, the rest counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.assessment import Outcome
from knowledge.cohort.record import CohortRow
from knowledge.factors import Ldh, LdhCategory, LdhMultiple, Presence

# CRS after the first dose: none, grade 1, grade 2 or higher.
CRS_CATEGORIES = 3


@dataclass(frozen=True)
class CrsGroup:
    """Patients with the same LDH and liver status; ``counts`` of none, grade 1, grade 2 or higher."""

    ldh: Ldh | None
    liver: Presence
    counts: tuple[int, int, int]


@dataclass(frozen=True)
class IcansGroup:
    """Patients with the same diabetes and CVD status; ``counts`` of those without and with ICANS."""

    diabetes: Presence
    cvd: Presence
    counts: tuple[int, int]


@dataclass(frozen=True)
class SitePatients:
    """What enters an update, and what does not: rows, those with prophylaxis or of whom that is not known.

    ``repeated`` of those without prophylaxis are the same as an earlier one in every column.
    """

    crs: tuple[CrsGroup, ...]
    icans: tuple[IcansGroup, ...]
    patients: int
    with_prophylaxis: int
    prophylaxis_unknown: int
    simulated: bool
    repeated: int = 0

    @property
    def without_prophylaxis(self) -> int:
        """Rows that may enter."""
        return self.patients - self.with_prophylaxis - self.prophylaxis_unknown

    @property
    def crs_counts(self) -> tuple[int, int, int]:
        """Patients without CRS, with grade 1, with grade 2 or higher."""
        none, mild, severe = (sum(group.counts[at] for group in self.crs) for at in range(CRS_CATEGORIES))
        return none, mild, severe

    @property
    def icans_counts(self) -> tuple[int, int]:
        """Patients without and with ICANS."""
        return sum(group.counts[0] for group in self.icans), sum(group.counts[1] for group in self.icans)


def site_patients(rows: Iterable[CohortRow]) -> SitePatients:
    """Sort rows, each read once. Their order makes no difference."""
    crs: dict[tuple[Ldh | None, Presence], Counter[int]] = {}
    icans: dict[tuple[Presence, Presence], Counter[int]] = {}
    given: Counter[Presence] = Counter()
    simulated, repeated = False, 0
    seen: set[CohortRow] = set()
    for row in rows:
        simulated |= row.simulated
        given[row.tocilizumab_prophylaxis] += 1
        if row.tocilizumab_prophylaxis is not Presence.NO:
            continue
        repeated += row in seen
        seen.add(row)
        if (category := crs_category(row)) is not None:
            crs.setdefault((_as_it_acts(row.ldh), row.liver_metastases), Counter())[category] += 1
        if (had := row.had(Outcome.ICANS_ANY)) is not None:
            icans.setdefault((row.diabetes, row.cardiovascular_disease), Counter())[int(had)] += 1
    return SitePatients(
        crs=tuple(
            CrsGroup(ldh, liver, (crs[ldh, liver][0], crs[ldh, liver][1], crs[ldh, liver][2]))
            for ldh, liver in sorted(crs, key=_order)
        ),
        icans=tuple(
            IcansGroup(diabetes, cvd, (icans[diabetes, cvd][0], icans[diabetes, cvd][1]))
            for diabetes, cvd in sorted(icans)
        ),
        patients=given.total(),
        with_prophylaxis=given[Presence.YES],
        prophylaxis_unknown=given[Presence.UNKNOWN],
        simulated=simulated,
        repeated=repeated,
    )


def crs_category(row: CohortRow) -> int | None:
    """0 without CRS after the first dose, 1 with grade 1, 2 with grade 2 or higher; None where that is not known."""
    grade = row.crs_grade_dose1
    return None if grade is None else min(grade, CRS_CATEGORIES - 1)


def _as_it_acts(ldh: Ldh | None) -> Ldh | None:
    """The multiple of the upper limit is all that enters, so the same multiple in other units is the same finding."""
    return ldh if ldh is None or isinstance(ldh, LdhCategory) else LdhMultiple(multiple=ldh.ratio)


def _order(finding: tuple[Ldh | None, Presence]) -> tuple[int, float, str, str]:
    ldh, liver = finding
    if ldh is None:
        return 0, 0.0, "", liver
    if isinstance(ldh, LdhCategory):
        return 1, 0.0, ldh.category, liver
    return 2, ldh.ratio, "", liver
