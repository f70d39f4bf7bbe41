"""Facts and associations as entries: what was seen, in whom, when, how often, and under which id."""

from __future__ import annotations

from handlers.evidence.markup import Markup, capital, sentence
from handlers.evidence.wording import direction, outcome, window
from knowledge.evidence import Association, Derived, Fact

Record = Fact | Association


def entry(record: Record, m: Markup, shared: frozenset[str] = frozenset()) -> str:
    """One entry as a bullet; ``shared`` names the details that already stand above it."""
    said = details(record)
    kept = " ".join(m.text(sentence(text)) for name, text in said.items() if name not in shared)
    return f"• {_head(record, m)} {kept} {m.name(record.id)}".replace("  ", " ")


def details(record: Record) -> dict[str, str]:
    """Everything an entry says after its bold head, by name and in order; nothing is said that is not in the record."""
    own = _fact_details(record) if isinstance(record, Fact) else _association_details(record)
    return {name: text for name, text in own.items() if text}


def _head(record: Record, m: Markup) -> str:
    if isinstance(record, Fact):
        return m.bold(f"{capital(outcome(record.endpoint))}:{' no figure found.' if record.absent else ''}")
    return m.bold(f"{capital(record.factor)} and {outcome(record.endpoint)}: {direction(record)}.")


def _fact_details(fact: Fact) -> dict[str, str]:
    return {
        "figure": "" if fact.absent else _figure(fact),
        "derived": _derived(fact.derived, fact.denominator) if fact.derived else "",
        "window": window(fact.window),
        "discrepancy": f"the source contradicts itself: {fact.discrepancy}" if fact.discrepancy else "",
        "note": fact.note or "",
    }


def _association_details(link: Association) -> dict[str, str]:
    return {
        "effect": _effect(link),
        "derived": _derived(link.derived, link.denominator) if link.derived else "",
        "cohort": _cohort(link),
        "window": window(link.window),
        "coding": f"coding: {link.coding}" if link.coding else "",
        "adjusted": f"adjusted: {link.adjusted}" if link.adjusted else "",
        "model": f"model: {link.model}" if link.model else "",
        "note": link.note or "",
    }


def _effect(link: Association) -> str:
    parts = [] if link.effect is None else [link.effect]
    if link.effect is None and link.coefficient is not None:
        parts.append(f"log odds ratio {link.coefficient:+g}")
    if link.absent:
        parts.append("size of the effect not seen")
    return ", ".join([*parts, *_precision(link)])


def _precision(record: Record) -> list[str]:
    parts = [f"95 % CI {record.ci95}"] if record.ci95 else []
    if record.p:
        parts.append(f"p {record.p}" if record.p[0] in "<>=≤" else f"p = {record.p}")
    return parts


def _cohort(link: Association) -> str:
    if link.n is None:
        return "" if link.events is None else f"{link.events} with the event, n not printed"
    return f"n = {link.n}" if link.events is None else f"n = {link.n}, {link.events} with the event"


def _figure(fact: Fact) -> str:
    """The figure as printed, always with its denominator or the word that there is none."""
    counts = "" if fact.events is None else str(fact.events)
    if fact.events is not None and fact.n is not None:
        counts = f"{fact.events}/{fact.n}"
    unknown_n = "" if fact.denominator is not None else ", n not printed"
    if fact.percent is not None:
        of = f" of {fact.n}" if fact.n is not None else unknown_n
        parts = [f"{fact.percent} ({counts}){unknown_n}" if counts else f"{fact.percent}{of}"]
    elif counts:
        parts = [f"{counts}{unknown_n}"]
    else:
        parts = [f"n = {fact.n}"] if fact.n is not None and fact.value is not None else []
    if fact.value is not None:
        value = f"{fact.value:g}" if isinstance(fact.value, float) else fact.value
        parts.append(f"{value} {fact.unit}" if fact.unit else value)
    if fact.range:
        parts.append(f"range {fact.range}" if fact.range[0].isdigit() else fact.range)
    return "; ".join([*parts, *_precision(fact)])


def _derived(derived: Derived, n: int | None) -> str:
    figures = []
    if derived.events is not None:
        figures.append(str(derived.events) if n is None else f"{derived.events}/{n}")
    elif derived.n is not None:
        figures.append(f"n = {derived.n}")
    figures += [text for text in (derived.percent, derived.value) if text is not None]
    return f"derived: {' = '.join(figures)} ({derived.how})"
