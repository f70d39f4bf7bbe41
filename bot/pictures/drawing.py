"""What every picture shares: fonts, greys, the figure itself, and bytes that are the same each time.

Figures are made object by object, without pyplot, so that nothing outlives a picture. Colours differ in lightness
first, so that they survive a grey printer and colour-blind eyes, and none says that a patient is safe or in danger.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

INK = "#111111"
ACCENT = "#12355b"  # the patient; and patients with liver metastases
SOFT = "#6f6f6f"  # what stands beside; and patients without liver metastases
FAINT = "#d9d9d9"  # grid

SMALL, NORMAL, LARGE, HUGE = 8.0, 9.0, 12.0, 15.0  # points

# Everything that a user's own matplotlib settings could change is set back first.
_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same everywhere
    "font.size": NORMAL,
    "svg.hashsalt": "tarla",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": SOFT,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
}
# No date and no program's version in the file: the same picture has the same bytes.
_METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@dataclass(frozen=True)
class Drawing:
    """A picture: the figure, its title, and every number drawn (what can be written as JSON, fractions of 1)."""

    figure: Figure
    title: str
    data: Mapping[str, object]


@contextmanager
def settings() -> Iterator[None]:
    """Our own settings while a picture is drawn or written."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def render(drawing: Drawing, format_: str) -> bytes:
    """The picture as ``png``, ``svg`` or ``pdf``; the same picture gives the same bytes."""
    buffer = io.BytesIO()
    metadata = {**_METADATA[format_], "Title": drawing.title}
    with settings():
        drawing.figure.savefig(buffer, format=format_, dpi=150, metadata=metadata)
    return buffer.getvalue()
