"""Table 1 on the report's page, with the picture of standardised differences."""

from __future__ import annotations

from bot.cohort.report.charts import love
from bot.cohort.report.words import apart, count, mean, middle
from bot.html_page import pair, section, table, words
from knowledge.cohort.report.baseline import Categories, Measured, Variable, YesNo
from knowledge.cohort.report.differences import ALIKE
from knowledge.cohort.report.groups import ByGroup
from knowledge.cohort.report.study import StudyReport

KEYS = ("without", "given", "not_known", "everyone")


def baseline_section(report: StudyReport) -> str:
    """Table 1."""
    found, patients = report.baseline, report.flow.patients
    columns = [key for key in KEYS if key != "not_known" or patients.not_known]
    names = {"without": "without prophylaxis", "given": "with", "not_known": "not known", "everyone": "all"}
    head = ["", *(f"{names[key]} (n {getattr(patients, key):,})" for key in columns), "missing", "standardised diff."]
    rows = [line for each in found.variables for line in _lines(each, columns)]
    pictured = [
        (label(each), None if (d := each.difference.value) is None else abs(d), each.difference.by_chance)
        for each in found.variables
    ]
    told = (
        "Standardised difference: with prophylaxis less without, in standard deviations; without sign where there are "
        "several categories. Up to "
        f"{ALIKE} counts as alike by convention."
    )
    bounds = [bound for each in found.variables if (bound := each.difference.by_chance) is not None]
    if bounds:
        low, high = (f"{bound:.2f}" for bound in (min(bounds), max(bounds)))
        told += (
            " In groups of this size that do not differ at all about 95 % would stay below the black stroke of their "
            f"line ({low if low == high else f'{low} to {high}'}; further out for several categories and where few "
            "values are known): a smaller one cannot be told from chance, which does not make the groups alike."
        )
    return section(
        "Table 1: the patients before the first dose",
        pair(
            love("Size of standardised differences, with prophylaxis against without", pictured, ALIKE),
            words(told),
            down=True,
        ),
        table("By tocilizumab prophylaxis: median (quartiles), n known; mean (SD); or patients/known", head, rows),
        words(
            "No p values: nobody doubts that more than chance decided who got prophylaxis, and a p value follows the "
            "number of patients more than the imbalance.",
            small=True,
        ),
    )


def label(each: Variable) -> str:
    """The variable's name with its unit."""
    return f"{each.label}, {each.unit}" if isinstance(each, Measured) and each.unit else each.label


def _lines(each: Variable, columns: list[str]) -> list[list[str]]:
    if isinstance(each, Measured):
        groups = [getattr(each.groups, key) for key in columns]
        lost = each.groups.everyone.n - each.groups.everyone.known
        return [
            [label(each), *(middle(group) for group in groups), f"{lost:,}", apart(each.difference)],
            ["· mean (SD)", *(mean(group) for group in groups), "", ""],
        ]
    if isinstance(each, YesNo):
        cells = [count(getattr(each.groups, key)) for key in columns]
        return [[each.label, *cells, _missing(each.missing), apart(each.difference)]]
    return _categories(each, columns)


def _categories(each: Categories, columns: list[str]) -> list[list[str]]:
    lines = [[each.label, *("" for _ in columns), _missing(each.missing), apart(each.difference)]]
    for place, name in enumerate(each.levels):
        cells = [count(getattr(each.groups, key)[place]) for key in columns]
        lines.append([f"· {name}", *cells, "", ""])
    return lines


def _missing(found: ByGroup[int]) -> str:
    return f"{found.everyone:,}"
