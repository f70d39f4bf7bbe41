"""The model card as data: what the model is, rests on, can and cannot do. ``build_card()`` makes it."""

from knowledge.card.build import build_card
from knowledge.card.records import ModelCard
from knowledge.card.texts import CardError

__all__ = ["CardError", "ModelCard", "build_card"]
