"""ASTCT 2019 grades of CRS and ICANS for adults, worked out from findings by the tables of ``grading.toml``.

Sources: the records ``grd.crs.astct2019``, ``grd.icans.astct2019`` and ``grd.ice``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from knowledge.label.consensus import CrsGrading, IcansGrading, Ice
from knowledge.label.reader import Label


class Fever(StrEnum):
    """Fever as the grading asks for it; the threshold is in the record."""

    YES = "yes"
    TREATED = "treated"  # was there, and may be hidden by antipyretic or anticytokine treatment
    OTHER_CAUSE = "other_cause"
    NO = "no"


@dataclass(frozen=True)
class CrsFindings:
    """Findings for a grade of CRS; ``hypotension`` and ``hypoxia`` are keys of their domains' levels."""

    fever: Fever
    hypotension: str
    hypoxia: str


@dataclass(frozen=True)
class IcansFindings:
    """Findings for a grade of ICANS: points of each ICE item by its key, and each domain's level by its key."""

    ice: Mapping[str, int]
    consciousness: str
    seizure: str
    motor: str
    oedema: str


@dataclass(frozen=True)
class Graded:
    """A grade, or None where none follows, with what each domain alone stands for (0: nothing)."""

    grade: int | None
    by_domain: Mapping[str, int]
    ice_score: int | None = None


def crs_grade(findings: CrsFindings, label: Label) -> Graded:
    """The grade of CRS: the worse of hypotension and hypoxia, given fever or a fever that treatment may hide.

    Without either, or with a fever that another cause explains, no grade follows. Grade 5, death, is not worked out.

    Raises:
        KeyError: a level is unknown.
    """
    grading = label.get(CrsGrading, "grd.crs.astct2019")
    levels = {"hypotension": findings.hypotension, "hypoxia": findings.hypoxia}
    by_domain = {name: grading.domain(name).level(key).grade for name, key in levels.items()}
    counts = findings.fever in (Fever.YES, Fever.TREATED)
    return Graded(max(by_domain.values()) if counts else None, by_domain)


def ice_score(points: Mapping[str, int], ice: Ice) -> int:
    """The sum of the items' points.

    Raises:
        ValueError: an item is missing or unknown, or has more points than there are.
    """
    if points.keys() != {item.key for item in ice.items}:
        raise ValueError("every item of the ICE score is needed, and no other")
    for item in ice.items:
        if not 0 <= points[item.key] <= item.points:
            raise ValueError(f"{item.key}: 0 to {item.points} points")
    return sum(points.values())


def icans_grade(findings: IcansFindings, label: Label) -> Graded:
    """The grade of ICANS: that of the worst domain; None where no domain stands for a grade.

    ICE 0 stands for grade 3 in a patient who is awake and for grade 4 in one who is unarousable.

    Raises:
        KeyError: a level is unknown.
        ValueError: an ICE item is missing, unknown or out of range.
    """
    grading = label.get(IcansGrading, "grd.icans.astct2019")
    ice = label.get(Ice, "grd.ice")
    levels = {name: getattr(findings, name) for name in ("consciousness", "seizure", "motor", "oedema")}
    by_domain = {name: grading.domain(name).level(key).grade for name, key in levels.items()}
    score = ice_score(findings.ice, ice)
    unarousable = score == 0 and findings.consciousness == "unarousable"
    by_domain = {"ice": ice.unarousable_grade if unarousable else ice.range(score).grade, **by_domain}
    return Graded(max(by_domain.values()) or None, by_domain, score)
