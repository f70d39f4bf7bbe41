"""A citation in full: as seen, with a link to its own address, and what was not seen said to be so."""

from __future__ import annotations

from urllib.parse import urlsplit

from handlers.evidence.markup import Markup
from handlers.evidence.wording import how_seen, short_name
from knowledge.evidence import Source


def citation(source: Source, m: Markup) -> str:
    """Short name and id, authors, title, where published and date, DOI, PMID or address, and how much was read."""
    seen = m.text(how_seen(source))
    if source.account_url is not None:
        seen += f" {m.link(source.account_url, _site(source.account_url))}"
    # Dots apart, not full stops, which would be taken for a part of an address.
    return f"{m.bold(short_name(source))} {m.name(source.id)} {m.text(source.reference)} {_place(source, m)} · {seen}"


def _place(source: Source, m: Markup) -> str:
    places = [m.link(f"https://doi.org/{source.doi}", f"DOI {source.doi}")] if source.doi else []
    places += [m.text(f"PMID {source.pmid}")] if source.pmid else []
    if not places and source.pmcid:
        places.append(m.text(source.pmcid))
    if source.url and not source.doi:
        places.append(m.link(source.url, _site(source.url)))
    return " · ".join(places) or m.text("No DOI, PMID or publisher's address seen")


def _site(address: str) -> str:
    return urlsplit(address).netloc.removeprefix("www.")
