"""Text to patient factors: the closed grammar of what a user may type."""

from handlers.parsing.parse import Understood, parse
from handlers.parsing.refusals import Refusal, RefusalCode

__all__ = ["Refusal", "RefusalCode", "Understood", "parse"]
