"""Kinds of value that the card's records share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Text = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]
Texts = tuple[Text, ...]
Count = Annotated[int, Field(ge=0)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
