"""End-to-end tests skip with a reason where a part is missing, or fail where all must be there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.requirements import NODE_PACKAGES, missing_parts, require_e2e


def test_every_missing_part_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    told = "; ".join(missing_parts(tmp_path))
    assert all(part in told for part in ("Chromium", "Node (", "npm ci", *NODE_PACKAGES))


@pytest.mark.parametrize(
    ("setting", "outcome"), [("", pytest.skip.Exception), ("required", pytest.fail.Exception)], ids=["skip", "fail"]
)
def test_a_missing_part_skips_unless_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TARLA_E2E", setting)
    with pytest.raises(outcome, match="Chromium"):
        require_e2e()
