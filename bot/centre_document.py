"""Fills the tables of docs/centre.md from the evidence and the model.

``python -m bot.centre_document`` writes them anew; a test says when they are stale. The pictures are
drawn by ``tarla model pictures``.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

from handlers.answer import figures
from knowledge import LdhMultiple, PatientFactors, Presence, assess
from knowledge.evidence import Evidence, Fact
from knowledge.evidence import load as load_evidence
from knowledge.model import load as load_model
from knowledge.spread import interval_sources
from knowledge.synthesis.facts import published_spec
from knowledge.synthesis.random_effects import (
    CLASSICAL,
    CentreEstimate,
    model_estimate,
    posterior_estimate,
    posterior_of,
    random_effects,
)
from knowledge.synthesis.spec import POOLS, Pool

DOCUMENT = Path("docs") / "centre.md"
YES, NO, UNKNOWN = Presence.YES, Presence.NO, Presence.UNKNOWN
# A few patients, from everything known to nothing.
PATIENTS = {
    "LDH 1.9 × ULN, liver metastases yes, diabetes no, CVD yes": PatientFactors(
        ldh=LdhMultiple(multiple=1.92), liver_metastases=YES, diabetes=NO, cardiovascular_disease=YES
    ),
    "LDH 0.8 × ULN, liver metastases no, diabetes no, CVD no": PatientFactors(
        ldh=LdhMultiple(multiple=0.8), liver_metastases=NO, diabetes=NO, cardiovascular_disease=NO
    ),
    "LDH 5 × ULN, liver metastases yes, diabetes yes, CVD yes": PatientFactors(
        ldh=LdhMultiple(multiple=5.0), liver_metastases=YES, diabetes=YES, cardiovascular_disease=YES
    ),
    "LDH 1.9 × ULN, liver metastases not known, diabetes not known, CVD no": PatientFactors(
        ldh=LdhMultiple(multiple=1.92), cardiovascular_disease=NO
    ),
    "nothing known": PatientFactors(),
}
# Narrower and wider priors of the sd between centres, to show what it does.
OTHER_SCALES = (0.3, 1.0)
_BLOCK = re.compile(r"(<!-- begin ([a-z-]+): [^\n]* -->\n).*?(<!-- end \2 -->)", flags=re.DOTALL)


def filled(text: str) -> str:
    """The document with every generated block written anew."""
    blocks = {
        "rates-crs": lambda: rates_table("crs"),
        "rates-icans": lambda: rates_table("icans"),
        "pooled": pooled_table,
        "sources": sources_table,
    }
    return _BLOCK.sub(lambda found: f"{found[1]}\n{blocks[found[2]]()}\n\n{found[3]}", text)


def rates_table(pool: Pool) -> str:
    """Every rate of one toxicity, with the used ones first; a rate of both stands in both tables."""
    evidence = load_evidence()
    lines = ["| rate | of what | events/n | % | counted | centre term |", "|---|---|---|---|---|---|"]
    named = [name for name in evidence.centre_terms if pool in evidence.fact(name).endpoint]
    for name in sorted(named, key=lambda each: not evidence.centre_terms[each].use):
        fact, term = evidence.fact(name), evidence.centre_terms[name]
        verdict = f"**used**: {term.reason}" if term.use else f"left out: {term.reason}"
        cells = [f"`{name}`", _what(fact), _counts(fact), _percent(fact), _when(fact, evidence), verdict]
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(lines)


def _what(fact: Fact) -> str:
    words = fact.endpoint.replace("crs", "CRS").replace("icans", "ICANS").replace("_", " ")
    words = re.sub(r"grade(\d)plus", r"grade ≥ \1", words)
    words = re.sub(r"grade(\d)", r"grade \1", words).replace("any", "any grade")
    words = re.sub(r"(?<=\d)(or|to)(?=\d)", r" \1 ", words)
    return f"{words}; {fact.population}"


def _counts(fact: Fact) -> str:
    """As printed; a count or a denominator that was worked out is said to be ours."""
    if fact.count is not None:
        among = f"/{fact.denominator}" if fact.denominator else ", n not stated"
        printed = fact.events == fact.count and fact.n == fact.denominator
        return f"{fact.count}{among}" if printed else f"{fact.count}{among} (ours)"
    return f"not printed, n = {fact.denominator}" if fact.denominator else "not printed"


def _percent(fact: Fact) -> str:
    """As printed; worked out from printed counts otherwise, which is said."""
    if fact.absent:
        return "no figure found"
    if fact.percent is not None:
        return fact.percent.replace("%", " %")
    if fact.derived is not None and (figure := fact.derived.percent or fact.derived.value):
        return f"{figure.replace('%', ' %')} (ours)"
    if fact.rate is not None:
        return f"{100 * fact.rate:.1f} % (ours)"
    return str(fact.value).replace("%", " %") if fact.value is not None else "no denominator"


def _when(fact: Fact, evidence: Evidence) -> str:
    parts = [f"{fact.window}; {fact.setting}"]
    if fact.definition and fact.definition != "definition and grading scale not stated in the text read":
        parts.append(fact.definition)
    if evidence.source(fact.source).seen == "secondary_report":
        parts.append("read second-hand")
    return "; ".join(parts)


def pooled_table() -> str:
    """Mean of the centres, sd between them and a new centre's rate, by method."""
    lines = [
        "| | method | mean of the centres, % | sd between centres, log odds | a new centre's rate, % |",
        "|---|---|---|---|---|",
    ]
    spec = published_spec(load_evidence())
    for pool in POOLS:
        cohorts = spec.centres(pool)
        label = f"{pool.upper()}, {len(cohorts)} cohorts"
        for scale in (spec.centre_sd_scale, *OTHER_SCALES):
            posterior = posterior_estimate(posterior_of(cohorts, spec.centre_mean_sd, scale))
            whose = ", the model's" if scale == spec.centre_sd_scale else ""
            lines.append(f"| {label} | posterior, half-normal({scale:g}){whose} | {_estimate_cells(posterior)} |")
        for name, method in CLASSICAL.items():
            classical = random_effects(cohorts, method)
            lines.append(f"| {label} | {name} | {_estimate_cells(classical)} |")
        model = load_model()
        label = f"{pool.upper()}, and the founding study"
        lines.append(f"| {label} | model {model.version.id} | {_estimate_cells(model_estimate(model.draws(pool)))} |")
    return "\n".join(lines)


