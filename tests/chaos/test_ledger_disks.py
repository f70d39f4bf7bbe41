"""The ledger on a disk that is full or read-only: no figure without its row, no half row, and it goes on by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.chaos import scale, tally
from tests.support.fault_tools import require, without_mounts
from tests.support.small_disk import cold_start, filled_up, tell, turned_read_only

NO_LEDGER = 3  # exit status of ``tarla ask``
QUICKLY_S = 1.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the small disk is mounted, for the process that mounts it alone."""
    require(without_mounts())
    path = tmp_path / "disk"
    path.mkdir()
    return path


def test_full_disk_gives_no_part_of_a_row_and_is_got_over(folder: Path) -> None:
    disks, rounds = scale(1, 10), scale(4, 10)
    acknowledged = 0
    for _ in range(disks):
        found = tell(filled_up, folder, rounds)
        assert found["refused"] == {"disk_full": rounds}
        assert found["events"] == found["acknowledged"] > rounds
        acknowledged += found["acknowledged"]
    times = disks * rounds
    tally("disk of 512 KiB filled up", times=times, acknowledged=acknowledged, refused=times, half_rows=0)


def test_start_on_a_full_disk_says_what_is_wrong(folder: Path) -> None:
    found = tell(cold_start, folder)
    assert found["status"] == [False, "disk_full"]
    status, printed, complaint = found["asked"]
    assert (status, printed) == (NO_LEDGER, "")
    assert "audit ledger cannot be written" in complaint
    assert (found["after"], found["check"]) == (True, 1)


def test_read_only_disk_is_refused_quickly_and_can_be_checked(folder: Path) -> None:
    found = tell(turned_read_only, folder)
    assert found["status"] == found["new"] == "read_only"
    unrecorded, code, seconds = found["refused"]
    assert (unrecorded, code) == (True, "read_only")
    assert seconds < QUICKLY_S
    status, printed, complaint = found["asked"]
    assert (status, printed) == (NO_LEDGER, "")
    assert "audit ledger cannot be written" in complaint
    assert (found["verdict"], found["keys"]) == ([True, 1], ["before"])
    assert (found["after"], found["other_kinds"]) == (2, [])
    tally("disk turned read-only", refused_after_ms=round(seconds * 1000))
