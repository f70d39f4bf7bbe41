"""What systemd is told: ready, stopping, and that the event loop still turns.

A datagram to the socket that systemd names in ``NOTIFY_SOCKET`` (sd_notify(3)); without one nothing happens.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Mapping

READY, STOPPING, WATCHDOG = "READY=1", "STOPPING=1", "WATCHDOG=1"
# systemd advises half of the time allowed; a third leaves room for one pulse that is late.
PULSES_IN_TIME = 3
MICROSECONDS = 1_000_000


class Notifier:
    """Tells the service manager. ``address`` is that of its socket, or None where there is no manager."""

    def __init__(self, address: str | None) -> None:
        # "@" stands for the NUL byte with which names outside the file system begin.
        self._address = f"\0{address[1:]}" if address and address.startswith("@") else address
        self.told_ready = False

    def tell(self, *states: str) -> None:
        """Send assignments such as ``READY=1``. A manager that does not take them is none of our users' concern."""
        self.told_ready = self.told_ready or READY in states
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto("\n".join(states).encode(), self._address)


def pulse_interval(environment: Mapping[str, str], pid: int) -> float | None:
    """Seconds between two pulses of the watchdog, or None where systemd expects none of this process."""
    allowed = environment.get("WATCHDOG_USEC", "")
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid) or not (allowed.isascii() and allowed.isdigit()):
        return None
    seconds = int(allowed) / MICROSECONDS / PULSES_IN_TIME
    return seconds or None


async def pulse(notifier: Notifier, interval: float) -> None:
    """Pulse for ever, from the event loop: when that hangs, the pulses end and systemd starts the process anew."""
    while True:
        notifier.tell(WATCHDOG)
        await asyncio.sleep(interval)
