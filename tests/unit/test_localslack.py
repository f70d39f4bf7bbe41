"""Parts of the local Slack that need no Node package."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.localslack import LocalSlack, LocalSlackMissingError, LocalSlackUnsafeError, program
from bot.localslack.__main__ import bot_environment, main
from bot.localslack.listening import Listener, listeners_of
from bot.localslack.program import CHANGES, bound_to_loopback, loopback_program


def test_without_the_package_the_remedy_is_told(tmp_path: Path) -> None:
    with pytest.raises(LocalSlackMissingError, match="npm ci"):
        loopback_program(tmp_path)


def test_make_slack_tells_the_remedy_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "checkout", lambda: tmp_path)
    result = CliRunner().invoke(main)
    assert result.exit_code == 1
    assert "npm ci" in result.output


def test_an_unknown_program_is_refused() -> None:
    with pytest.raises(LocalSlackUnsafeError, match="checksum"):
        bound_to_loopback(CHANGES[0][0])


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_keeps_the_length(change: tuple[bytes, bytes]) -> None:
    published, wanted = change
    assert len(published) == len(wanted)
    assert published != wanted


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2"), (socket.AF_INET6, "::1")]
)
def test_a_listening_socket_is_seen_with_its_address(family: socket.AddressFamily, host: str) -> None:
    if family is socket.AF_INET6 and not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")
    with socket.create_server((host, 0), family=family) as server:
        listener = Listener(host, server.getsockname()[1])
        assert listener in listeners_of(os.getpid())
    assert listener not in listeners_of(os.getpid())


def test_the_bot_gets_this_slacks_settings_and_no_others(tmp_path: Path) -> None:
    slack = LocalSlack(port=4567)
    inherited = {"PATH": "/bin", "SLACK_BOT_TOKEN": "real", "TARLA_TABLE": "block", "HTTPS_PROXY": "http://127.0.0.1:9"}
    environment = bot_environment(slack, tmp_path / "ledger.db", inherited)
    assert environment["PATH"] == "/bin"
    assert environment["SLACK_BOT_TOKEN"] == slack.bot_token
    assert environment["SLACK_API_URL"] == "http://127.0.0.1:4567/api/"
    assert environment["TARLA_TABLE"] == "text"
    assert "HTTPS_PROXY" not in environment


@pytest.mark.parametrize(("mode", "url"), [("events", None), ("socket", "http://127.0.0.1:9/")])
def test_mode_and_request_url_go_together(mode: str, url: str | None) -> None:
    with pytest.raises(ValueError, match="request_url"):
        LocalSlack(mode=mode, request_url=url)  # type: ignore[arg-type]  # a plain string from the table above
