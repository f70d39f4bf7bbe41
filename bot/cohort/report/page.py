"""``report.html``: made of the report's record and of nothing else, so that every figure stands in ``report.json``."""

from __future__ import annotations

from html import escape

from bot.cohort.report.baseline import baseline_section
from bot.cohort.report.comparison import comparison_section, founding_section
from bot.cohort.report.models import model_sections
from bot.cohort.report.toxicity import course_section, toxicity_section
from bot.cohort.report.words import NONE, OUTCOMES, middle, percent, rate, span
from bot.html_page import SWIPE, contents, page, section, table, words
from knowledge.assessment import Outcome
from knowledge.cohort.report.groups import ByGroup
from knowledge.cohort.report.study import StudyReport

TITLE = "Tarlatamab cohort study: CRS and ICANS"
# Beside the two shares, which would be read as an effect without it.
NO_TRIAL = (
    "This is no trial: doctors chose who had tocilizumab, so the difference may be theirs and not the drug's. See "
    "“Prophylaxis against none” below."
)
GROUPS = ("without prophylaxis", "with", "not known", "all")
TILES = (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS, Outcome.ICANS_ANY)


def report_page(report: StudyReport) -> str:
    """The whole page."""
    title = f"SIMULATED: {TITLE}" if report.simulated else TITLE
    sections = [
        founding_section(report),
        toxicity_section(report),
        comparison_section(report),
        *([] if report.models is None else model_sections(report.models)),
        _flow(report),
        baseline_section(report),
        course_section(report),
        _missing(report),
        _strobe(report),
        _words(report),
        _provenance(report),
    ]
    return page(title, [*_head(report, title), contents(sections), *sections], simulated=report.simulated)


def _head(report: StudyReport, title: str) -> list[str]:
    found = report.provenance
    parts = [f"<h1>{escape(title)}</h1>"]
    if report.notice is not None:
        counted = f"{found.simulated_patients:,} of {found.patients:,} patients are simulated."
        parts.append(f'<p class="verdict wrong">{escape(report.notice)} {escape(counted)}</p>')
    tiles = [("patients", f"{found.patients:,}")]
    for compared in report.comparison:
        if compared.outcome in TILES:
            without = compared.groups.without
            tiles.append(
                (
                    f"{OUTCOMES[compared.outcome]}, without prophylaxis",
                    "none known"
                    if without.share is None
                    else f"{without.events:,}/{without.n:,} = {percent(without.share)}",
                )
            )
    items = "".join(f"<li><b>{escape(value)}</b> {escape(name)}</li>" for name, value in tiles)
    parts.append(f'<ul class="figures">{items}</ul>')
    parts.append(words(_result(report)))
    parts.append(words(NO_TRIAL))
    parts.append(words("A cohort of those who were treated, after the first dose. 95 % intervals.", small=True))
    parts.append(SWIPE)
    return parts


def _result(report: StudyReport) -> str:
    by = {each.outcome: each.groups for each in report.comparison}
    crs, icans = by[Outcome.CRS_ANY], by[Outcome.ICANS_ANY]
    return (
        f"Without prophylactic tocilizumab: CRS {rate(crs.without)}, ICANS {rate(icans.without)}. "
        f"With it: CRS {rate(crs.given)}, ICANS {rate(icans.given)}."
    )


def _flow(report: StudyReport) -> str:
    found = report.flow
    rows = [["patients in the file", *_counts(found.patients)]]
    rows += [[f"known: {OUTCOMES[each.outcome]}", *_counts(each.known)] for each in found.outcomes]
    follow = found.follow_up_days
    each = (follow.without, follow.given, follow.not_known, follow.everyone)
    days = [
        ["median (quartiles), n known", *(middle(group) for group in each)],
        ["lowest to highest", *(span(group) for group in each)],
    ]
    return section(
        "Flow of patients",
        table("Patients, by tocilizumab prophylaxis", ["", *GROUPS], rows),
        words(
            "Those with a known outcome are the denominators of this report. The comparison takes the first two "
            "columns: whoever is not known to be in one is in neither.",
            small=True,
        ),
        table("Follow-up, days after the first dose", ["", *GROUPS], days),
    )


def _counts(found: ByGroup[int]) -> list[str]:
    return [f"{value:,}" for value in (found.without, found.given, found.not_known, found.everyone)]


def _missing(report: StudyReport) -> str:
    found, total = report.missing, report.provenance.patients
    columns = [
        [
            each.column,
            f"{each.missing.events:,}",
            f"{each.missing.n:,}",
            NONE if each.missing.share is None else percent(each.missing.share),
        ]
        for each in found.columns
    ]
    patterns = [[", ".join(each.missing) or "nothing", f"{each.patients:,}"] for each in found.patterns]
    if found.other_patterns:
        patterns.append([f"{found.other_patterns:,} rarer patterns", f"{found.other_patients:,}"])
    return section(
        "Missing data",
        words(f"Everything that the models need is known of {found.complete:,} of {total:,} patients."),
        table("Missing together, of what the models need", ["missing", "patients"], patterns, prose=True),
        table("Missing by column", ["column", "missing", "of", "share"], columns),
        words(
            "Hours and treatment are asked of those who had the toxicity alone, hours of CRS of those who had it after "
            "dose 1. Who has a grade 5 is known to have died.",
            small=True,
        ),
    )


def _strobe(report: StudyReport) -> str:
    rows = [
        [f"{each.number} {each.topic}", f"{each.status}: {each.where}" if each.where else NONE, each.to_write or NONE]
        for each in report.strobe
    ]
    left = sum(each.to_write is not None for each in report.strobe)
    return section(
        "STROBE checklist",
        words(
            f"The {len(report.strobe)} items for cohort studies. {left} of them need something that only you can write."
        ),
        table("STROBE, cohort studies", ["item", "in the report", "for you to write"], rows, prose=True),
    )


def _words(report: StudyReport) -> str:
    return section(
        "Definitions and methods",
        table("Definitions", ["word", "meaning"], list(report.definitions.items()), prose=True),
        table("Methods", ["figure", "method and source"], list(report.methods.items()), prose=True),
    )


def _provenance(report: StudyReport) -> str:
    found = report.provenance
    rows = [
        ["cohort (SHA-256)", found.cohort_sha256],
        ["patients", f"{found.patients:,}, of whom {found.simulated_patients:,} simulated"],
        ["program", f"Tarla {found.program}"],
        ["risk model installed (not used here)", f"{found.model.id}, {found.model.sha256}"],
        ["evidence", found.evidence],
        ["seed", str(found.seed)],
        ["format", report.format],
    ]
    if found.made_on is not None:
        rows.append(["made on", found.made_on])
    return section("What this report was made from", table("Provenance", ["", ""], rows, prose=True))
