"""Small charts as inline SVG: bars upwards, bars sideways, spans of time. Text is escaped; no script, no style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

# Okabe and Ito's colours, told apart also without full colour vision; darkened where they would be faint on white.
COLOURS = ("#0072b2", "#d55e00", "#007a5a", "#a34f84", "#8a6d00", "#3d3d3d")
WIDTH = 640
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 34
HEIGHT = 250
ROW = 26
MOST_LABELS = 10


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a stacked bar chart: its name and a value for every bar."""

    name: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Span:
    """A bar in a chart of times: name, where it begins and ends as shares of the whole (0 to 1)."""

    name: str
    begin: float
    end: float


def stacked(title: str, labels: Sequence[str], series: Sequence[Series]) -> str:
    """Bars upwards, one a label, each stacked of all series; every so many labels are written."""
    totals = [sum(each.values[place] for each in series) for place in range(len(labels))]
    top = nice(max(totals, default=0))
    inner, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    step = inner / max(1, len(labels))
    parts = [_grid(top, height)]
    for place in range(len(labels)):
        base = float(TOP + height)
        for number, each in enumerate(series):
            tall = height * each.values[place] / top
            if tall > 0:
                base -= tall
                parts.append(_rect(LEFT + step * place + step * 0.1, base, max(0.6, step * 0.8), tall, number))
    most = MOST_LABELS if max(map(len, labels), default=0) < 8 else MOST_LABELS * 2 // 3  # dates need more room
    every = max(1, -(-len(labels) // most))
    for place in range(0, len(labels), every):
        parts.append(_text(LEFT + step * (place + 0.5), HEIGHT - 14, labels[place], "middle"))
    return _svg(title, HEIGHT, parts) + (_legend([each.name for each in series]) if len(series) > 1 else "")


def sideways(title: str, rows: Sequence[tuple[str, int]]) -> str:
    """Bars to the right, one a name, each with its number."""
    room, most = 190, max((value for _name, value in rows), default=0) or 1
    inner = WIDTH - room - 80
    parts = []
    for place, (name, value) in enumerate(rows):
        y = TOP + ROW * place
        parts.append(_text(room - 8, y + 16, name, "end"))
        parts.append(_rect(room, y + 4, max(1.0, inner * value / most), ROW - 9, 0))
        parts.append(_text(room + inner * value / most + 8, y + 16, f"{value:,}", "start"))
    return _svg(title, TOP + ROW * max(1, len(rows)) + 4, parts)


def spans(title: str, rows: Sequence[Span], ends: tuple[str, str]) -> str:
    """Bars along a line of time, one a row, with the first and last day below."""
    room = 190
    inner = WIDTH - room - RIGHT
    parts = []
    for place, each in enumerate(rows):
        y = TOP + ROW * place
        parts.append(_text(room - 8, y + 16, each.name, "end"))
        parts.append(_rect(room + inner * each.begin, y + 4, max(2.0, inner * (each.end - each.begin)), ROW - 9, 0))
    y = TOP + ROW * max(1, len(rows))
    parts.append(f'<line x1="{room}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="#555"/>')
    parts.append(_text(room, y + 18, ends[0], "start"))
    parts.append(_text(WIDTH - RIGHT, y + 18, ends[1], "end"))
    return _svg(title, y + 26, parts)


def nice(value: float) -> int:
    """The next of 1, 2, 5, 10, 20 ... that is not below ``value``."""
    power = 1
    while True:
        for step in (1, 2, 5):
            if step * power >= value:
                return step * power
        power *= 10


def _grid(top: int, height: float) -> str:
    parts = []
    # Whole numbers only: there is no half event.
    shares = [0, 0.25, 0.5, 0.75, 1] if top % 4 == 0 else [0, 0.2, 0.4, 0.6, 0.8, 1] if top % 5 == 0 else [0, 1]
    for share in shares:
        y = TOP + height * (1 - share)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#d0d0d0"/>')
        parts.append(_text(LEFT - 6, y + 4, f"{round(top * share):,}", "end"))
    return "".join(parts)


def _rect(x: float, y: float, width: float, height: float, number: int) -> str:
    colour = COLOURS[number % len(COLOURS)]
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    # Long names would run out of the picture; the table beside it has them whole.
    short = words if len(words) <= 28 else words[:27] + "…"
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(short)}</text>'


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    box = f'viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}"'
    drawing = f'<svg {box} font-size="12" fill="#222">{"".join(parts)}</svg>'
    # On a small screen it keeps a size that can be read, and is scrolled, with the keyboard too.
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}, chart">{drawing}</div>'


def _legend(names: Sequence[str]) -> str:
    items = []
    for number, name in enumerate(names):
        colour = COLOURS[number % len(COLOURS)]
        square = f'<rect width="10" height="10" fill="{colour}"/>'
        mark = f'<svg class="key" viewBox="0 0 10 10" aria-hidden="true">{square}</svg>'
        items.append(f"<li>{mark} {escape(name)}</li>")
    return f'<ul class="legend">{"".join(items)}</ul>'
