"""The card's figures from the simulation study, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.model_card.tables import bullets, percent, span, table, with_error
from knowledge.assessment import Outcome
from knowledge.card.found import (
    MethodResult,
    Move,
    OutsideRate,
    RankCheck,
    SensitivityTable,
    Simulation,
    Truth,
)
from knowledge.card.records import Notes
from knowledge.simulation.scenarios import OWN_PRIOR

OUTCOMES = {
    Outcome.CRS_ANY: "CRS, any grade",
    Outcome.CRS_GRADE2PLUS: "CRS, grade ≥ 2",
    Outcome.ICANS_ANY: "ICANS, any grade",
}
POOLS = {"crs": "CRS", "icans": "ICANS"}
METHODS = {
    "firth": "Firth odds ratios plugged in",
    "flic": "the same with FLIC",
    "engine": "Tarla",
    "rate": "the cohort's rate for everyone",
    "pooled": "other cohorts' rate for everyone",
    "counts": "Tarla without the significances",
}
KINDS = {
    "own": "own prior",
    "part": "one tau of the own prior",
    "prior": "wrong prior",
    "structure": "wrong structure",
}
CENTRES = {"study": "a patient at the study's own centre", "new": "a patient at a new centre, as Tarla shows it"}


def performance_section(study: Simulation, notes: Notes) -> list[str]:
    """How the engine did in simulation, beside the obvious alternatives."""
    own = [row for row in study.results if row.truth_id == OWN_PRIOR]
    parts = [
        "## Performance in simulation",
        *notes.performance,
        *_headline(study),
        f"{_made_with(study.model, study.model_sha256, study.same_model)} In full, with where it falls short: "
        "[study.md](study.md); pictures of "
        "[coverage](pictures/study-coverage.svg) and [calibration](pictures/study-calibration.svg).",
        "### Under the engine's own prior",
        notes.own_prior,
    ]
    for centre, words in CENTRES.items():
        rows = [row for row in own if row.centre == centre]
        if rows:
            parts += [f"For {words}:", table(_HEADS, (_method_row(row) for row in rows))]
    return [
        *parts,
        bullets(notes.measures),
        "### Under wrong priors and wrong structures",
        notes.wrong_priors,
        table(_WRONG_HEADS, _truth_rows(study)),
        "The truths, with the cohorts that show the facts and what they are worth after weighting:",
        table(("Truth", "Kind", "What is drawn", "Cohorts (worth)"), _truths(study.truths)),
        "### Ranks",
        notes.ranks,
        table(("Outcome", "Centre", ">Patients", ">Smallest p", ">Below 0.05"), _rank_rows(study.ranks)),
        "### Beside other cohorts",
        f"{OUTCOMES[study.outside_outcome]}, average patient at a new centre: {percent(study.outside_risk)} "
        f"({span(study.outside_interval)}). Published:",
        bullets(_outside(each) for each in study.outside_rates),
    ]


def _headline(study: Simulation) -> list[str]:
    """Coverage at a new centre, under the engine's own prior and over the other truths."""
    rows = []
    for outcome, name in OUTCOMES.items():
        for method in ("engine", "firth", "flic", "pooled", "counts"):
            covered = _coverage(study, outcome, method)
            own = covered.pop(OWN_PRIOR, None)
            if own is not None and covered:
                ends = (min(covered, key=covered.__getitem__), max(covered, key=covered.__getitem__))
                worst, best = (f"{percent(covered[end])}: {_title(study, end)}" for end in ends)
                rows.append((name, METHODS[method], percent(own), worst, best))
    if not rows:
        return []
    return [
        "How often the 95 % interval holds the true risk of a patient at a new centre:",
        table(("Outcome", "Method", ">Engine's own prior", "Worst of the other truths", "Best of them"), rows),
    ]


def _coverage(study: Simulation, outcome: Outcome, method: str) -> dict[str, float]:
    """Coverage at a new centre by truth."""
    return {
        row.truth_id: row.coverage.value
        for row in study.results
        if (row.outcome, row.method, row.centre) == (outcome, method, "new")
        and row.coverage.value is not None
        and not row.own_prior_again
    }


