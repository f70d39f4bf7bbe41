"""What a validation says in words: figures with their intervals, patients left out, patients still needed."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor, log10
from textwrap import fill

from knowledge.assessment import Outcome
from knowledge.cohort.repeated import written_twice
from knowledge.cohort.validation.measure import Measure
from knowledge.cohort.validation.needed import Criterion, Needed
from knowledge.cohort.validation.results import Flow, OutcomeValidation, Validation
from knowledge.cohort.validation.verdict import NAMES, expected_count, two

HEADINGS = {
    Outcome.CRS_ANY: "CRS, any grade",
    Outcome.CRS_GRADE2PLUS: "CRS, grade ≥ 2",
    Outcome.ICANS_ANY: "ICANS, any grade",
}
FINDINGS = {
    "ldh": "LDH",
    "liver_metastases": "liver metastases",
    "diabetes": "diabetes",
    "cardiovascular_disease": "CVD",
}
SIMULATED = "Simulated patients: made up to show the method. Nothing here was seen in anyone."
# Of a line at a terminal.
WIDTH = 110
# What each criterion of sample size is about.
ABOUT = {
    "observed/expected": "how many have it, O/E to about ± 10 %,",
    "calibration slope": "the calibration slope to ± 0.1",
    "c-statistic": "the c-statistic to ± 0.05",
    "net benefit": "the standardised net benefit to ± 0.1",
}
NOT_A_REASON = (
    "Not a reason to give prophylaxis: net benefit supposes that tocilizumab spares those who would have had it. In "
    "the founding study who was given it was not random; this use is off label; no patient compared here had it."
)


def rows_of(found: OutcomeValidation) -> Iterator[tuple[str, str, str]]:
    """Name, figure with interval, and how it was made, of every measure."""
    low, high = found.expected_range
    yield "patients with the outcome", f"{found.events:,} of {found.n:,}", ""
    if found.n:
        own = f"{expected_count(found.expected)} ({expected_count(low)} to {expected_count(high)})"
        yield "expected", own, "sum of the estimates, with Tarla's own 95 % interval"
    for name, measure, ideal in (
        ("observed/expected", found.observed_expected, "1 is right"),
        ("calibration in the large", found.calibration_in_the_large, "0 is right; below, estimates are too high"),
        ("calibration slope", found.slope, "1 is right; below, estimates lie too far apart"),
        ("intercept with that slope", found.intercept, "0 is right if the slope is 1"),
        ("c-statistic", found.c_statistic, "0.5 tells nobody apart, 1 everyone"),
        ("Brier score", found.brier, "0 is perfect"),
        ("scaled Brier score", found.scaled_brier, "1 is perfect, 0 no better than one figure for all"),
    ):
        yield name, figure(measure), ideal if not measure.method else f"{ideal}; {measure.method}"


def figure(measure: Measure) -> str:
    """A figure with its interval, or why there is none."""
    if measure.value is None:
        if measure.low is not None:
            return f"at least {signed(measure.low)} ({measure.note})"
        if measure.high is not None:
            return f"at most {signed(measure.high)} ({measure.note})"
        return f"not given: {measure.note}"
    if measure.low is None or measure.high is None:
        return f"{signed(measure.value)} ({measure.note})"
    return f"{signed(measure.value)} ({signed(measure.low)} to {signed(measure.high)})"


def signed(value: float) -> str:
    """Two decimals with a minus sign of full width."""
    return f"−{two(-value)}" if value < -0.004_999 else two(max(value, 0.0))


def left_out(flow: Flow) -> str:
    """How many were read and why some are not compared."""
    parts = []
    if flow.prophylaxis_given:
        parts.append(f"{flow.prophylaxis_given:,} had prophylactic tocilizumab, for which Tarla has no estimate")
    if flow.prophylaxis_unknown:
        parts.append(f"of {flow.prophylaxis_unknown:,} it is not known whether they had it")
    why = f" Left out: {'; '.join(parts)}." if parts else ""
    if flow.prophylaxis_given:
        why += " Where the expected risk decided who had it, those compared are not like the others."
    again = "".join(f" {remark}" for remark in written_twice(flow.repeated))
    return f"{count(flow.read, 'patient')} in the file, {flow.included:,} without prophylaxis compared.{why}{again}"


def of_site_model(found: Validation) -> tuple[str, ...]:
    """What must be known of a model that a centre's patients updated; nothing of the shipped one."""
    if found.site is None:
        return ()
    simulated = " Its patients were SIMULATED." if found.site.simulated else ""
    if found.of_its_own_patients:
        told = "NOT A VALIDATION: these very patients updated this model, which therefore fits them."
    else:
        told = (
            "Patients who updated a model cannot validate it: whether some of these are among them cannot be told from "
            "the files."
        )
    return (f"A site model, {found.site.parent_id} updated with a centre's own patients.{simulated} {told}",)


def unknown(found: OutcomeValidation) -> str:
    """Unknown outcomes and findings, in one sentence each; empty where there are none."""
    said = []
    if found.outcome_unknown:
        said.append(f"{count(found.outcome_unknown, 'patient')} left out here because the grade is not known.")
    if found.finding_unknown.get("any"):
        each = ", ".join(f"{FINDINGS[name]} {n:,}" for name, n in found.finding_unknown.items() if name != "any")
        said.append(
            f"A finding is not known in {found.finding_unknown['any']:,} ({each}): averaged over, as in an answer."
        )
    return " ".join(said)


