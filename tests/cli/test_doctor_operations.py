"""``tarla doctor`` on where the operator's reports are served."""

from __future__ import annotations

import socket
from pathlib import Path

from bot.address import Address
from bot.doctor.operations import examine_operations
from bot.operations import Operations
from bot.operations.server import serve_operations
from bot.settings import Settings
from knowledge.model import load as load_model
from tests.support.app import settings_for


def settings(folder: Path, port: int, host: str = "127.0.0.1") -> Settings:
    """Settings with reports on that port."""
    return settings_for(folder / "ledger.db", tarla_operations=Address(host, port))


async def test_without_the_setting_all_is_well(tmp_path: Path) -> None:
    finding = await examine_operations(settings_for(tmp_path / "ledger.db"))
    assert finding.ok
    assert "optional" in finding.advice


async def test_a_free_port(tmp_path: Path) -> None:
    finding = await examine_operations(settings(tmp_path, 0))
    assert (finding.ok, finding.state, finding.advice) == (True, "127.0.0.1:0 is free", "")


async def test_an_address_that_others_can_reach_is_said(tmp_path: Path) -> None:
    finding = await examine_operations(settings(tmp_path, 0, "0.0.0.0"))  # noqa: S104 - it is warned of
    assert finding.ok
    assert "other machines can reach it" in finding.advice


async def test_tarla_itself_may_listen_there(tmp_path: Path) -> None:
    async with serve_operations(Operations("0.1.0", load_model), Address("127.0.0.1", 0)) as url:
        finding = await examine_operations(settings(tmp_path, int(url.rpartition(":")[2])))
    assert finding.ok
    assert finding.state.startswith("Tarla answers on 127.0.0.1:")


async def test_another_program_may_not(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        finding = await examine_operations(settings(tmp_path, other.getsockname()[1]))
    assert not finding.ok
    assert "choose another port" in finding.advice


async def test_an_address_of_another_machine(tmp_path: Path) -> None:
    finding = await examine_operations(settings(tmp_path, 9464, "192.0.2.1"))  # kept free for documents
    assert not finding.ok
    assert "EADDRNOTAVAIL" in finding.state