def _estimate_cells(estimate: CentreEstimate) -> str:
    sd = f"{estimate.sd:.2f}"
    if estimate.sd_interval is not None:
        sd += f" ({estimate.sd_interval[0]:.2f} to {estimate.sd_interval[1]:.2f})"
    mean = _rate(estimate.mean, estimate.mean_interval)
    return f"{mean} | {sd} | {_rate(estimate.new, estimate.new_interval)}"


def _rate(middle: float, interval: tuple[float, float]) -> str:
    value, low, high = (100 / (1 + math.exp(-each)) for each in (middle, *interval))
    return f"{value:.1f} ({low:.1f} to {high:.1f})"


def sources_table() -> str:
    """What the width of each interval is owed to, for a few patients."""
    lines = [
        "| patient | | risk, new centre | study's own centre | study's size | unknown centre | findings not known |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, factors in PATIENTS.items():
        assessment = assess(factors)
        for split in interval_sources(factors):
            risk = assessment.risk_of(split.outcome)
            shares = " | ".join(f"{100 * share:.0f} %" for share in (split.study, split.centre, split.findings))
            own = figures.estimate(risk.risk_study_centre, risk.interval_study_centre)
            label = split.outcome.value.removesuffix("_any").upper()
            lines.append(f"| {name} | {label} | {figures.estimate(risk.risk, risk.interval)} | {own} | {shares} |")
    return "\n".join(lines)


def main() -> None:
    """Write the document's tables."""
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
