"""Sources: what is cited, how much of it was read, and what has come after it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from knowledge.evidence.days import Day
from knowledge.evidence.fields import Id, Patients, PrintedDate, Record, Text, Url

# What of a source was read; a secondary report means that the primary text was not.
Seen = Literal[
    "label_text", "abstract", "table", "guideline_card", "lab_catalogue", "software_readme", "secondary_report"
]
# Texts that have an issuing body instead of authors, and what to call it where it was not seen.
_ISSUER: dict[Seen, str] = {
    "label_text": "Company not seen",
    "lab_catalogue": "Laboratory or maker not seen",
    "guideline_card": "Issuing body not seen",
}


class Source(Record):
    """A publication, label or catalogue, and how much of it was read.

    A missing field was not seen, and is never completed from memory. ``described_as``
    says in our words what it is where the title was not seen. ``issued_by`` stands in
    the authors' place (labels, catalogues, company texts). ``published_in`` is the
    journal with volume and pages, the meeting with the number of the abstract, or the
    number of the label. ``n`` is the number of patients (or centres, donors, reports)
    it reports on. ``url`` is the address at the publisher, author or regulator;
    ``read_through`` is what was read in place of the text, ``account_url`` the address
    of that account at its own publisher. ``superseded_by`` is the id of the source
    with the later version, ``newer_version_reported`` the id of the source that
    reports a later version whose text was not read.
    """

    id: Id
    authors: Text | None = None
    issued_by: Text | None = None
    title: Text | None = None
    described_as: Text | None = None
    published_in: Text | None = None
    date: PrintedDate
    study_type: Text
    seen: Seen
    seen_complete: bool
    n: Patients | None = None
    doi: Annotated[str, Field(pattern=r"^10\.[0-9]{4,9}/\S+$")] | None = None
    pmid: Annotated[str, Field(pattern=r"^[0-9]{1,8}$")] | None = None
    pmcid: Annotated[str, Field(pattern=r"^PMC[0-9]+$")] | None = None
    pii: Text | None = None
    registration: Text | None = None
    url: Url | None = None
    read_through: Text | None = None
    account_url: Url | None = None
    superseded_by: Id | None = None
    newer_version_reported: Id | None = None
    review_by: Day | None = None
    note: Text | None = None

    @property
    def primary(self) -> bool:
        """Whether the text itself was read, in whole or in part, and not only a report of it."""
        return self.seen != "secondary_report"

    @property
    def year(self) -> str | None:
        """The year as printed; None when no date was printed."""
        return None if self.date == "not printed" else self.date[:4]

    @property
    def reference(self) -> str:
        """Authors, title, where published and date; each part that was not seen is said to be."""
        parts = [self.authors or self.issued_by or self._nobody_seen]
        parts.append(self.title or f"[{self.described_as}; title not seen]")
        if self.published_in:
            parts.append(self.published_in)
        elif not self._has_issuer:
            parts.append("Journal or meeting not seen")
        parts.append("Date not printed" if self.year is None else self.date)
        return " ".join(part if part.endswith(".") else f"{part}." for part in parts)

    @property
    def place(self) -> str:
        """Where to find it: DOI and PMID, else PMCID or the address; says so when none was seen."""
        places = [f"doi:{self.doi}"] if self.doi else []
        places += [f"PMID {self.pmid}"] if self.pmid else []
        if not places:
            places = [place for place in (self.pmcid, self.url) if place]
        return ", ".join(places) or "No DOI, PMID or publisher's address seen"

    @property
    def citation(self) -> str:
        """``reference``, ``place`` and, where the text itself was not read, what was read instead."""
        parts = [self.place]
        if self.read_through is not None:
            parts.append(f"Read through {self.read_through}")
        if self.account_url is not None:
            parts[-1] += f": {self.account_url}"
        # No full stop after an address: it would be taken for a part of it.
        return " ".join([self.reference, *(part if "://" in part.split()[-1] else f"{part}." for part in parts)])

    @property
    def _has_issuer(self) -> bool:
        return self.issued_by is not None or self.seen in _ISSUER

    @property
    def _nobody_seen(self) -> str:
        return _ISSUER.get(self.seen, "Authors not seen")

    @model_validator(mode="after")
    def _named_once(self) -> Source:
        if (self.title is None) == (self.described_as is None):
            raise ValueError("either a title, or what it is in our words (described_as)")
        if self.authors is not None and self.issued_by is not None:
            raise ValueError("both authors and issued_by, which stands in their place")
        return self

    @model_validator(mode="after")
    def _account_is_of_something(self) -> Source:
        if self.account_url is not None and self.read_through is None:
            raise ValueError("account_url without read_through")
        if self.read_through is not None and self.primary:
            raise ValueError("read_through, yet the text itself was read")
        return self

    @model_validator(mode="after")
    def _not_its_own_successor(self) -> Source:
        if self.id in (self.superseded_by, self.newer_version_reported):
            raise ValueError("it cannot come after itself")
        return self
