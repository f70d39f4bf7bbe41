"""``make slack``: a local Slack and the real bot in one command, both gone when it is stopped."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from bot.standin import without_proxies
from tests.support import answers
from tests.support.requirements import require_e2e
from tests.support.running_bot import GUARD, until

pytestmark = pytest.mark.e2e

COMMAND = [sys.executable, "-m", "bot.localslack"]


async def test_it_says_where_slack_is_answers_and_leaves_nothing_behind(tmp_path: Path) -> None:
    require_e2e()
    process = await asyncio.create_subprocess_exec(
        *GUARD,
        *COMMAND,
        cwd=tmp_path,
        env=without_proxies(os.environ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        said = (await asyncio.wait_for(process.stdout.readuntil(b"Ctrl-C"), 20)).decode()
        address = re.search(r"http://127\.0\.0\.1:(\d+)", said)
        example = re.search(r"In #(\S+) type   /tarla (.+)", said)
        assert address
        assert example
        assert example[2] == answers.WORDS
        assert any(answers.expected_estimates()[0] in text for text in await asked(address[0], example[2]))
        family = descendants(process.pid)
        assert len(family) >= 2, "Slack and the bot are processes of their own"
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 15) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    async def all_gone() -> bool:
        return not any(Path(f"/proc/{pid}").exists() for pid in family)

    await until(all_gone, 2.0)
    with socket.socket() as port, pytest.raises(ConnectionRefusedError):
        port.connect(("127.0.0.1", int(address[1])))


async def asked(base_url: str, words: str) -> list[str]:
    """Send the command as a person, and give every text that Slack then holds."""
    state = {"channel": "C0TUMOURBD", "user": "U0FELLOW01", "command": "/tarla", "text": words}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{base_url}/_control/command", json=state) as reply:
            assert reply.status == 200
        async with session.get(f"{base_url}/_control/messages/{state['channel']}") as reply:
            messages = (await reply.json())["messages"]
    return [text for message in messages for text in answers.texts(message)]


def descendants(pid: int) -> set[int]:
    """Every process that ``pid`` started, and those they started."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found |= {int(child)} | descendants(int(child))
    return found
