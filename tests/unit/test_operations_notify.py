"""What systemd is told, read from a real socket such as systemd's."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.operations.notify import READY, WATCHDOG, Notifier, pulse, pulse_interval

PID = 4711


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, str]]:
    """A manager's socket and its address as systemd writes it."""
    # Short, as an address may have 108 bytes.
    with tempfile.TemporaryDirectory(prefix="tarla") as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
        name = f"tarla-{os.getpid()}"
        address = str(Path(folder) / name) if request.param == "path" else f"@{name}"
        own.bind(address if request.param == "path" else f"\0{name}")
        own.settimeout(5.0)
        yield own, address


def test_states_arrive_in_one_datagram(manager: tuple[socket.socket, str]) -> None:
    own, address = manager
    Notifier(address).tell(READY, "STATUS=taking requests")
    assert own.recv(1024) == b"READY=1\nSTATUS=taking requests"


@pytest.mark.parametrize("address", [None, "", "/nowhere/at/all"])
def test_without_a_manager_nothing_happens(address: str | None) -> None:
    Notifier(address).tell(READY)


async def test_pulses_come_from_the_event_loop_and_end_with_it(manager: tuple[socket.socket, str]) -> None:
    own, address = manager
    own.setblocking(False)
    pulsing = asyncio.create_task(pulse(Notifier(address), 0.001))
    for _ in range(3):
        assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(own, 1024), 5.0) == WATCHDOG.encode()
    _emptied(own)
    time.sleep(0.02)  # the loop hangs: by now twenty pulses are due
    with pytest.raises(BlockingIOError):
        own.recv(1024)
    pulsing.cancel()
    await asyncio.wait((pulsing,))


def _emptied(own: socket.socket) -> None:
    while True:
        try:
            own.recv(1024)
        except BlockingIOError:
            return


@pytest.mark.parametrize(
    ("environment", "interval"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 10.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(PID)}, 10.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-3"}, None),
        ({"WATCHDOG_USEC": "٣"}, None),
        ({"WATCHDOG_USEC": ""}, None),
        ({}, None),
    ],
)
def test_how_often(environment: dict[str, str], interval: float | None) -> None:
    assert pulse_interval(environment, PID) == interval
