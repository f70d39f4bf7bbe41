"""What the end-to-end tests need on the machine, and what happens without it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
NODE_PACKAGES = ("local-slack-linux-x64", "slack-blocks-to-jsx", "react", "react-dom")
# TARLA_E2E=required turns a missing part into a failure: set it where every part is meant to be there.
REQUIRED = "required"


def find_chromium() -> str | None:
    """Path of the machine's Chromium or Chrome, or None."""
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def missing_parts(root: Path = ROOT) -> list[str]:
    """Everything that the end-to-end tests need and this machine lacks, each with its remedy."""
    missing = []
    if find_chromium() is None:
        missing.append("Chromium (install the system's chromium package)")
    if shutil.which("node") is None:
        missing.append("Node (version 20 or later)")
    packages = [name for name in NODE_PACKAGES if not (root / "node_modules" / name / "package.json").is_file()]
    if packages:
        missing.append(f"Node packages {', '.join(packages)} (run: npm ci)")
    return missing


def require_systemd() -> str:
    """Path of systemd-analyze; without it the calling test skips, or fails with ``TARLA_E2E=required``."""
    found = shutil.which("systemd-analyze")
    if found is None:
        _do_without("checking the unit needs systemd-analyze (Debian: systemd)")
    return found or ""


def require_e2e() -> None:
    """Skip the calling test when a part is missing; with ``TARLA_E2E=required`` fail it instead."""
    missing = missing_parts()
    if not missing:
        return
    _do_without("end-to-end tests need " + "; ".join(missing))


def _do_without(reason: str) -> None:
    if os.environ.get("TARLA_E2E") == REQUIRED:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
