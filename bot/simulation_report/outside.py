"""How far answers move when the model is changed, and what other cohorts saw."""

from __future__ import annotations

from bot.simulation_report.words import OUTCOMES, joined
from knowledge.simulation.results import Sensitivity, StudyResults


def how_far_answers_move(found: Sensitivity) -> str:
    patients = "\n".join(f"- {patient.id}: {patient.description}" for patient in found.patients)
    lines = []
    for variant in found.variants:
        for move in variant.moves:
            lines.append(
                f"| {variant.title} | {variant.change} | {OUTCOMES[move.outcome]} | {100 * move.largest_risk:.1f} "
                f"({move.largest_risk_patient}) | {100 * move.mean_risk:.1f} | {100 * move.mean_shift:+.1f} "
                f"| {100 * move.largest_limit:.1f} | {100 * move.mean_limit:.1f} |"
            )
    # Those that take draws of the shipped model itself are larger.
    least = min(variant.effective_draws for variant in found.variants)
    return f"""\
## Sensitivity: how far do the shown figures move?

One thing about the model is changed at a time. Movement of estimate and of the two 95 % limits at a new centre, in
percentage points, over these patients (largest with the patient it belongs to, mean, and mean with its sign):

{patients}

Each variant is built with fewer effective draws than the model that ships (at least {least:,.0f}), so a part of what
moves is Monte Carlo noise of that size: the line "another seed" shows how much. The model that ships moves less under
another seed. Every figure is in `knowledge/data/simulation/sensitivity.json`.

| variant | change | outcome | estimate: largest | mean | mean with sign | limits: largest | mean |
|---|---|---|---|---|---|---|---|
{joined(lines)}"""


def external(study: StudyResults) -> str:
    check = study.external
    lines = []
    for rate in check.rates:
        below, above = rate.interval
        counted = (
            f"{rate.events}/{rate.n} = {100 * rate.events / rate.n:.1f} % ({100 * below:.1f} to {100 * above:.1f})"
        )
        lines.append(f"| {rate.fact} | {rate.population} | {rate.window} | {counted} |")
    low, high = check.interval
    return f"""\
## An external check, of averages only

The engine's CRS of grade >= 2 for a patient of whom nothing is known, at a new centre: {100 * check.risk:.1f} %
({100 * low:.1f} to {100 * high:.1f}; the interval is of one patient's risk and holds the differences between patients).
Published rates, with exact 95 % intervals:

| fact | population | window | rate |
|---|---|---|---|
{joined(lines)}

This is weak evidence, and not independent: the model's prior for severity given CRS, and much of its average rate of
CRS, come from the same pooled trials as the second rate. The first cohort's centre, grading and time window are not
stated, and its case mix need not be the founding study's. It is a check of averages; it says nothing about single
patients."""
