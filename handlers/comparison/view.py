"""A comparison as blocks: one row a patient, the three estimates with their intervals."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.answer import TableMode
from handlers.answer.figures import risk_estimate, unbroken
from handlers.answer.findings import describe
from handlers.answer.own_patients import marked, origin
from handlers.answer.plain import aligned
from handlers.answer.view import PURPOSE, model_named
from handlers.blockkit import Block, code_section, context, escape, section, table
from handlers.comparison.variants import Variant
from knowledge.assessment import Assessment, Outcome

HEADING = "What if a finding were different"
HEAD = ("patient", "CRS, any", "CRS, grade ≥ 2", "ICANS, any")
OUTCOMES = (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS, Outcome.ICANS_ANY)
MEANING = (
    "Each row is another patient, who differs from the one answered in the finding named and in nothing else. It "
    "compares patients; it is not the effect of a treatment, and nothing here says that changing a finding changes the "
    "risk."
)
WITHOUT_FIGURE = (
    "LDH high or normal: known only to be above its upper limit, or not above it; averaged over such values."
)


@dataclass(frozen=True)
class Compared:
    """A comparison that stands in the ledger under ``receipt``; ``of`` is the receipt of the answer compared."""

    rows: tuple[tuple[Variant, Assessment], ...]
    evidence: str
    receipt: str
    of: str


def comparison_blocks(compared: Compared, mode: TableMode) -> list[Block]:
    """The comparison in a message; in a modal only ``TableMode.TEXT`` can be shown."""
    answered = compared.rows[0][1]
    rows = [list(HEAD), *([variant.change, *_estimates(assessment)] for variant, assessment in compared.rows)]
    blocks = [section(f"*{marked(HEADING, answered.site)}*\n{unbroken(escape(describe(answered.factors)))}")]
    if mode is TableMode.BLOCK:
        blocks.append(table([[unbroken(cell) for cell in row] for row in rows]))
    else:
        blocks.append(code_section("\n".join(aligned(rows))))
    changed = {variant.change for variant, _ in compared.rows[1:]}
    without_figure = f" {WITHOUT_FIGURE}" if any(change.startswith("LDH") for change in changed) else ""
    blocks.append(section(f"{MEANING}{without_figure}"))
    versions = f"{model_named(answered)} · evidence {compared.evidence}"
    receipts = f"receipt #{compared.receipt}, of answer #{compared.of}"
    purpose = PURPOSE if answered.site is None else f"{PURPOSE}\n{origin(answered.site)}"
    blocks.append(context(unbroken(escape(f"{purpose}\n95 % intervals · {versions} · {receipts}"))))
    return blocks


def comparison_text(compared: Compared) -> str:
    """The same in a sentence for each patient, for notifications and screen readers."""
    sentences = [
        f"{variant.change}: "
        + "; ".join(f"{name}: {figure}" for name, figure in zip(HEAD[1:], _estimates(assessment), strict=True))
        for variant, assessment in compared.rows
    ]
    answered = compared.rows[0][1]
    by = "" if answered.site is None else f"{model_named(answered)}; "
    heading = marked(HEADING, answered.site)
    return f"{heading}. {'. '.join(sentences)}. {MEANING} {by}receipt #{compared.receipt}"


def _estimates(assessment: Assessment) -> list[str]:
    risks = (assessment.risk_of(outcome) for outcome in OUTCOMES)
    return [risk_estimate(risk) for risk in risks]
