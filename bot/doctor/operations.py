"""``tarla doctor`` on ``TARLA_OPERATIONS``: whether the operator's reports can be served there, or are already."""

from __future__ import annotations

import asyncio
import errno
import socket

import aiohttp

from bot.address import Address
from bot.doctor.finding import Finding
from bot.operations.routes import HEALTH_PATH
from bot.settings import Settings

NAME = "TARLA_OPERATIONS"
WAIT_S = 2.0
OPTIONAL = "optional: set it to 127.0.0.1:9464 for /healthz, /readyz and /metrics beside Socket Mode"
OPEN = "other machines can reach it, and it asks nobody who they are: let a firewall admit the monitoring alone"
TAKEN = "another program listens there: choose another port"


async def examine_operations(settings: Settings) -> Finding:
    """The finding; whoever listens there already is asked whether it is Tarla."""
    address = settings.tarla_operations
    if address is None:
        return Finding(NAME, True, "not set: no reports beside Socket Mode", OPTIONAL)
    advice = "" if address.is_loopback else OPEN
    reason = await asyncio.to_thread(_why_not, address)
    if reason is None:
        return Finding(NAME, True, f"{address} is free", advice)
    if reason == "EADDRINUSE":
        if await _is_tarla(address):
            return Finding(NAME, True, f"Tarla answers on {address}", advice)
        return Finding(NAME, False, f"{address} is in use", TAKEN)
    return Finding(NAME, False, f"cannot be listened on ({reason})", "write an address of this machine")


def _why_not(address: Address) -> str | None:
    """Why nobody can listen there, as the name of an error number; None when somebody can."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.create_server((address.host, address.port), family=family):
            return None
    except socket.gaierror:
        return "no such host"
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)


async def _is_tarla(address: Address) -> bool:
    timeout = aiohttp.ClientTimeout(total=WAIT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"http://{address}{HEALTH_PATH}", allow_redirects=False) as reply,
        ):
            return reply.status == 200 and await reply.json() == {"alive": True}
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False
