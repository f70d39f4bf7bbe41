"""What the model is, as a modal: from the model's own file and its card, no figure typed here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from handlers.answer.own_patients import fit, heading, marked, told
from handlers.blockkit import Block, context, escape, modal, section
from knowledge.model import Model, shipped_version
from knowledge.site_origin import SiteOrigin
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


def model_modal(program: str, model: Model) -> dict[str, Any]:
    """The model in use now; ``program`` is the version of this program."""
    card = _card(model, program)
    # The card and its figures are those of the model that was shipped; a site model's own are its origin and its file.
    named = f"_model_ `{escape(model.version.id if model.site is None else model.site.parent_id)}`"
    whole = "the whole card" if model.site is None else "the whole card of its parent"
    conditions = [
        f"{_prose(each.text)}  {' '.join(f'`{fact}`' for fact in each.facts)}" for each in card.assumptions.conditions
    ]
    blocks: list[Block] = [
        section(f"*The model in use:* `{escape(model.version.id)}`\nAn answer names its own model in the small print."),
        *([] if model.site is None else [section(_own(model.site))]),
        section("\n\n".join(_prose(text) for text in card.summary) + f"\n{named}"),
        section(f"*What goes in*\n{INPUTS}"),
        section(_listed("What was published and is kept to", conditions) + f"\n{named}"),
        section(_listed("Not for", map(_prose, card.use.excluded)) + f"\n{named} `inc.joshi.crs_g3plus`"),
        section(
            _listed("What is weak about it", map(_prose, card.risks))
            + f"\n{named} `inc.joshi.crs_any` `inc.joshi.icans_any`"
        ),
        section("*Its file*\n" + "\n".join(_file(model))),
        context(f"model {escape(model.version.id)} · {whole}: docs/model-card.md, or `tarla model card`"),
    ]
    return modal("Model", blocks)


def _own(site: SiteOrigin) -> str:
    return "\n".join(
        [
            f"*{marked(heading(site), site)}*",
            escape(told(site)),
            f"What follows is said of its parent, `{escape(site.parent_id)}`, whose draws it weights anew."
            + ("" if site.parent_sha256 == shipped_version().sha256 else " It is another build than the shipped one."),
        ]
    )


@lru_cache(maxsize=1)
def _card(model: Model, program: str) -> ModelCard:
    # Here and not above: only this modal needs the card's texts and the study, and starting must not wait for them.
    from knowledge.card.build import build_card

    return build_card(program, model if model.site is None else None)


def _file(model: Model) -> list[str]:
    spec_facts = len(model_fact_ids(model.spec))
    draws = f"{model.draws('crs').weight.size:,} for CRS and {model.draws('icans').weight.size:,} for ICANS"
    own = [] if model.site is None else _origin_of_file(model.site)
    return [
        f"Model `{escape(model.version.id)}`, SHA-256 begins `{model.version.sha256[:HASH_SHOWN]}`",
        f"Built from {spec_facts} facts, whose hash begins `{model.facts_sha256[:HASH_SHOWN]}`",
        f"Seed {model.content.seed}; weighted draws: {draws}",
        *own,
    ]


def _origin_of_file(site: SiteOrigin) -> list[str]:
    return [
        f"Parent `{escape(site.parent_id)}`, SHA-256 begins `{site.parent_sha256[:HASH_SHOWN]}`",
        f"Patients' file: SHA-256 begins `{site.data_sha256[:HASH_SHOWN]}`; {site.patients} rows",
        *([fit(site)] if fit(site) else []),
    ]


def _listed(heading: str, points: Iterable[str]) -> str:
    return "\n".join([f"*{heading}*", *(f"• {point}" for point in points)])


def _prose(text: str) -> str:
    """The card's Markdown as mrkdwn."""
    return _BOLD.sub(r"*\1*", escape(_ELSEWHERE.sub("", text)))
