"""The report's pictures as inline SVG: shares with intervals, grades as stacked bars, standardised differences.

The same input gives the same bytes. Colours differ in lightness first; marks differ in shape too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LABELS, RIGHT, TOP, ROW, BOTTOM = 580, 184, 62, 26, 24, 34
INK, GRID, BLUE, ORANGE = "#222", "#d4d4d4", "#0072b2", "#b34700"
# Grade 0 to 5, from pale to dark.
SHADES = ("#e9e9e9", "#b9d3ea", "#7fb0d9", "#3f83bd", "#1c558c", "#0b2440")


@dataclass(frozen=True, slots=True)
class Mark:
    """A share (0 to 1) with its interval and the words that stand at the right; ``shape`` circle, square or diamond."""

    label: str
    at: float | None
    interval: tuple[float, float] | None
    words: str
    shape: str
    colour: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Patients by grade, 0 to 5."""

    label: str
    counts: Sequence[int]


def shares(title: str, groups: Sequence[tuple[str, Sequence[Mark]]]) -> str:
    """Shares on a line from 0 to 100 %, under headings."""
    inner = WIDTH - LABELS - RIGHT
    bottom = TOP + ROW * sum(1 + len(marks) for _name, marks in groups)
    parts = []
    for tick in range(0, 101, 20):
        x = LABELS + inner * tick / 100
        parts += [_line(x, TOP, x, bottom, GRID), _text(x, bottom + 16, f"{tick} %", "middle", tick=True)]
    y = float(TOP)
    for name, marks in groups:
        y += ROW
        parts.append(_text(0, y - 8, name, "start", bold=True))
        for mark in marks:
            y += ROW
            parts.append(_text(LABELS - 10, y - 8, mark.label, "end"))
            parts.append(_text(WIDTH, y - 8, mark.words, "end"))
            if mark.at is not None and mark.interval is not None:
                low, high = (LABELS + inner * limit for limit in mark.interval)
                parts.append(_line(low, y - 12, high, y - 12, mark.colour, 2))
                parts.append(_shape(LABELS + inner * mark.at, y - 12, mark.shape, mark.colour))
    return _svg(title, bottom + BOTTOM - 8, parts)


def stacked_grades(title: str, groups: Sequence[tuple[str, Sequence[Bar]]]) -> str:
    """Each bar is all patients whose grade is known; parts by grade, numbered where there is room."""
    inner = WIDTH - LABELS - RIGHT
    parts, x, top = [_text(0, 14, "Grade", "start", bold=True)], 60.0, TOP + 6
    for grade, shade in enumerate(SHADES):
        parts.append(_rect(x, 4, 14, 13, shade))
        parts.append(_text(x + 20, 14, str(grade), "start"))
        x += 52
    y = float(top)
    for name, bars in groups:
        y += ROW
        parts.append(_text(0, y - 8, name, "start", bold=True))
        for bar in bars:
            y += ROW
            total, x = sum(bar.counts), float(LABELS)
            parts.append(_text(LABELS - 10, y - 8, bar.label, "end"))
            parts.append(_text(WIDTH, y - 8, f"n {total:,}", "end"))
            for grade, count in enumerate(bar.counts):
                if not count:
                    continue
                wide = inner * count / total
                parts.append(_rect(x, y - 20, wide, ROW - 7, SHADES[grade]))
                if wide > 9 * len(f"{count:,}") + 4:
                    colour = "#fff" if grade >= 3 else INK
                    parts.append(_text(x + wide / 2, y - 7, f"{count:,}", "middle", colour=colour))
                x += wide
            if not total:
                parts.append(_text(LABELS, y - 8, "none known", "start"))
    return _svg(title, y + 8, parts)


def love(title: str, rows: Sequence[tuple[str, float | None, float | None]], alike: float) -> str:
    """Sizes of standardised differences, on a line from 0; the conventional bound, and in each row a stroke below which
    about 95 % stay by chance."""
    inner = WIDTH - LABELS - RIGHT
    largest = max([size for _name, *sizes in rows for size in sizes if size is not None] + [0.5])
    top = -(-largest * 1.05 // 0.5) * 0.5
    bottom = TOP + ROW * len(rows)
    steps = 5 if top <= 2.5 else 4
    parts = []
    for step in range(steps + 1):
        x = LABELS + inner * step / steps
        parts += [
            _line(x, TOP, x, bottom, GRID),
            _text(x, bottom + 16, f"{top * step / steps:.3g}", "middle", tick=True),
        ]
    x = LABELS + inner * alike / top
    parts += [_line(x, TOP, x, bottom, "#555", 1.5, "2 3"), _line(LABELS, 10, LABELS + 24, 10, "#555", 1.5, "2 3")]
    parts.append(_text(LABELS + 30, 14, f"{alike:.2f} alike by convention", "start"))
    if any(bound is not None for _name, _value, bound in rows):
        parts.append(_line(LABELS + 202, 2, LABELS + 202, 18, INK, 2))
        parts.append(_text(LABELS + 212, 14, "95 % by chance below", "start"))
    for place, (name, value, bound) in enumerate(rows):
        y = TOP + ROW * (place + 1)
        parts.append(_text(LABELS - 10, y - 8, name, "end"))
        parts.append(_text(WIDTH, y - 8, "none" if value is None else f"{value:.2f}", "end"))
        if value is not None:
            x = LABELS + inner * value / top
            parts += [_line(LABELS, y - 12, x, y - 12, BLUE, 1.5), _shape(x, y - 12, "circle", BLUE)]
        if bound is not None:
            x = LABELS + inner * bound / top
            parts.append(_line(x, y - 20, x, y - 4, INK, 2))
    return _svg(title, bottom + BOTTOM - 8, parts)


def _shape(x: float, y: float, shape: str, colour: str) -> str:
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
    if shape == "square":
        return f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" fill="{colour}"/>'
    path = f"M{x:.1f} {y - 6:.1f}L{x + 6:.1f} {y:.1f}L{x:.1f} {y + 6:.1f}L{x - 6:.1f} {y:.1f}Z"
    return f'<path d="{path}" fill="#fff" stroke="{colour}" stroke-width="2"/>'


def _line(x: float, y: float, x2: float, y2: float, colour: str, width: float = 1, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    ends = f'x1="{x:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"{dashed}/>'


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _text(
    x: float, y: float, words: str, anchor: str, *, bold: bool = False, tick: bool = False, colour: str = INK
) -> str:
    weight = ' font-weight="600"' if bold else ""
    kind = ' class="tick"' if tick else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{weight}>{escape(words)}</text>'


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    box = f'viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}"'
    drawing = f'<svg {box} font-size="12">{"".join(parts)}</svg>'
    # On a phone it is small and whole: half an axis would mislead, and the figures stand in the table below.
    return f'<div class="scroll whole" tabindex="0" role="region" aria-label="{escape(title)}, chart">{drawing}</div>'
