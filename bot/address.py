"""Where to listen, as a setting names it: ``host:port``, ``[address]:port`` for IPv6."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_FORM = re.compile(
    r"^(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9][A-Za-z0-9.-]{0,252})):(?P<port>\d{1,5})$", re.ASCII
)
MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """A host (name or IP address) and a port; port 0 is any that is free."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def read_address(text: str) -> Address:
    """The address in a text.

    Raises:
        ValueError: it is not of the form, or the port is none.
    """
    found = _FORM.match(text)
    if found is None or int(found["port"]) > MAX_PORT:
        raise ValueError("not host:port")
    if found["six"] is not None:
        return Address(str(ipaddress.IPv6Address(found["six"])), int(found["port"]))
    return Address(found["host"], int(found["port"]))
