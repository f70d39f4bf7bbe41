"""The Home tab's view."""

from __future__ import annotations

from typing import Any

from handlers.access import who_may_ask
from handlers.answer.own_patients import origin
from handlers.blockkit import Block, channel_links, context, escape, section
from handlers.controls import form_button
from handlers.home.past import past_block
from handlers.parsing.refusal_texts import EXAMPLE
from handlers.ports import OwnAnswers
from handlers.replies import HOW_TO, SCOPE
from handlers.site import SiteSettings
from knowledge.evidence import load as load_evidence
from knowledge.model import Model

ANSWERS_SHOWN = 10


def home_view(site: SiteSettings, own: OwnAnswers | str, model: Model | None) -> dict[str, Any]:
    """The Home tab of one person.

    ``own`` is a fault's closed code where the ledger cannot be read, ``model`` None where it cannot be used.
    """
    return {
        "type": "home",
        "blocks": [
            section("*Risk of CRS and ICANS before the first tarlatamab infusion*"),
            section(f"*How to ask*, in any channel:\n`{escape(EXAMPLE)}`\n{HOW_TO}"),
            form_button(),
            {"type": "divider"},
            *_answers(own),
            {"type": "divider"},
            section("\n".join(_settings(site))),
            context(SCOPE),
            context(f"model {escape(_model(model))} · evidence {load_evidence().version}"),
        ],
    }


def _answers(own: OwnAnswers | str) -> list[Block]:
    head = section("*Your last answers*")
    if isinstance(own, str):
        return [head, section(f"Not shown: the audit ledger cannot be read (`{own}`). Tell whoever runs Tarla here.")]
    blocks = [head, *(past_block(event, own.outcomes.get(event.recorded.seq)) for event in own.events)]
    if own.altered:
        receipts = ", ".join(f"`#{receipt}`" for receipt in own.altered)
        blocks.append(
            section(
                f"Not shown, because the ledger no longer holds them as they were recorded: receipt {receipts}. "
                "Tell whoever runs Tarla here."
            )
        )
    if not own.events and not own.altered:
        blocks.append(section("None yet." if own.complete else "None among the newest."))
    if not own.complete:
        blocks.append(context(f"Looked for among the newest {own.searched:,} events of the ledger; older ones not."))
    blocks.append(context("Only you see these. The risk is of that moment, by the model and evidence named with it."))
    return blocks


def _settings(site: SiteSettings) -> list[str]:
    lines = [
        f"Upper limit of normal for LDH at this site (`TARLA_LDH_ULN`): {escape(site.upper_limit)}",
        f"Who may ask: {who_may_ask(site.rules)}",
    ]
    if site.rules.channels:
        lines.append(f"Channels: {channel_links(site.rules.channels)}")
    return lines


def _model(model: Model | None) -> str:
    if model is None:
        return "not usable, so no risk is shown"
    return model.version.id if model.site is None else f"{model.version.id}: {origin(model.site)}"
