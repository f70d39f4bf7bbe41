"""The base of the engine's records: immutable, no unknown fields, no infinities or NaN."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """A record that cannot change once made."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
