"""The engine's regression table; ``python -m tests.support.engine_freeze`` writes it anew from the shipped model."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from knowledge import Assessment, LdhCategory, LdhMultiple, PatientFactors, Presence, assess
from knowledge.factors import Ldh

TABLE = Path(__file__).parents[1] / "spec" / "engine_cases.toml"
_HEAD = """\
# What the engine answered for a few patients: risk, lower and upper 95 % limit at a new centre.
# These figures pin model {model}. They may change only with the model, never to make a test pass:
# python -m tests.support.engine_freeze writes them anew from the model that ships.
model = "{model}"
"""


def cases() -> dict[str, Any]:
    """The table as it stands."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def patient(case: dict[str, Any]) -> PatientFactors:
    """The patient of one case; what it does not name is unknown."""
    return PatientFactors(
        ldh=_ldh(case.get("ldh")),
        liver_metastases=Presence(case.get("liver", "unknown")),
        diabetes=Presence(case.get("dm", "unknown")),
        cardiovascular_disease=Presence(case.get("cvd", "unknown")),
    )


def answers(answer: Assessment) -> dict[str, list[float]]:
    """Risk and limits of each outcome, to eight decimals."""
    return {
        str(outcome.outcome): [round(figure, 8) for figure in (outcome.risk, *outcome.interval)]
        for outcome in answer.outcomes
    }


def _ldh(words: float | str | None) -> Ldh | None:
    if words is None:
        return None
    if isinstance(words, str):
        return LdhCategory.model_validate({"category": words})
    return LdhMultiple(multiple=words)


def _write() -> None:
    parts = [_HEAD.format(model=assess(PatientFactors()).model.id)]
    for case in cases()["case"]:
        given = {key: case[key] for key in ("ldh", "liver", "dm", "cvd") if key in case}
        found = answers(assess(patient(case)))
        lines = [f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in given.items()]
        parts.append(
            "\n".join(["[[case]]", *lines, *(f"{name} = {figures}" for name, figures in found.items())]) + "\n"
        )
    TABLE.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    _write()
