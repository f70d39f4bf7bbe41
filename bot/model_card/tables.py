"""Markdown's small parts: tables, lists, figures with their errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from knowledge.card.found import Figure

MOST_DECIMALS = 4


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a column whose head begins with ``>`` is set to the right."""
    lines = [
        "| " + " | ".join(head.removeprefix(">") for head in heads) + " |",
        "|" + "|".join("---:" if head.startswith(">") else "---" for head in heads) + "|",
    ]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def bullets(texts: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {text}" for text in texts)


def paragraphs(texts: Iterable[str]) -> str:
    """Paragraphs, parted by an empty line."""
    return "\n\n".join(texts)


def ids(names: Iterable[str]) -> str:
    """Ids of the evidence, set as code."""
    return ", ".join(f"`{name}`" for name in names)


def with_error(figure: Figure, decimals: int = 2, scale: float = 1.0) -> str:
    """A simulated figure and its Monte Carlo standard error, such as ``0.94 (0.003)``."""
    if figure.value is None:
        return "not defined"
    if figure.se is None:
        return number(scale * figure.value, decimals)
    error = scale * figure.se
    while decimals < MOST_DECIMALS and 0.0 < error < 0.95 * 10.0**-decimals:  # at least one figure of the error
        decimals += 1
    return f"{number(scale * figure.value, decimals)} ({error:.{decimals}f})"


def number(value: float, decimals: int = 2) -> str:
    """A number with fixed decimals, never a negative zero."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def percent(fraction: float) -> str:
    """Whole per cent, never a false 0 or 100."""
    if 0.0 < fraction < 0.01:
        return "below 1 %"
    return "above 99 %" if 0.99 < fraction < 1.0 else f"{100 * fraction:.0f} %"


def span(limits: tuple[float, float]) -> str:
    """An interval in whole per cent, such as ``37 to 46 %``."""
    return f"{percent(limits[0]).removesuffix(' %')} to {percent(limits[1])}"


def tiny(probability: float) -> str:
    """A small probability as one in so many, to two figures."""
    if probability <= 0.0:
        return "none"
    odds = 1.0 / probability
    digits = max(0, len(str(int(odds))) - 2)
    return f"1 in {round(odds / 10**digits) * 10**digits:,}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
