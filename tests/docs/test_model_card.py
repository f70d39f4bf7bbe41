"""docs/model-card.md is what the program makes of the model that ships."""

from __future__ import annotations

import re
from pathlib import Path

from bot.model_card import card_text

REPOSITORY = Path(__file__).parents[2]


def test_model_card_is_not_stale() -> None:
    """Made again it is the same, byte for byte; if not: make card."""
    shown = (REPOSITORY / "docs" / "model-card.md").read_bytes()
    assert shown == card_text(as_json=False).encode()


def test_links_lead_somewhere() -> None:
    """Relative links of the card, from the folder it stands in."""
    links = re.findall(r"\]\(([^)#:]+)\)", card_text(as_json=False))
    assert {"study.md", "pictures/study-coverage.svg"} <= set(links)
    assert not [link for link in links if not (REPOSITORY / "docs" / link).is_file()]


def test_readme_and_model_description_lead_to_it() -> None:
    assert "(docs/model-card.md)" in (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert "(model-card.md)" in (REPOSITORY / "docs" / "model.md").read_text(encoding="utf-8")
