"""The report's sections on regressions: made of ``ModelParts`` alone, so that every figure stands in the record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from bot.cohort.inline_svg import inline_svg
from bot.cohort.report.model_plots import forest, ldh_by_outcome, predicted_against_observed
from bot.cohort.report.model_words import NONE, named, odds, p_value, whole
from bot.html_page import pair, section, table, words
from knowledge.assessment import Outcome
from knowledge.cohort.report.imputation import Imputed
from knowledge.cohort.report.model_parts import ModelParts
from knowledge.cohort.report.models import Regression
from knowledge.cohort.report.optimism import Performance
from knowledge.cohort.report.predictors import MEANINGS, Predictor
from knowledge.cohort.report.specification import NAMES, OUTCOMES, Specification

STANDINGS = {"univariable": "by itself", "published": "as the study", "exploratory": "exploratory"}
# What the founding study reports of each outcome, with the ids of the evidence.
REPORTED: dict[Outcome, str] = {
    Outcome.CRS_ANY: "LDH and liver metastases as predictors (rf.joshi.ldh.crs, rf.joshi.liver.crs)",
    Outcome.CRS_GRADE2PLUS: "LDH as a predictor (rf.joshi.ldh.crs_g2)",
    Outcome.ICANS_ANY: "diabetes and cardiovascular disease as predictors (rf.joshi.diabetes.icans, "
    "rf.joshi.cvd.icans)",
}


def model_sections(parts: ModelParts) -> list[str]:
    """Sections of HTML, in order: what the cohort can bear, the models by outcome, LDH, predictions, missing data."""
    return [
        _size(parts),
        *(_outcome(parts, outcome) for outcome in OUTCOMES),
        _ldh(parts),
        _predictions(parts),
        _imputation(parts),
        _methods(parts),
    ]


def _size(parts: ModelParts) -> str:
    found = parts.population
    people = (
        f"Regressions are of the {found.without_prophylaxis:,} patients known to be without prophylactic tocilizumab, "
        f"of {found.patients:,}; {found.with_prophylaxis:,} had it, of {found.prophylaxis_unknown:,} it is not known."
    )
    rows = [
        [
            named(each.specification),
            f"{each.events:,}/{each.n:,}",
            f"{each.parameters}",
            f"{each.per_parameter:.1f}",
            whole(each.needed),
            NONE if each.shrinkage is None else f"{each.shrinkage:.2f}",
        ]
        for each in parts.sizes
    ]
    criteria = [
        [
            named(each.specification),
            *(whole(count) for count in (each.by_shrinkage, each.by_optimism, each.by_overall_risk, each.needed_all)),
        ]
        for each in parts.sizes
    ]
    said: dict[str, bool] = {}
    for each in parts.sizes:
        if each.specification.standing == "published":
            said.setdefault(each.verdict, bool(each.met))
    verdicts = [f'<p class="verdict{"" if met else " wrong"}">{escape(verdict)}</p>' for verdict, met in said.items()]
    head = ("model", "events", "predictors", "rarer outcome per predictor", "patients needed", "expected shrinkage")
    by = (
        "model",
        "little overfitting",
        "little optimism",
        "overall risk",
        f"all {parts.sizes[0].parameters_all} looked at",
    )
    return section(
        "Is the cohort large enough for regressions?",
        *_simulated(parts),
        words(people),
        *verdicts,
        table("Events and least sample sizes for a prediction model (Riley 2019)", head, rows),
        table("Patients needed by criterion; and for every predictor that is looked at here", by, criteria),
        words(
            "Least sizes are worked out with this cohort's own rates and the customary assumption that a model "
            "reaches 15 % of the largest possible R² (Cox-Snell). The shrinkage is that of ordinary logistic "
            "regression; for few patients it is a scale, not a measurement. Meeting the least size does not make a "
            "model right.",
            small=True,
        ),
    )


def _outcome(parts: ModelParts, outcome: Outcome) -> str:
    models = [each for each in (*parts.univariable, *parts.study) if each.specification.outcome is outcome]
    body = [
        *_simulated(parts),
        words(f"The founding study reports {REPORTED[outcome]}; it gives no odds ratios and no coding of LDH."),
    ]
    picture = forest(parts, outcome)
    rows = [row for each in models for row in _effects(each)]
    head = ("predictor", "compared", "model", "events", "odds ratio (95 %)", "p")
    figures = table(f"Odds ratios for {NAMES[outcome]}: Firth regression, profile intervals", head, rows)
    if picture is None:
        body.append(figures)
    else:
        about = f"One line a predictor; the table of odds ratios for {NAMES[outcome]} below has every figure."
        body.append(pair(inline_svg(picture, f"forest-{_key(outcome)}", about), figures, down=True))
    body.append(words(_chance(models), small=True))
    body += _by_sentence([(each.specification, [each.not_fitted or "", *each.notes]) for each in models], outcome=False)
    return section(f"Predictors of {NAMES[outcome]}", *body)


def _effects(model: Regression) -> Iterator[list[str]]:
    sample, specification = model.sample, model.specification
    events = f"{sample.events:,}/{sample.n:,}"
    for each in specification.predictors:
        effect = next((found for found in model.effects if found.predictor is each), None)
        yield [
            MEANINGS[each].label,
            MEANINGS[each].step,
            _with(specification, each),
            events,
            "not fitted" if effect is None else odds(effect.odds_ratio, effect.odds_ratio_limits),
            NONE if effect is None or effect.p_value is None else p_value(effect.p_value),
        ]


def _with(specification: Specification, predictor: Predictor) -> str:
    others = [MEANINGS[each].label for each in specification.predictors if each is not predictor]
    if specification.standing == "univariable":
        return "by itself"
    alone = "alone" if not others else f"with {' and '.join(others)}"
    return f"{STANDINGS[specification.standing]}: {alone}"


def _chance(models: Sequence[Regression]) -> str:
    tested = sum(len(each.effects) for each in models if each.specification.standing == "univariable")
    return (
        f"{tested} predictors are tested by themselves, without correction: with no effect at all, about "
        f"{0.05 * tested:.1f} would have p below 0.05 by chance. LDH is there in two codings. Patients with a value "
        "missing are left out of that model alone, so models may rest on different patients."
    )


def _by_sentence(said: Sequence[tuple[Specification, Sequence[str]]], *, outcome: bool = True) -> list[str]:
    """Why something was not done, and what is odd about what was: each sentence once, with its models."""
    models: dict[str, list[str]] = {}
    for specification, lines in said:
        for line in filter(None, lines):
            models.setdefault(line, []).append(named(specification, outcome=outcome))
    return [words(f"{'; '.join(dict.fromkeys(names))}: {line}", small=True) for line, names in models.items()]


def _ldh(parts: ModelParts) -> str:
    picture = ldh_by_outcome(parts)
    if picture is None:
        return section("LDH by outcome", words("LDH is known as a number in no patient without prophylaxis."))
    drawn = (
        f"{len(parts.dots):,} of {parts.dots_of:,} patients, drawn by lot" if len(parts.dots) < parts.dots_of else ""
    )
    of_these = ", which like the counts is of those drawn" if drawn else ""
    about = (
        f"{drawn or f'{parts.dots_of:,} patients'}, each a dot, whose height has no meaning; the black stroke is the "
        f"median{of_these}. Patients whose LDH is known only as high or normal ({parts.ldh_category:,}) or not at all "
        "have none."
    )
    chart = inline_svg(picture, "ldh-by-outcome", about)
    return section("LDH by outcome", *_simulated(parts), pair(chart, words(about, small=True), down=True))


def _predictions(parts: ModelParts) -> str:
    body = [
        *_simulated(parts),
        words(
            "What each model says of the patients it was made from. That flatters it: the c statistic is given with "
            "the optimism found by resampling taken off. Groups are of like predictions; bars are exact 95 % "
            "intervals. FLIC: Firth's predictions with their level set so that their mean is the share observed."
        ),
    ]
    for outcome in OUTCOMES:
        picture = predicted_against_observed(parts, outcome)
        if picture is not None:
            about = (
                "Share observed against mean prediction in groups of patients with like predictions, events and "
                "patients beside; single dots are patients: those with the outcome above 100, those without below 0."
            )
            body += [
                f"<h3>{escape(NAMES[outcome])}</h3>",
                pair(inline_svg(picture, f"predicted-{_key(outcome)}", about), words(about, small=True), down=True),
            ]
    rows = [_discrimination(each) for each in parts.performance]
    head = ("model", "events", "c, apparent", "optimism", "c, corrected", "resamples used")
    body.append(table("c statistic: 0.5 is no better than chance, 1 is without fault", head, rows))
    body += _by_sentence([(each.specification, [each.not_corrected or ""]) for each in parts.performance])
    body.append(
        words(
            "The correction is for fitting alone: predictors are taken as given, and patients of another centre are "
            "not in it. It has no interval; with few patients it is itself unsure.",
            small=True,
        )
    )
    return section("Predicted against observed", *body)


def _discrimination(found: Performance) -> list[str]:
    return [
        named(found.specification),
        f"{found.events:,}/{found.n:,}",
        f"{found.apparent:.2f}",
        NONE if found.optimism is None else f"{found.optimism:.2f}",
        NONE if found.corrected is None else f"{found.corrected:.2f}",
        f"{found.resamples_used:,} of {found.resamples:,}",
    ]


def _imputation(parts: ModelParts) -> str:
    rows = [row for each in parts.imputation if each.effects for row in _imputed(parts, each)]
    body = [
        *_simulated(parts),
        words(
            "A sensitivity analysis beside the complete cases, not in their place. Missing predictors are filled in "
            "from patients who are alike in the outcome and in the study's predictors of that toxicity; outcomes are "
            "never filled in. It is right only if values are missing for reasons that these explain, which no data "
            "can show."
        ),
    ]
    head = ("predictor", "model", "patients", "incomplete", "sets", "complete cases", "imputed", "p", "from missing")
    body.append(table("Odds ratios (95 %), complete cases and multiple imputation", head, rows))
    body += _by_sentence([(each.specification, [each.not_done or "", *each.notes]) for each in parts.imputation])
    return section("Missing data: multiple imputation", *body)


def _imputed(parts: ModelParts, found: Imputed) -> Iterator[list[str]]:
    beside = next(each for each in parts.study if each.specification == found.specification)
    for effect in found.effects:
        plain = next((each for each in beside.effects if each.predictor is effect.predictor), None)
        yield [
            MEANINGS[effect.predictor].label,
            named(found.specification),
            f"{found.sample.n:,}",
            f"{found.incomplete:,}",
            f"{found.sets}",
            NONE if plain is None else odds(plain.odds_ratio, plain.odds_ratio_limits),
            odds(effect.odds_ratio, effect.odds_ratio_limits),
            p_value(effect.p_value),
            f"{100 * effect.missing_share:.0f} %",
        ]


def _methods(parts: ModelParts) -> str:
    return section(
        "How the regressions were made",
        words(
            "Firth's penalised logistic regression, as in the founding study (Firth 1993; Heinze and Schemper 2002): "
            "with few events ordinary logistic regression exaggerates odds ratios, or has none. Limits by profile "
            "penalised likelihood, p by the penalised likelihood ratio. Predictions by FLIC (Puhr 2017), whose mean "
            f"is the observed rate. Optimism by up to {parts.resamples:,} resamples (Harrell 1996). Imputation by "
            "chained equations with predictive mean matching; Rubin's rules with Barnard and Rubin's degrees of "
            f"freedom; limits there are by Student's t, not by profile. Seed {parts.seed}. "
            "ECOG is taken as 2 or more against 0 or 1; age per 10 years, 90 standing for older.",
            small=True,
        ),
    )


def _simulated(parts: ModelParts) -> list[str]:
    return [words("Simulated patients: these figures are of nobody.")] if parts.population.simulated else []


def _key(outcome: Outcome) -> str:
    return outcome.value.replace("_", "-")
