"""One recorded answer worked out again with the very model that gave it, where that is still here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.audit.recomputing import Difference, Recomputing
from bot.models.folder import ModelFolder
from handlers.ports import Json
from knowledge.model import Model, ModelError, load, shipped_version


class Outcome(StrEnum):
    """What working out again came to."""

    SAME = "same"
    LAST_DECIMAL = "last_decimal"
    OTHER_FIGURES = "other_figures"
    MODEL_NOT_HERE = "model_not_here"
    MODEL_NOT_USABLE = "model_not_usable"
    UNREADABLE = "unreadable"


_TOLD = {
    Outcome.SAME: "the same to every decimal kept",
    Outcome.LAST_DECIMAL: "the same but for the last decimal, which machines may round apart",
    Outcome.OTHER_FIGURES: "OTHER FIGURES: this program or machine works the answer out otherwise than it was given",
    Outcome.MODEL_NOT_HERE: "not possible: neither shipped with this release nor kept in TARLA_MODELS",
    Outcome.MODEL_NOT_USABLE: "not possible: its file is kept, and this release cannot read it or it was altered",
    Outcome.UNREADABLE: "not possible: recorded in a form that this version cannot read",
}


@dataclass(frozen=True, slots=True)
class Again:
    """The outcome; ``difference`` where figures came out otherwise."""

    outcome: Outcome
    difference: Difference | None = None

    @property
    def told(self) -> str:
        """In words."""
        return _TOLD[self.outcome]


def worked_out_again(payload: Mapping[str, Json], folder: ModelFolder) -> Again | None:
    """The answer or comparison of a ``computed`` event by its own model; None where the payload holds no answer."""
    if "outcomes" not in payload and "comparison" not in payload:
        return None
    named = payload.get("model")
    sha256 = named.get("sha256") if isinstance(named, Mapping) else None
    try:
        model = _model_of(str(sha256), folder)
    except ModelError:
        return Again(Outcome.MODEL_NOT_USABLE)
    if model is None:
        return Again(Outcome.MODEL_NOT_HERE)
    try:
        difference = Recomputing(model).compare(payload)
    except (TypeError, KeyError, ValueError, AttributeError):
        return Again(Outcome.UNREADABLE)
    if difference is None:
        return Again(Outcome.SAME)
    return Again(Outcome.OTHER_FIGURES if difference.beyond_rounding else Outcome.LAST_DECIMAL, difference)


def _model_of(sha256: str, folder: ModelFolder) -> Model | None:
    if sha256 == shipped_version().sha256:
        return load()
    # It need not be fit to answer today: what it answered is asked, not what it would.
    return folder.load(sha256) if sha256 in folder.kept() else None
