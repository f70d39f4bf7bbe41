"""What a site has chosen, as far as conversations show it or go by it; no secret and no path."""

from __future__ import annotations

from dataclasses import dataclass, field

from handlers.access import Rules
from handlers.answer import TableMode
from knowledge import UpperLimit


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """``uln`` is the laboratory's upper limit for LDH; ``admin_group`` may see ``/tarla site``, None: nobody."""

    rules: Rules = field(default_factory=Rules)
    admin_group: str | None = None
    uln: UpperLimit | None = None
    table: TableMode = TableMode.BLOCK

    @property
    def upper_limit(self) -> str:
        """The upper limit in words."""
        return f"{self.uln.value:g} {self.uln.unit}" if self.uln else "not set: give it with each LDH"
