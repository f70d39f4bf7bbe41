"""The ledger on a disk that is full or read-only: no figure without its row, no half row, and it goes on by itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chaos import scale, tally
from tests.support.fault_tools import require, without_mounts
from tests.support.small_disk import tell

NO_LEDGER = 3  # exit status of ``tarla ask``
QUICKLY_S = 1.0
DISKS, ROUNDS = scale(1, 10), scale(2, 10)

Found = dict[str, Any]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    """What the stories found, each on a small disk that only the process that told them could see."""
    require(without_mounts())
    stories = ("turned_read_only", "cold_start", *[f"filled_up:{ROUNDS}"] * DISKS)
    return tell(tmp_path_factory.mktemp("disk"), *stories)


def assert_no_figure(asked: tuple[int, str, str]) -> None:
    """How ``tarla ask`` ended: without an answer, and it said why."""
    status, printed, complaint = asked
    assert (status, printed) == (NO_LEDGER, "")
    assert "audit ledger cannot be written" in complaint


def test_full_disk_gives_no_part_of_a_row_and_is_got_over(found: list[Found]) -> None:
    filled_up = found[2:]
    for disk in filled_up:
        assert disk["refused"] == {"disk_full": ROUNDS}
        assert disk["events"] == disk["acknowledged"] > ROUNDS
    times, acknowledged = DISKS * ROUNDS, sum(disk["acknowledged"] for disk in filled_up)
    tally("disk of 512 KiB filled up", times=times, acknowledged=acknowledged, refused=times, half_rows=0)


def test_start_on_a_full_disk_says_what_is_wrong(found: list[Found]) -> None:
    cold_start = found[1]
    assert cold_start["status"] == [False, "disk_full"]
    assert_no_figure(cold_start["asked"])
    assert (cold_start["after"], cold_start["check"]) == (True, 1)


def test_read_only_disk_is_refused_quickly_and_can_be_checked(found: list[Found]) -> None:
    read_only = found[0]
    assert read_only["status"] == read_only["new"] == "read_only"
    unrecorded, code, seconds = read_only["refused"]
    assert (unrecorded, code) == (True, "read_only")
    assert seconds < QUICKLY_S
    assert_no_figure(read_only["asked"])
    assert (read_only["verdict"], read_only["keys"]) == ([True, 1], ["before"])
    assert (read_only["after"], read_only["other_kinds"]) == (2, [])
    tally("disk turned read-only", refused_after_ms=round(seconds * 1000))
