"""``docs/study.md``: the evidence study in words and tables, written from its committed results alone."""

from __future__ import annotations

from bot.simulation_report.comparison import headline, in_short, table
from bot.simulation_report.outside import external, how_far_answers_move
from bot.simulation_report.shortcomings import ranks, shortcomings
from bot.simulation_report.words import CENTRE_NAMES, KINDS, OUTCOMES, joined
from knowledge.simulation.results import Sensitivity, StudyResults


def study_report(study: StudyResults, sensitivity: Sensitivity) -> str:
    """The whole document."""
    parts = [
        _introduction(study),
        in_short(study),
        _methods(study),
        headline(study),
        *(table(study, outcome, centre) for outcome in OUTCOMES for centre in CENTRE_NAMES),
        shortcomings(study),
        ranks(study),
        how_far_answers_move(sensitivity),
        external(study),
        _repeat(study, sensitivity),
    ]
    return "\n\n".join(parts) + "\n"


def _introduction(study: StudyResults) -> str:
    return f"""\
# Is the engine worth it? A simulation study

Written by `make evidence-study` from `knowledge/data/simulation/`; not to be edited. Model `{study.model.id}`,
SHA-256 `{study.model.sha256}`.

The founding study reports Firth regressions of 30 patients. The obvious use would be to plug its odds ratios, if one
had them, into a calculator. This study asks how well that would do, and whether the engine does better, in a
world where the true risks are known: simulated cohorts of 30 that show exactly what was published (16 with CRS, 7
with ICANS, three with CRS of grade 3 or higher, and every published significance). Because every cohort shows the
same facts, the engine's answer for a patient is the same throughout; the calculator's differs from cohort to cohort.

**What it cannot show**: that the engine is right about real patients. No patient data are public, and it has never
been validated on any. Under the engine's own prior the engine must do well. That is self-consistency: it checks
pooling, prediction and intervals; it cannot see a fault in the sampler, since truths and engine come from the same one.
The sampler is checked by a plain second implementation (`tests/synthesis/test_agreement.py`, `make synthesis-check`).
Wrong priors and wrong structures say how much is left when an assumption fails, one at a time; a wrong prior leaves the
form of the model right, a wrong structure does not."""


def _methods(study: StudyResults) -> str:
    truths = {scenario.id: scenario for scenario in study.scenarios}
    lines = [
        f"| {each.title} | {_kinds(study, each.id)} | {each.truth} | {_pools(study, each.id)} |"
        for each in truths.values()
    ]
    without = " and ".join(f"{worth:,.0f}" for worth in study.counts_only_draws)
    return f"""\
## How

For each truth, parameters and cohorts are drawn until they are worth at least {study.effective_cohorts_sought:,}
independent cohorts; each cohort gives {study.patients_per_cohort} new patients from its own covariate distribution,
whose true risk is known at the study's own centre and at a new one. Methods:

- **Firth**: the cohort's own Firth regression as a calculator, with the study's coding of LDH; 95 % interval by Wald
  on the link scale.
- **FLIC**: Firth's slopes, intercept set so that the mean prediction is the observed rate (Puhr et al. 2017).
- **engine**: what `assess` answers, at the study's centre and at a new one.
- **plain rate**: the cohort's rate for everybody, with its exact interval.
- **pooled rate**: what other cohorts alone say, for everybody: mean of the centre term's posterior and its interval
  for a new centre; for CRS of grade >= 2 times the prior share of grade >= 2 among those with CRS.
- **counts only**: the engine built without the significances (worth {without} draws for CRS and ICANS).

Firth, FLIC and the plain rate get the cohort's own patients, which no other method sees. The engine, counts only and
the pooled rate use rates of other centres, which Firth, FLIC and the plain rate do not: at a new centre that alone
favours the former. For CRS of grade >= 2 Firth and FLIC regress on LDH alone, as the study did, while in truth liver
metastases act on it through CRS of any grade.

Measures: *slope*, logistic recalibration of the true risks on the logit of the prediction (1 is right, below 1 is too
extreme); *in the large*, mean predicted minus mean true risk; *coverage* and *width* of the 95 % interval for a
patient's true risk; *excess Brier score*, above that of a forecaster who knows the true risks. Standard errors are
Monte Carlo errors with cohorts as clusters.

*One tau of the own prior*: a part of the engine's mixture, taken alone. *Wrong prior*: the engine's form, drawn from
other priors. *Wrong structure*: covariates act in a form that the engine rules out; where only one coding of LDH is
named, LDH acts in that one alone.

| truth | kind | in which | effective cohorts |
|---|---|---|---|
{joined(lines)}"""


def _kinds(study: StudyResults, scenario_id: str) -> str:
    """Its kind, by pool where that differs."""
    found = {each.pool: KINDS[each.kind] for each in study.scenarios if each.id == scenario_id}
    if len(set(found.values())) == 1:
        return next(iter(found.values()))
    return ", ".join(f"{pool.upper()}: {words}" for pool, words in found.items())


def _pools(study: StudyResults, scenario_id: str) -> str:
    found = [scenario for scenario in study.scenarios if scenario.id == scenario_id]
    return ", ".join(f"{each.pool.upper()} {each.effective_cohorts:,.0f}" for each in found)


def _repeat(study: StudyResults, sensitivity: Sensitivity) -> str:
    return f"""\
## Repeating it

`make evidence-study` (seed {study.seed}, {study.patients_per_cohort} patients a cohort; sensitivity seed
{sensitivity.seed}) writes the results, the pictures and this page; the number of processes changes nothing. A test
fails when the model that ships is not the one named above, or when this page does not match the results."""
