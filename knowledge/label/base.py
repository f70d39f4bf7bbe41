"""Kinds of value and record that every part of the label's data shares."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]
Texts = Annotated[tuple[Text, ...], Field(min_length=1, strict=False)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")]
SourceId = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
Date = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
PrintedDate = Annotated[str, Field(pattern=r"^([0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?|not printed)$")]
Positive = Annotated[int, Field(ge=1)]
Days = Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)]
# A number that has decimals is written as text, so that nothing is rounded on the way.
Exact = Annotated[Decimal, Field(strict=False, gt=0)]

Region = Literal["us", "eu", "guideline", "class", "consensus"]
Toxicity = Literal["crs", "icans"]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Record(Part):
    """What every record has: a stable id, the source it quotes and, where other sources were compared, those."""

    id: Id
    source: SourceId
    cross_check: Annotated[tuple[SourceId, ...], Field(strict=False)] = ()
    note: Text | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of every source behind the record, the quoted one first."""
        grade5: str | None = getattr(self, "grade5_source", None)
        return (self.source, *self.cross_check, *(() if grade5 is None else (grade5,)))


class Version(Record):
    """A label text: product, document and date as far as it was seen. ``superseded_by`` names a newer text not seen."""

    region: Region
    drug: Text
    product: Text
    document: Text
    date: PrintedDate
    date_says: Text
    number: Positive | None = None
    setid: Text | None = None
    licence: Text | None = None
    superseded_by: Id | None = None
    superseded_says: Text | None = None


class Compiled(Part):
    """When the label facts were last looked through, and the day from which they count as old (ISO 8601)."""

    id: Id
    date: Date
    review_by: Date


class Statement(Record):
    """What a label says in words. ``absent``: looked for and not found, or not read."""

    topic: Text
    region: Region
    text: Texts
    absent: bool = False
