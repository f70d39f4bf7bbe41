"""What the fields of the evidence's records may hold."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]
Id = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*$")]
Ids = Annotated[tuple[Id, ...], Field(strict=False)]
Count = Annotated[int, Field(ge=0)]
Patients = Annotated[int, Field(ge=1)]
# A year, month or day as far as the source prints it.
PrintedDate = Annotated[str, Field(pattern=r"^([0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?|not printed)$")]
Url = Annotated[str, Field(pattern=r"^https?://\S+$")]

Topic = Literal["incidence", "risk_factors", "prophylaxis", "covariates"]
TOPICS: tuple[Topic, ...] = get_args(Topic)


class Record(BaseModel):
    """Frozen, and strict: no unknown key, no coercion, no nan."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
