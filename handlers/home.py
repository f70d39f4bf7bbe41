"""App Home: how to ask, what it is for, which versions answer."""

from __future__ import annotations

from typing import Any

from handlers.blockkit import context, escape, section
from handlers.parsing.refusals import EXAMPLE
from handlers.replies import HOW_TO, SCOPE
from knowledge import ModelError, UpperLimit
from knowledge.evidence import load as load_evidence
from knowledge.model import load as load_model


def home_view(site_uln: UpperLimit | None) -> dict[str, Any]:
    """The Home tab's view."""
    try:
        model = load_model().version.id
    except ModelError:
        model = "not usable, so no risk is shown"
    limit = f"{site_uln.value:g} {site_uln.unit}" if site_uln else "not set: give it with each LDH"
    return {
        "type": "home",
        "blocks": [
            section("*Risk of CRS and ICANS before the first tarlatamab infusion*"),
            section(f"In any channel type\n`{escape(EXAMPLE)}`\n{HOW_TO}"),
            section(f"Upper limit of normal for LDH at this site: {escape(limit)}"),
            context(SCOPE, f"model {escape(model)} · evidence {load_evidence().version}"),
        ],
    }
