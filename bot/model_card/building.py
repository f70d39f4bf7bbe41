"""What the build found and how small the study is, as Markdown."""

from __future__ import annotations

from bot.model_card.tables import bullets, number, percent, table, tiny
from knowledge.card.found import BuildFindings, SampleSize, SizeRow, Stratum
from knowledge.card.records import Notes

NO_CODING = "none"


def build_section(build: BuildFindings, notes: Notes) -> list[str]:
    """What the build found."""
    pools = [
        f"{each.outcome}: {each.draws:,} draws, effective sample size {each.effective_size:,.0f}."
        for each in build.pools
    ]
    parts = [
        "## What the build found",
        bullets(pools),
        notes.build,
        table(
            ("Outcome", ">tau", "LDH as", ">Cohorts simulated", ">Effective", ">Show the facts", ">Share"),
            (_stratum_row(each) for each in build.strata),
        ),
    ]
    parts.append(notes.reached)
    for outcome in dict.fromkeys(each.outcome for each in build.strata):
        same = [each for each in build.strata if each.outcome == outcome]
        heads = [f">{each.condition[0].upper()}{each.condition[1:]}" for each in same[0].reached]
        parts.append(table((f"{outcome}: tau", "LDH as", *heads), (_reached_row(each) for each in same)))
    rows = [(each.outcome, each.label, _triple(each.prior), _triple(each.posterior)) for each in build.parameters]
    return [*parts, notes.parameters, table(("Outcome", "Parameter", ">Before", ">After"), rows)]


def _coding(stratum: Stratum) -> str:
    return stratum.coding if stratum.coding != NO_CODING else "not in it"


def _stratum_row(stratum: Stratum) -> tuple[str, ...]:
    return (
        stratum.outcome,
        f"{stratum.tau:g}",
        _coding(stratum),
        f"{stratum.simulated:,}",
        f"{stratum.effective_size:,.0f}",
        f"{tiny(stratum.probability_of_facts)} (± {100 * stratum.standard_error / stratum.probability_of_facts:.0f} %)",
        percent(stratum.share_within_tau) if stratum.coding != NO_CODING else "",
    )


def _reached_row(stratum: Stratum) -> tuple[str, ...]:
    return f"{stratum.tau:g}", _coding(stratum), *(tiny(each.probability) for each in stratum.reached)


def size_section(size: SampleSize, notes: Notes) -> list[str]:
    """How small the study is."""
    needed = {
        outcome: [row.needed for row in size.rows if row.outcome == outcome]
        for outcome in dict.fromkeys(row.outcome for row in size.rows)
    }
    predictors = sorted({row.parameters for row in size.rows})
    least = "; ".join(f"{outcome}: **{_range(sizes)}** patients" for outcome, sizes in needed.items())
    heads = (
        "Outcome",
        ">Predictors",
        ">R² (Cox-Snell)",
        ">Shrinkage ≥ 0.9",
        ">Optimism ≤ 0.05",
        ">Overall risk ± 0.05",
    )
    return [
        "## How small the study is",
        f"At the least, for {predictors[0]} to {predictors[-1]} predictors: {least}. The study has **{size.n}**.",
        table((*heads, f">Shrinkage with {size.n}", ">From the apparent fit"), (_size_row(row) for row in size.rows)),
        bullets((*notes.size, f"Nagelkerke R² assumed: {size.nagelkerke:g}.")),
    ]


def _range(values: list[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"


def _size_row(row: SizeRow) -> tuple[str, ...]:
    heuristic = f"{row.heuristic_shrinkage:.2f}"
    return (
        row.outcome,
        str(row.parameters),
        f"{row.cox_snell:.3f}",
        *(f"**{n}**" if n == row.needed else str(n) for n in (row.by_shrinkage, row.by_optimism, row.by_overall_risk)),
        f"{row.expected_shrinkage:.2f}",
        heuristic if row.heuristic_shrinkage > 0 else f"{heuristic}: none",
    )


def _triple(values: tuple[float, float, float]) -> str:
    middle, low, high = (number(value) for value in values)
    return f"{middle} ({low} to {high})"
