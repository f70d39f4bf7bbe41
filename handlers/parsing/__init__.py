"""Text to patient factors: the closed grammar of what a user may type."""

from handlers.parsing.codes import RefusalCode
from handlers.parsing.parse import Understood, parse
from handlers.parsing.refusals import Refusal

__all__ = ["Refusal", "RefusalCode", "Understood", "parse"]