def still_needed(outcome: Outcome, needed: Needed) -> str:
    """How many more patients a firm answer needs."""
    if needed.firm is None or needed.rough is None or needed.share is None:
        return "How many patients a firm answer needs cannot be worked out without any."
    share, name = needed.share, NAMES[outcome]
    level = next(row for row in needed.criteria if row.name == "observed/expected")
    sentences = [_of_level(level, needed, name)]
    lacking = [row for row in needed.criteria if row.firm is None]
    rest = len(lacking) == len(needed.criteria) - 1
    if lacking:
        whose = "the rest" if rest else ", ".join(f"the {row.name}" for row in lacking)
        sentences.append(f"For {whose}: {lacking[0].note}.")
    everything = "all other figures" if lacking else "everything"
    if needed.firm <= needed.have:
        if not rest:
            sentences.append(f"There are enough to know {everything} firmly.")
    elif not lacking or needed.driven_by != level.name:
        sentences.append(
            f"To know {everything} firmly takes {_more(needed.firm, needed.have, share, name)} (so many for "
            f"{ABOUT[needed.driven_by]}); half as firmly, {_more(needed.rough, needed.have, share, name)}."
        )
    rate = f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"
    sentences.append(f"Supposed: {rate} with {name}, {needed.basis}.")
    return " ".join(sentences)


def _of_level(row: Criterion, needed: Needed, name: str) -> str:
    firm = _more(row.firm or 0, needed.have, needed.share or 0.0, name)
    if row.firm is not None and row.firm <= needed.have:
        return f"To know {ABOUT[row.name]} there are patients enough."
    return f"To know {ABOUT[row.name]} firmly takes {firm}."


def _more(total: int, have: int, share: float, name: str) -> str:
    more = about(max(0, total - have))
    if more == 0:
        return "no more patients"
    return f"about {count(more, 'more patient')}, {about(more * share):,} of them with {name}"


def about(number: float) -> int:
    """Rounded up to two figures, for what is no more exact than that."""
    if number < 1:
        return ceil(number)
    step = 10 ** max(0, floor(log10(number)) - 1)
    return int(ceil(round(number, 6) / step) * step)


def count(number: int, what: str) -> str:
    """``1 patient``, ``2 patients``."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def decision_in_words(found: OutcomeValidation) -> str:
    """What the decision curve shows, no more than its limits allow."""
    points = found.decision.points
    if not points:
        return f"No decision curve: {found.decision.note}."
    shown = [point.threshold for point in points if point.better]
    worse = [point.threshold for point in points if point.worse]
    sentences = []
    if shown:
        sentences.append(
            f"Deciding by the estimate did better than giving to all and than giving to none at {_spans(shown)}: there "
            "both differences have intervals above 0, each threshold by itself."
        )
    else:
        sentences.append("At no threshold is deciding by the estimate shown to do better than both, all and none.")
    if worse:
        sentences.append(f"At {_spans(worse)} it did worse than one of them.")
    return " ".join(sentences)


def _spans(thresholds: list[float]) -> str:
    percents = [round(100 * each) for each in thresholds]
    spans: list[list[int]] = []
    for percent in percents:
        if spans and spans[-1][-1] == percent - 1:
            spans[-1].append(percent)
        else:
            spans.append([percent])
    named = [f"{span[0]} to {span[-1]} %" if len(span) > 1 else f"{span[0]} %" for span in spans]
    return "thresholds of " + ", ".join(named)


def in_short(found: Validation) -> str:
    """The validation for a terminal."""
    lines = [f"SIMULATED. {SIMULATED}"] if found.simulated else []
    lines += [f"Model {found.model.id}, SHA-256 {found.model.sha256}", *of_site_model(found)]
    if found.cohort_sha256:
        lines.append(f"Cohort SHA-256 {found.cohort_sha256}")
    lines.append(left_out(found.flow))
    for each in found.outcomes:
        lines += ["", HEADINGS[each.outcome], f"  {each.verdict}"]
        if each.n:
            rows = list(rows_of(each))
            width = max(len(name) for name, _, _ in rows)
            lines += [f"  {name:<{width}}  {value}" for name, value, _ in rows]
            lines.append(f"  Calibration curve: {each.curve.note or 'see the page (--out)'}")
            lines.append(f"  {decision_in_words(each)}")
        if said := unknown(each):
            lines.append(f"  {said}")
        lines.append(f"  {still_needed(each.outcome, each.needed)}")
    lines += ["", NOT_A_REASON]
    return "\n".join(_wrapped(line) for line in lines)


def _wrapped(line: str) -> str:
    """Long sentences on several lines; figures and their names keep the space between them, a figure its %."""
    indent = " " * (len(line) - len(line.lstrip()))
    if len(line) <= WIDTH:
        return line
    held = line.replace(" %", "\N{NO-BREAK SPACE}%")
    return fill(held, WIDTH, subsequent_indent=indent, break_on_hyphens=False).replace("\N{NO-BREAK SPACE}%", " %")
