"""``tarla model card``: the card as Markdown or JSON."""

from __future__ import annotations

from importlib.metadata import version

from bot.model_card.markdown import markdown
from knowledge.card import ModelCard, build_card


def card_text(*, as_json: bool) -> str:
    """The card of the shipped model; ends with a line end.

    Raises:
        ModelError, CardError, OSError: as ``build_card``.
    """
    card = build_card(version("tarla-bot"))
    return json_text(card) if as_json else markdown(card)


def json_text(card: ModelCard) -> str:
    """The card as indented JSON."""
    return card.model_dump_json(indent=2) + "\n"


__all__ = ["card_text", "json_text", "markdown"]
