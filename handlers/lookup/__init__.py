"""Look-ups: what evidence and labels say, quoted with their sources, and arithmetic on it. Never a risk estimate."""

from handlers.lookup.reply import LookUp, LookUpCode, LookUpRefusal

__all__ = ["LookUp", "LookUpCode", "LookUpRefusal"]
