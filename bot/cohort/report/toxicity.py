"""Toxicity by grade, and its course, on the report's page."""

from __future__ import annotations

from bot.cohort.report.charts import Bar, stacked_grades
from bot.cohort.report.words import NONE, count, middle, rate, span
from bot.html_page import pair, section, table, words
from knowledge.cohort.report.course import Course, Treated
from knowledge.cohort.report.groups import ByGroup
from knowledge.cohort.report.proportions import Proportion
from knowledge.cohort.report.study import StudyReport
from knowledge.cohort.report.toxicity import Grades


def toxicity_section(report: StudyReport) -> str:
    """By grade: picture, then counts, then shares with intervals."""
    show_unknown = report.flow.patients.not_known > 0
    seen = [each for each in report.toxicity if each.groups.everyone.any_grade.n]
    bars, rows, shares = [], [], []
    for each in seen:
        lines = _named(each.groups, show_unknown)
        bars.append((each.label, [Bar(name, group.counts) for name, group in lines]))
        for name, group in lines:
            counts = [f"{count:,}" for count in group.counts]
            rows.append([f"{each.label}, {name}", *counts, f"{group.not_known:,}"])
            shares.append(
                [f"{each.label}, {name}", rate(group.any_grade), rate(group.grade2plus), rate(group.grade3plus)]
            )
    unseen = [each.label for each in report.toxicity if each not in seen]
    head = ["", *(f"grade {grade}" for grade in range(6)), "not known"]
    return section(
        "Toxicity by grade",
        words("Worst grade; bars show the patients whose grade is known."),
        words(f"No grade is known: {', '.join(unseen)}.") if unseen else "",
        pair(
            stacked_grades("Patients by worst grade", bars) if seen else "",
            table("Shares of those whose grade is known, with exact 95 % intervals", ["", "any", "≥ 2", "≥ 3"], shares),
            down=True,
        ),
        table("Patients by worst grade", head, rows),
    )


def course_section(report: StudyReport) -> str:
    """Onset, duration, treatment; discontinuation and death."""
    parts = []
    for each in report.course:
        groups = (("without prophylaxis", "without"), ("with prophylaxis", "given"), ("all", "everyone"))
        times = [
            [
                f"{what}, {name}",
                f"{getattr(hours, key).n:,}",
                middle(getattr(hours, key)),
                span(getattr(hours, key)),
            ]
            for what, hours in (("onset", each.onset_hours), ("duration", each.duration_hours))
            for name, key in groups
        ]
        parts.append(f"<h3>{each.label}</h3>")
        parts.append(
            table(
                f"{each.label}{' after dose 1' if each.key == 'crs' else ''}, hours, in those who had it",
                ["", "patients", "median (quartiles), n known", "lowest to highest"],
                times,
            )
        )
        parts.append(_treatments(each))
    fate = report.fate
    rows = [
        [name, *(count(group) for group in (found.without, found.given, found.not_known, found.everyone))]
        for name, found in (
            ("treatment with tarlatamab ended", fate.discontinued),
            ("died of the treatment", fate.died_of_treatment),
            ("died of something else", fate.died_otherwise),
        )
    ]
    return section(
        "Onset, duration, treatment, outcome",
        words(
            "Onset counts from the start of the first infusion, duration from onset to resolution. A duration that "
            "is not recorded may mean that the toxicity was not resolved, or that nobody "
            "wrote it down; it is not counted.",
            small=True,
        ),
        *parts,
        "<h3>Discontinuation and death</h3>",
        table(
            "All patients of whom it is known",
            ["", "without prophylaxis", "with", "prophylaxis not known", "all"],
            rows,
        ),
        _exact(fate.discontinued, fate.died_of_treatment),
    )


def _exact(discontinued: ByGroup[Proportion], died: ByGroup[Proportion]) -> str:
    return words(
        f"All patients, exact 95 % intervals: ended {rate(discontinued.everyone)}; died of the treatment "
        f"{rate(died.everyone)}."
    )


def _treatments(each: Course) -> str:
    if not each.treatment.everyone.any_treatment.n:
        return words(
            f"What was given is not known of any of the {each.patients.everyone:,} patients who had {each.label}."
        )

    def row(name: str, of: ByGroup[Treated], what: str | None) -> list[str]:
        chosen = [
            group.any_treatment if what is None else next(v for k, v in group.each.items() if k.value == what)
            for group in (of.without, of.given, of.everyone)
        ]
        return [name, *(rate(found) if found.n else NONE for found in chosen)]

    rows = [row("any of these", each.treatment, None)]
    rows += [row(kind.value, each.treatment, kind.value) for kind in each.treatment.everyone.each]
    return table(
        f"Treatment of {each.label}, in those of whom it is known (one may have had several)",
        ["", "without prophylaxis", "with prophylaxis", "all"],
        rows,
    )


def _named(groups: ByGroup[Grades], show_unknown: bool) -> list[tuple[str, Grades]]:
    named = [("without prophylaxis", groups.without), ("with prophylaxis", groups.given)]
    return [*named, ("prophylaxis not known", groups.not_known)] if show_unknown else named