def _title(study: Simulation, truth_id: str) -> str:
    return next(each.title for each in study.truths if each.id == truth_id)


def _rank_rows(ranks: Sequence[RankCheck]) -> Iterator[tuple[str, ...]]:
    for outcome, centre in dict.fromkeys((each.outcome, each.centre) for each in ranks):
        found = [each.pvalue for each in ranks if (each.outcome, each.centre) == (outcome, centre)]
        smallest = "below 0.001" if min(found) < 0.001 else f"{min(found):.3f}"
        yield OUTCOMES[outcome], centre, str(len(found)), smallest, str(sum(p < 0.05 for p in found))


def _truths(truths: Sequence[Truth]) -> Iterator[tuple[str, ...]]:
    for truth in dict.fromkeys(each.id for each in truths):
        same = [each for each in truths if each.id == truth]
        counts = "; ".join(f"{POOLS[t.outcomes]} {t.cohorts:,} ({t.effective_cohorts:,.0f})" for t in same)
        kinds = {KINDS[t.kind] for t in same}
        kind = kinds.pop() if len(kinds) == 1 else "; ".join(f"{POOLS[t.outcomes]} {KINDS[t.kind]}" for t in same)
        yield same[0].title, kind, same[0].text, counts


def _outside(rate: OutsideRate) -> str:
    counts = f"{rate.events}/{rate.n} = {percent(rate.events / rate.n)} ({span(rate.interval)})"
    return f"{counts}, {rate.population}, {rate.window} (`{rate.fact}`)."


_WRONG_HEADS = (
    "Truth", "Outcome", ">Coverage, Firth", ">FLIC", ">Tarla", ">Slope, Tarla", ">Brier, Firth", ">FLIC",
    ">Other cohorts' rate", ">Without significances",
)  # fmt: skip
_HEADS = ("Outcome", "Method", ">Intercept", ">Slope", ">Coverage", ">Width", ">Brier", ">Excess")


def _method_row(row: MethodResult) -> tuple[str, ...]:
    return (
        OUTCOMES[row.outcome],
        METHODS[row.method],
        with_error(row.intercept),
        with_error(row.slope),
        with_error(row.coverage, 1, 100) + ("" if row.coverage.value is None else " %"),
        with_error(row.width),
        with_error(row.brier, 3),
        with_error(row.brier_excess, 3),
    )


def _truth_rows(study: Simulation) -> Iterator[tuple[str, ...]]:
    found = {(row.truth_id, row.outcome, row.method): row for row in study.results if row.centre == "new"}
    for truth, outcome in dict.fromkeys(
        (row.truth_id, row.outcome) for row in found.values() if row.truth_id != OWN_PRIOR and not row.own_prior_again
    ):
        firth, flic, engine, pooled, counts = (
            found[truth, outcome, method] for method in ("firth", "flic", "engine", "pooled", "counts")
        )
        yield (
            engine.truth,
            OUTCOMES[outcome],
            *(with_error(each.coverage, 1, 100) for each in (firth, flic, engine)),
            with_error(engine.slope),
            *(with_error(each.brier_excess_over_engine, 3) for each in (firth, flic, pooled, counts)),
        )


def sensitivity_section(found: SensitivityTable, notes: Notes) -> list[str]:
    """How far the shown estimates move when one thing is changed."""
    rows = []
    for change in found.changes:
        by_outcome = {move.outcome: move for move in change.moves}
        rows.append((f"**{change.title}**: {change.change}", *(_move(by_outcome.get(outcome)) for outcome in OUTCOMES)))
    return [
        "## Sensitivity",
        notes.sensitivity,
        f"{_made_with(found.model, found.model_sha256, found.same_model)} In full: [study.md](study.md).",
        table(("Change", *(f">{name}" for name in OUTCOMES.values())), rows),
        "The patients:",
        bullets(found.patients),
    ]


def _move(move: Move | None) -> str:
    if move is None:
        return "unchanged"
    return f"{100 * move.largest_risk:.0f} ({100 * move.largest_limit:.0f})"


def _made_with(model: str, sha256: str, same: bool) -> str:
    if same:
        return "Made with this model."
    return f"**Made with another model**: `{model}`, SHA-256 `{sha256}`."
