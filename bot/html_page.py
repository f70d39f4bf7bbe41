"""The frame of a report: one page that needs nothing else, may load nothing else, and prints."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from html import escape

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: #1b1b1b; background: #fff;
  max-width: 76rem; margin: 0 auto; padding: 1rem 1.2rem 3rem; }
h1 { font-size: 1.6rem; margin: .4rem 0; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .3rem; border-top: 1px solid #bbb;
  padding-top: .8rem; } h3 { font-size: 1rem; margin: 1rem 0 .3rem; }
p { margin: .3rem 0; max-width: 62rem; } .small { color: #444; font-size: .9rem; }
.verdict { border-left: .5rem solid #007a5a; background: #eef7f3; padding: .6rem .9rem; margin: .8rem 0; }
.verdict.wrong { border-color: #a4000f; background: #fdeeee; font-weight: 600; }
.figures { display: flex; flex-wrap: wrap; gap: .6rem; padding: 0; margin: .8rem 0; list-style: none; }
.figures li { border: 1px solid #ccc; border-radius: .3rem; padding: .4rem .8rem; min-width: 7rem; }
.figures b { display: block; font-size: 1.25rem; }
.pair { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1.4rem; align-items: start; }
.pair.down { grid-template-columns: minmax(0, 1fr); }
.pair.down > div:first-child { max-width: 46rem; }
svg { width: 100%; height: auto; font-family: inherit; } svg.key { width: .8rem; height: .8rem; }
.contents { list-style: none; display: flex; flex-wrap: wrap; gap: .35rem 1.1rem; padding: 0; margin: .8rem 0; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding: 0; margin: .2rem 0;
  font-size: .9rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; margin: .3rem 0; }
caption { text-align: left; color: #444; padding-bottom: .2rem; white-space: nowrap; }
th, td { padding: .15rem .7rem .15rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #e2e2e2;
  white-space: nowrap; }
table.prose th, table.prose td { white-space: normal; }
table.prose td { min-width: 7.4rem; overflow-wrap: anywhere; }
th { font-weight: 600; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
code { font-size: .88em; overflow-wrap: anywhere; }
.narrow { display: none; }
.mark { position: fixed; top: 0; right: 0; z-index: 2; margin: 0; padding: .1rem .6rem; background: #a4000f;
  color: #fff; font-size: .8rem; font-weight: 600; }
@media (max-width: 56rem) { .pair { grid-template-columns: minmax(0, 1fr); } .scroll > svg { min-width: 34rem; }
  .scroll.whole > svg { min-width: 0; } .narrow { display: block; } .marked { padding-top: 1.6rem; }
  tbody th { white-space: normal; min-width: 7.4rem; max-width: 9rem; position: sticky; left: 0; background: #fff; }
  caption { white-space: normal; } caption span { display: inline-block; position: sticky; left: 0;
    max-width: calc(100vw - 2.6rem); } }
@media print { nav { display: none; }
  @page { size: A4; margin: 14mm; } body { font-size: 10pt; max-width: none; padding: 0; }
  .pair { grid-template-columns: minmax(0, 1fr); } .pair > div:first-child { max-width: 130mm; }
  .scroll { overflow: visible; } h2, h3, h2 + p, h3 + p, h2 + p + p { break-after: avoid; }
  svg, tr, p { break-inside: avoid; } .scroll > svg { max-height: 105mm; } .narrow { display: none; }
  .mark { top: 45%; right: 0; left: 0; background: none; color: #a4000f; opacity: .14; font-size: 64pt;
    text-align: center; transform: rotate(-35deg); }
  table { font-size: 8pt; } .scroll > svg { min-width: 0; }
  th, td, caption { padding-right: .4rem; white-space: normal; } .small { font-size: 9pt; }
  tbody th { position: static; max-width: none; } caption span { max-width: none; } }
"""


SIMULATED = '<p class="mark">SIMULATED</p>'
# The pages have tables and pictures wider than a phone, which shows no bar to scroll them by.
SWIPE = '<p class="small narrow">Pictures and tables that end at the edge go on: swipe them sideways.</p>'


def page(title: str, body: Sequence[str], *, simulated: bool = False) -> str:
    """A whole HTML document. Its policy allows its own style and nothing else: no script, no request, no form.

    ``simulated``: said over every screen and on every printed sheet, which may be looked at by itself.
    """
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + (f'{SIMULATED}\n<main class="marked">\n' if simulated else "<main>\n")
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, prose: bool = False) -> str:
    """A table with a caption; cells that are figures stand to the right. ``prose``: cells hold sentences and wrap."""
    if not rows:
        return f'<p class="small">{escape(caption)}: none.</p>'
    numeric = [all(_is_figure(row[column]) for row in rows) for column in range(len(head))]
    heads = "".join(f'<th scope="col"{_right(numeric[place])}>{escape(name)}</th>' for place, name in enumerate(head))
    lines = []
    for row in rows:
        cells = [f'<th scope="row"{_right(numeric[0])}>{escape(row[0])}</th>']
        cells += [f"<td{_right(numeric[place])}>{escape(cell)}</td>" for place, cell in enumerate(row) if place]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    body = f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody>"
    kind = ' class="prose"' if prose else ""
    # A table wider than the screen can be scrolled with the keyboard too.
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table{kind}>'
        f"<caption><span>{escape(caption)}</span></caption>{body}</table></div>"
    )


def section(title: str, *parts: str) -> str:
    """A heading and what stands under it."""
    return f'<section id="{_place(title)}">\n<h2>{escape(title)}</h2>\n' + "\n".join(parts) + "\n</section>"


_HEADING = re.compile(r'<section id="([a-z0-9-]+)">\n<h2>(.*?)</h2>')


def contents(sections: Sequence[str]) -> str:
    """Links to sections made by ``section``, in their order."""
    links = (f'<li><a href="#{place}">{title}</a></li>' for place, title in _HEADING.findall("\n".join(sections)))
    return f'<nav aria-label="Contents"><ul class="contents">{"".join(links)}</ul></nav>'


def pair(chart: str, beside: str, *, down: bool = False) -> str:
    """A chart with its table, side by side where there is room (``down``: below it, for a wide table)."""
    kind = "pair down" if down else "pair"
    return f'<div class="{kind}"><div>{chart}</div><div>{beside}</div></div>'


def words(text: str, small: bool = False) -> str:
    """A paragraph."""
    kind = ' class="small"' if small else ""
    return f"<p{kind}>{escape(text)}</p>"


def _place(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _right(numeric: bool) -> str:
    return ' class="n"' if numeric else ""


def _is_figure(cell: str) -> bool:
    return not cell or cell.replace(",", "").replace(".", "", 1).removesuffix(" %").isdigit()
