"""What every measurement here shares: percentiles, budgets, the machine, a table and a JSON file."""

from __future__ import annotations

import json
import math
import os
import platform
import sqlite3
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("aiohttp", "numpy", "pydantic", "slack-bolt", "slack-sdk")


@dataclass(frozen=True)
class Line:
    """One measured figure and its budget, which is an upper limit in the same unit."""

    what: str
    value: float
    unit: str
    budget: float | None = None

    @property
    def verdict(self) -> str:
        """Whether the budget is kept; empty without one."""
        if self.budget is None:
            return ""
        # A budget of 0, as for lost commands, allows 0 itself.
        kept = self.value < self.budget or self.value == self.budget == 0
        return "ok" if kept else "MISSED"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of all do not exceed (0 < share <= 1)."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def report(name: str, lines: Sequence[Line], settings: dict[str, Any]) -> Path:
    """Print the lines as a table and write them to ``results/NAME.json``, whose path is returned."""
    width = max(len(line.what) for line in lines)
    for line in lines:
        budget = "" if line.budget is None else f"budget {line.budget:g}"
        click.echo(f"{line.what:<{width}}  {line.value:>9.3f} {line.unit:<3} {budget:<12} {line.verdict}".rstrip())
    return write(name, settings, {"lines": [asdict(line) | {"verdict": line.verdict} for line in lines]})


def write(name: str, settings: dict[str, Any], found: dict[str, Any], packages: Sequence[str] = ()) -> Path:
    """Write what was found to ``results/NAME.json`` with the machine, its load, and versions of more ``packages``."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    body = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(packages),
        "settings": settings,
        **found,
    }
    path.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n")
    return path


def machine(packages: Sequence[str] = ()) -> dict[str, Any]:
    """What a reader needs to know of where it was measured; nothing that names the machine."""
    names = [line.split(":", 1)[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "load_average_1_and_5_minutes": [round(load, 2) for load in os.getloadavg()[:2]],
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: version(name) for name in (*_PACKAGES, *packages)},
        "tarla": version("tarla-bot"),
    }


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
