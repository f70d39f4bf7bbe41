"""What every part of the report shares: names, and how an estimate with its Monte Carlo error is written."""

from __future__ import annotations

from knowledge.assessment import Outcome
from knowledge.simulation.results import Centre, Estimate, Kind, Method, Performance, ScenarioResult, StudyResults

OUTCOMES: dict[Outcome, str] = {
    Outcome.CRS_ANY: "CRS, any grade",
    Outcome.CRS_GRADE2PLUS: "CRS, grade >= 2",
    Outcome.ICANS_ANY: "ICANS, any grade",
}


NAMES: dict[Method, str] = {
    "firth": "Firth",
    "flic": "FLIC",
    "engine": "engine",
    "rate": "plain rate",
    "pooled": "pooled rate",
    "counts": "counts only",
}


KINDS: dict[Kind, str] = {
    "own": "own prior",
    "part": "one tau of the own prior",
    "prior": "wrong prior",
    "structure": "wrong structure",
}


CENTRE_NAMES: dict[Centre, str] = {"study": "the study's own centre", "new": "a new centre"}


RIVALS: tuple[Method, ...] = ("firth", "flic", "rate", "pooled", "counts")


REGRESSIONS: tuple[Method, ...] = ("firth", "flic", "engine")


# A finding is reported when it lies this many Monte Carlo standard errors beyond what is wanted.
CERTAIN = 2.0


def scenario_of(study: StudyResults, scenario_id: str, outcome: Outcome) -> ScenarioResult:
    return study.scenario(scenario_id, "icans" if outcome is Outcome.ICANS_ANY else "crs")


def with_outcome(study: StudyResults, outcome: Outcome) -> list[ScenarioResult]:
    pool = "icans" if outcome is Outcome.ICANS_ANY else "crs"
    return [scenario for scenario in study.scenarios if scenario.pool == pool]


def other_rows(study: StudyResults, outcome: Outcome, centre: Centre, method: Method) -> list[tuple[Kind, Performance]]:
    """One method's rows under every truth that differs from the engine's own prior in this outcome at this centre."""
    found = [(scenario.kind, scenario.of(outcome, centre, method)) for scenario in with_outcome(study, outcome)]
    return [(kind, row) for kind, row in found if kind != "own" and not row.own_prior_again]


def surely_below(figure: Estimate, bound: float) -> bool:
    return figure.value is not None and figure.se is not None and figure.value + CERTAIN * figure.se < bound


def surely_above(figure: Estimate, bound: float) -> bool:
    return figure.value is not None and figure.se is not None and figure.value - CERTAIN * figure.se > bound


def number(figure: Estimate, decimals: int) -> str:
    return "–" if figure.value is None else f"{figure.value:.{decimals}f}"


def with_error(figure: Estimate, decimals: int = 3) -> str:
    return "–" if figure.value is None else f"{figure.value:.{decimals}f} ± {figure.se:.{decimals}f}"


def percent(figure: Estimate, *, error: bool = True) -> str:
    if figure.value is None or figure.se is None:
        return "–"
    return f"{100 * figure.value:.1f} ± {100 * figure.se:.1f}" if error else f"{100 * figure.value:.0f}"


def points(figure: Estimate, *, error: bool = True) -> str:
    if figure.value is None or figure.se is None:
        return "–"
    return f"{100 * figure.value:+.1f} ± {100 * figure.se:.1f}" if error else f"{100 * figure.value:+.1f}"


def bullets(lines: list[tuple[float, str]]) -> str:
    return "\n".join(f"- {line}" for _, line in sorted(lines)) or "- none"


def joined(lines: list[str]) -> str:
    return "\n".join(lines)
