"""The evidence as one whole: every record by id, and by what one may ask."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from knowledge.evidence.conflicts import Conflict, Gap
from knowledge.evidence.fields import Topic
from knowledge.evidence.marks import Mark, marks_of, review_due
from knowledge.evidence.records import Association, CentreTerm, Fact
from knowledge.evidence.sources import Source
from knowledge.evidence.subjects import Subject


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known, by stable id. Iterating gives the facts, then the associations.

    ``compiled`` is the day (ISO 8601) on which the evidence was last looked through. ``centre_terms``
    says of every rate of CRS and ICANS whether it informs the risk at a new centre, and why or why not.
    ``by_subject`` holds the records of each subject one may ask about, contradicting ones included;
    ``order_of_trust`` says which kind of source goes before which where they differ.
    """

    compiled: str
    sources: Mapping[str, Source]
    facts: Mapping[str, Fact]
    associations: Mapping[str, Association]
    centre_terms: Mapping[str, CentreTerm]
    subjects: Mapping[str, Subject]
    by_subject: Mapping[str, tuple[Fact | Association, ...]]
    conflicts: Mapping[str, Conflict]
    gaps: Mapping[str, Gap]
    order_of_trust: str

    @property
    def version(self) -> str:
        """The name of this state of knowledge: the day it was compiled."""
        return self.compiled

    def __iter__(self) -> Iterator[Fact | Association]:
        yield from self.facts.values()
        yield from self.associations.values()

    def source(self, source_id: str) -> Source:
        """A source by id.

        Raises:
            KeyError: there is none of this id.
        """
        return self.sources[source_id]

    def fact(self, fact_id: str) -> Fact:
        """A fact by id.

        Raises:
            KeyError: there is none of this id.
        """
        return self.facts[fact_id]

    def association(self, association_id: str) -> Association:
        """An association by id.

        Raises:
            KeyError: there is none of this id.
        """
        return self.associations[association_id]

    def source_of(self, record: Fact | Association | Source) -> Source:
        """The source a record rests on; a source rests on itself.

        Raises:
            KeyError: the record is of another evidence.
        """
        return record if isinstance(record, Source) else self.sources[record.source]

    def is_primary(self, record: Fact | Association | Source) -> bool:
        """Whether the text that says so was read itself, not only a report of it."""
        return self.source_of(record).primary

    def review_due(self, record: Fact | Association | Source) -> str:
        """The last day (ISO 8601) before a record is past its review: as set, else six months after ``compiled``."""
        return review_due(record, self.source_of(record), self.compiled)

    def marks(self, record: Fact | Association | Source, today: str) -> tuple[Mark, ...]:
        """What to be wary of in a record on the day ``today`` (ISO 8601): closed words, none when all is well.

        Raises:
            ValueError: ``today`` is no day such as 2026-11-22.
        """
        return marks_of(self.source_of(record), self.review_due(record), today)

    def facts_on(self, topic: Topic) -> tuple[Fact, ...]:
        """The facts of one topic, in the order of its file."""
        return tuple(fact for fact in self.facts.values() if fact.topic == topic)

    def on(self, subject: str) -> tuple[Fact | Association, ...]:
        """The facts and associations of one subject, in the order of their files: never empty.

        Raises:
            KeyError: there is no such subject.
        """
        return self.by_subject[subject]

    def subjects_of(self, record: Fact | Association) -> tuple[str, ...]:
        """The subjects a record belongs to: at least one."""
        return tuple(name for name, subject in self.subjects.items() if subject.covers(record))

    def conflicts_on(self, subject: str) -> tuple[Conflict, ...]:
        """The conflicts that matter for a subject, in the order of the file; may be none.

        Raises:
            KeyError: there is no such subject.
        """
        name = self.subjects[subject].id
        return tuple(conflict for conflict in self.conflicts.values() if name in conflict.subjects)

    def conflicts_about(self, record_id: str) -> tuple[Conflict, ...]:
        """The conflicts that name a fact, association or source; may be none."""
        return tuple(each for each in self.conflicts.values() if record_id in (*each.facts, *each.sources))

    def gaps_on(self, subject: str) -> tuple[Gap, ...]:
        """What was looked for and not found on a subject; may be nothing.

        Raises:
            KeyError: there is no such subject.
        """
        name = self.subjects[subject].id
        return tuple(gap for gap in self.gaps.values() if name in gap.subjects)

    def associations_with(self, endpoint: str) -> tuple[Association, ...]:
        """The associations with one outcome, in the order of the file: the founding study comes first."""
        return tuple(link for link in self.associations.values() if link.endpoint == endpoint)

    def centre_cohorts(self, endpoint: str) -> tuple[Fact, ...]:
        """The cohorts that inform the risk of ``endpoint`` at a centre not yet seen; each has counts."""
        return tuple(
            fact
            for fact in self.facts.values()
            if fact.endpoint == endpoint and fact.centre_term and fact.centre_term.use
        )

    def facts_hash(self, ids: Iterable[str]) -> str:
        """SHA-256 (hex) over the canonical JSON of the named facts and associations.

        The order and repetition of ``ids`` do not matter. Fields at their default
        are left out, so that a new optional field changes no hash.

        Raises:
            KeyError: an id is unknown.
            ValueError: no id is given.
        """
        named = sorted(set(ids))
        if not named:
            raise ValueError("a hash over no facts binds nothing")
        records = [
            (self.facts.get(name) or self.associations[name]).model_dump(exclude_defaults=True) for name in named
        ]
        text = json.dumps(records, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()
