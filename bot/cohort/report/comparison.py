"""Prophylaxis against none, and the centre beside the founding study, on the report's page."""

from __future__ import annotations

from html import escape

from bot.cohort.report.baseline import label
from bot.cohort.report.charts import BLUE, INK, ORANGE, Mark, shares
from bot.cohort.report.words import NONE, OUTCOMES, count, number, p_value, points, rate, ratio, strength
from bot.html_page import pair, section, table, words
from knowledge.cohort.report.founding import PublishedRate
from knowledge.cohort.report.proportions import Proportion
from knowledge.cohort.report.study import StudyReport

# The largest differences between the groups that the warning names.
MOST_NAMED = 3


def founding_section(report: StudyReport) -> str:
    """This centre's shares beside the founding study's, picture first."""
    study = report.founding
    groups, rows = [], []
    for each in report.comparison:
        marks = []
        for name, here, published in (
            ("without prophylaxis", each.groups.without, study.without.get(each.outcome)),
            ("with prophylaxis", each.groups.given, study.given.get(each.outcome)),
        ):
            shape, colour = ("circle", BLUE) if name.startswith("without") else ("square", ORANGE)
            marks.append(_mark(f"here, {name}", here, shape, colour))
            if published is not None and published.rate is not None:
                marks.append(_mark(f"study, {name}", published.rate, "diamond", INK))
            there = NONE if published is None else _published(published)
            rows.append(
                [f"{OUTCOMES[each.outcome]}, {name}", rate(here), there, published.evidence if published else NONE]
            )
        groups.append((OUTCOMES[each.outcome], marks))
    age = report.baseline.summary_of("age").everyone
    male, ecog = (report.baseline.share_of(key).everyone for key in ("male", "ecog01"))
    rows.append(
        [
            "median age",
            NONE if age.median is None else f"{number(age.median)} years, n {age.known:,}",
            f"{number(study.median_age)} years, n {study.patients:,}",
            study.median_age_evidence,
        ]
    )
    rows.append(["male", rate(male), _published(study.male), study.male.evidence])
    rows.append(["ECOG 0 or 1", rate(ecog), _published(study.ecog01), study.ecog01.evidence])
    return section(
        "Beside the founding study",
        words(
            f"The founding study ({study.patients} patients, {study.patients_evidence}, source {study.source}) says "
            '"following cycle 1 day 1", which may mean after the first dose or at any time since; this report counts '
            "what came after the first dose."
        ),
        pair(
            shares("Shares with exact 95 % intervals, here and in the founding study", groups),
            table("With exact 95 % intervals", ["", "here", "founding study", "evidence"], rows),
            down=True,
        ),
        *(
            words(f"{found.evidence}: {found.note}", small=True)
            for found in study.given.values()
            if found.note is not None
        ),
    )


def comparison_section(report: StudyReport) -> str:
    """The warning, then the comparison."""
    rows = []
    for each in report.comparison:
        found = each.contrast
        figures = (
            [NONE, NONE, NONE, NONE]
            if found is None
            else [p_value(found.fisher_p), points(found), ratio(found.ratio), strength(found.e_value)]
        )
        rows.append([OUTCOMES[each.outcome], count(each.groups.given), count(each.groups.without), *figures])
    for outcome, found in report.founding.comparison.items():
        rows.append(
            [
                f"founding study: {OUTCOMES[outcome]}",
                count(found.given),
                count(found.without),
                p_value(found.fisher_p),
                points(found),
                ratio(found.ratio),
                strength(found.e_value),
            ]
        )
    head = ["", "with", "without", "Fisher p", "risk difference, % points", "risk ratio", "E-value"]
    return section(
        "Prophylaxis against none",
        f'<p class="verdict wrong">{escape(_warning(report))}</p>',
        words(_empty(report)) if _empty(report) else "",
        table("With prophylaxis against without", head, rows),
        words(
            f"The founding study's tests are ours, on its counts ({report.founding.comparison_evidence}). A difference "
            "below 0 or a ratio below 1 means fewer events with prophylaxis. Where no event was seen in a group its "
            "risk is not 0: read the interval."
        ),
        words(
            "E-value: how strongly something unmeasured would have to go with both prophylaxis and the outcome, as "
            "risk ratios, to explain the ratio away; then the same for the limit of its interval nearest to 1. A "
            "limit of 1 means that nothing need be explained: chance will do. No number is given where the ratio is "
            "0, undefined or infinite. It does not say that such a thing is absent."
        ),
    )


def _warning(report: StudyReport) -> str:
    told = (
        "NOT A TRIAL: confounding by indication. Doctors chose who got prophylaxis, and they choose by the risk they "
        "expect, by what they have learnt, and by when the patient came. No difference below may be read as an effect "
        "of tocilizumab, and none found does not show that there is none. Nothing here is adjusted."
    )
    differences = [
        (abs(each.difference.value), each.difference.by_chance, label(each))
        for each in report.baseline.variables
        if each.difference.value is not None
    ]
    largest = sorted(differences, key=lambda found: -found[0])[:MOST_NAMED]
    if not largest:
        return f"{told} How the groups differ cannot be told from this file."
    named = ", ".join(
        f"{name} {size:.2f}{'' if bound is None else f' (by chance about 95 % stay below {bound:.2f})'}"
        for size, bound, name in largest
    )
    told += f" The groups differed before the first dose; largest standardised differences: {named}"
    return f"{told}. Table 1 has them all; what is not in the file may differ more."


def _empty(report: StudyReport) -> str:
    patients = report.flow.patients
    if not patients.given and not patients.without:
        return "No comparison: of no patient is it known whether prophylaxis was given."
    if not patients.given:
        return "No comparison: no patient of this cohort is known to have had prophylaxis."
    if not patients.without:
        return "No comparison: no patient of this cohort is known to have gone without prophylaxis."
    return ""


def _published(found: PublishedRate) -> str:
    return "not reported" if found.rate is None else rate(found.rate)


def _mark(name: str, found: Proportion, shape: str, colour: str) -> Mark:
    counted = "none known" if found.share is None else f"{found.events:,}/{found.n:,}"
    return Mark(name, found.share, found.exact, counted, shape, colour)
