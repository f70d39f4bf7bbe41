"""Every look-up of the label there is, for tests that walk them all."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from handlers.lookup.grade import grade_result
from handlers.lookup.registry import LOOK_UPS
from handlers.lookup.reply import LookUp
from knowledge.evidence import load as load_evidence
from knowledge.label import load
from knowledge.label.grading import CrsFindings, Fever, IcansFindings

TODAY = "2026-11-24"
# What the look-ups must say, typed by hand.
SPEC: dict[str, Any] = tomllib.loads((Path(__file__).parents[1] / "spec" / "label.toml").read_text(encoding="utf-8"))

COMMANDS = (
    *("dose", "dose label", "dose c1d1 14", "dose c1d1 15", "dose c1d8 21", "dose c1d8 22", "dose c1d15 28"),
    *("dose c1d15 29", "dose c7d15 29d", "dose later 300", "dose 1 mg 3"),
    *("monitor", "monitor labs", "monitor c1", "monitor c1d1", "monitor c1d8", "monitor c1d15", "monitor c2"),
    *("monitor c2d15", "monitor c3", "monitor c4d1", "monitor c5", "monitor c12"),
    *("manage", "manage crs", "manage icans", "manage holds", "manage neutropenia", "manage febrile neutropenia"),
    *("manage hb", "manage platelets", "manage infection", "manage alt", "manage other"),
    *(f"manage {name} {grade}" for name in ("crs", "icans") for grade in (1, 2, 3, 4)),
    *("toci", "toci 20kg", "toci 29.99 kg", "toci 30kg", "toci 82kg", "toci 82.5 kg", "toci 100kg", "toci 100.01 kg"),
    *("toci 300 kg", "toci warnings", "toci contraindications", "toci interactions", "toci biosimilars"),
    *("toci indications", "toci prophylaxis"),
    *("grade", "grade crs", "grade icans"),
)

_ICE = {"orientation": 4, "naming": 3, "commands": 1, "writing": 1, "attention": 1}
FINDINGS = (
    CrsFindings(Fever.YES, "none", "none"),
    CrsFindings(Fever.TREATED, "none", "none"),
    CrsFindings(Fever.TREATED, "one_vasopressor", "low_flow"),
    CrsFindings(Fever.YES, "multiple_vasopressors", "positive_pressure"),
    CrsFindings(Fever.OTHER_CAUSE, "no_vasopressor", "none"),
    CrsFindings(Fever.NO, "none", "high_flow"),
    IcansFindings(_ICE, "alert", "none", "none", "none"),
    IcansFindings(_ICE | {"orientation": 2}, "voice", "resolved", "none", "focal"),
    IcansFindings(dict.fromkeys(_ICE, 0), "spontaneously", "none", "none", "none"),
    IcansFindings(dict.fromkeys(_ICE, 0), "unarousable", "prolonged", "focal_weakness", "diffuse"),
    IcansFindings(_ICE, "alert", "none", "focal_weakness", "none"),
    IcansFindings(_ICE, "voice", "none", "focal_weakness", "none"),
)


def look_up(command: str, today: str = TODAY) -> LookUp:
    """The look-up for a command without ``/tarla``."""
    first, *rest = command.split()
    return LOOK_UPS[first](rest, today)


def all_look_ups() -> list[tuple[str, LookUp]]:
    """Every look-up with what it answers."""
    return [
        *((command, look_up(command)) for command in COMMANDS),
        *((str(findings), grade_result(findings, TODAY)) for findings in FINDINGS),
    ]


def resolve(record_id: str) -> Any:
    """A label record or the source of one as plain data, or None; of a source's date the year alone too."""
    source = load_evidence().sources.get(record_id)
    if source is not None:
        return {**source.model_dump(mode="json"), "year": source.year}
    try:
        return load().record(record_id).model_dump(mode="json")
    except KeyError:
        return None
