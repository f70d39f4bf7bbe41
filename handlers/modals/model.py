"""What the model is, as a modal: from the model's own file and its card, no figure typed here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from handlers.blockkit import Block, context, escape, modal, section
from knowledge.model import Model
from knowledge.model import load as load_model
from knowledge.synthesis.facts import model_fact_ids

if TYPE_CHECKING:
    from knowledge.card.records import ModelCard

INPUTS = (
    "LDH with its upper limit of normal, liver metastases, diabetes, cardiovascular disease. Each may be unknown and "
    "is then averaged over. Nothing else about a patient is taken in."
)
HASH_SHOWN = 12
# The card refers to its own sections, which are not here.
_ELSEWHERE = re.compile(r"(?:: see| listed under) \*[^*]+\*")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")


def model_modal(program: str) -> dict[str, Any]:
    """The model in use now; ``program`` is the version of this program.

    Raises:
        ModelError: it is missing, altered or built from other facts.
    """
    model = load_model()
    card = _card(model, program)
    named = f"_model_ `{escape(model.version.id)}`"
    conditions = [
        f"{_prose(each.text)}  {' '.join(f'`{fact}`' for fact in each.facts)}" for each in card.assumptions.conditions
    ]
    blocks: list[Block] = [
        section(f"*The model in use:* `{escape(model.version.id)}`\nAn answer names its own model in the small print."),
        section("\n\n".join(_prose(text) for text in card.summary) + f"\n{named}"),
        section(f"*What goes in*\n{INPUTS}"),
        section(_listed("What was published and is kept to", conditions) + f"\n{named}"),
        section(_listed("Not for", map(_prose, card.use.excluded)) + f"\n{named} `inc.joshi.crs_g3plus`"),
        section(
            _listed("What is weak about it", map(_prose, card.risks))
            + f"\n{named} `inc.joshi.crs_any` `inc.joshi.icans_any`"
        ),
        section("*Its file*\n" + "\n".join(_file(model))),
        context(f"model {escape(model.version.id)} · the whole card: docs/model-card.md, or `tarla model card`"),
    ]
    return modal("Model", blocks)


@lru_cache(maxsize=1)
def _card(model: Model, program: str) -> ModelCard:
    # Here and not above: only this modal needs the card's texts and the study, and starting must not wait for them.
    from knowledge.card.build import build_card

    return build_card(program, model)


def _file(model: Model) -> list[str]:
    spec_facts = len(model_fact_ids(model.spec))
    draws = f"{model.draws('crs').weight.size:,} for CRS and {model.draws('icans').weight.size:,} for ICANS"
    return [
        f"Model `{escape(model.version.id)}`, SHA-256 begins `{model.version.sha256[:HASH_SHOWN]}`",
        f"Built from {spec_facts} facts, whose hash begins `{model.facts_sha256[:HASH_SHOWN]}`",
        f"Seed {model.content.seed}; weighted draws: {draws}",
    ]


def _listed(heading: str, points: Iterable[str]) -> str:
    return "\n".join([f"*{heading}*", *(f"• {point}" for point in points)])


def _prose(text: str) -> str:
    """The card's Markdown as mrkdwn."""
    return _BOLD.sub(r"*\1*", escape(_ELSEWHERE.sub("", text)))
