"""Chromium as a person's eyes and hands: Slack's web client, and pictures of blocks."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Locator, Page, Route, async_playwright

from tests.support.requirements import ROOT, find_chromium

ARTIFACTS = ROOT / "tests" / ".artifacts"
RENDERER = Path(__file__).parent / "jsx" / "render.mjs"
RENDER_SECONDS = 30.0
ANSWER_SECONDS = 10.0
VIEWPORT = {"width": 1100, "height": 900}
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The machine's own Chromium, started by Playwright.

    Raises:
        RuntimeError: there is none.
    """
    program = find_chromium()
    if program is None:
        raise RuntimeError("no Chromium found")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


class SlackClient:
    """Slack's web client in a browser, used the way a person uses it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("console", lambda message: self._note(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self._note(str(error)))

    async def act_as(self, real_name: str) -> None:
        """Be one of the workspace's people."""
        await self.page.get_by_label("Act as").select_option(label=real_name)

    async def open_channel(self, name: str) -> None:
        """Select a channel in the side bar and wait until it is shown."""
        await self.page.locator("button.sidebar-item").filter(has_text=name).click()
        await self.page.locator(".channel-title", has_text=name).wait_for()

    async def open_home(self, app: str) -> Locator:
        """Open an app's Home tab and wait until it has published one."""
        await self.page.locator("button.sidebar-item").filter(has_text="🏠").filter(has_text=app).click()
        home = self.page.locator(".home-inner")
        await home.locator(".blocks").wait_for()
        return home

    async def type_and_send(self, text: str) -> None:
        """Type into the message box, key by key, and press Enter."""
        composer = self.page.locator("textarea.composer-input")
        await composer.click()
        await composer.press_sequentially(text)
        if await composer.input_value() != text:
            # The client sometimes moves the caret while it completes a mention.
            await composer.fill(text)
        await composer.press("Enter")

    async def ephemeral_answer(self, containing: str, *, seconds: float = ANSWER_SECONDS) -> Locator:
        """The last message marked "only visible to you" that holds this text.

        Raises:
            playwright.async_api.TimeoutError: none appeared within ``seconds``.
        """
        found = self.page.locator(".msg:has(.badge-eph)").filter(has_text=containing).last
        await found.wait_for(timeout=seconds * 1000)
        return found

    async def screenshot(self, name: str) -> Path:
        """Picture of the window as it stands; returns the PNG's path."""
        path = artifact(name)
        await self.page.screenshot(path=path)
        return path

    def _note(self, problem: str) -> None:
        self.problems.append(problem)


async def modal(client: SlackClient, title: str) -> Locator:
    """The open modal, once it bears this title."""
    found = client.page.locator(".modal", has=client.page.locator(".modal-title", has_text=title)).last
    await found.wait_for()
    return found


async def choose(form: Locator, label: str, choice: str) -> None:
    """Choose in the field with this label."""
    field = form.locator(".bk-input", has=form.page.locator(".bk-label", has_text=label))
    if await field.locator("select").count():
        await field.locator("select").select_option(label=choice)
    else:
        await field.get_by_role("radio", name=choice, exact=True).check()


async def press(message: Locator, name: str) -> None:
    """Press a button of a message, agreeing to whatever is asked first."""
    await message.get_by_role("button", name=name, exact=True).click()


async def close(client: SlackClient) -> None:
    """Close the open modal."""
    await client.page.locator(".modal-x").last.click()
    await client.page.locator(".modal").wait_for(state="detached")


@asynccontextmanager
async def slack_client(base_url: str) -> AsyncIterator[SlackClient]:
    """Open the web client of a local Slack. Requests to anywhere but 127.0.0.1 are refused."""
    async with chromium() as browser, await browser.new_context(viewport=VIEWPORT) as context:  # type: ignore[arg-type]  # a TypedDict by content
        await loopback_only(context)
        client = SlackClient(await context.new_page())
        await client.page.goto(base_url)
        await client.page.locator("textarea.composer-input").wait_for()
        yield client


async def loopback_only(context: BrowserContext) -> None:
    """Refuse every request of a browser that would leave the machine."""

    async def decide(route: Route) -> None:
        if urlsplit(route.request.url).hostname in ("127.0.0.1", None):
            await route.continue_()
        else:
            await route.abort()

    await context.route("**/*", decide)


async def render_blocks(blocks: Sequence[dict[str, Any]], *, name: str = "tarla") -> str:
    """Blocks as an HTML page of its own, drawn by ``slack-blocks-to-jsx`` in Node.

    Raises:
        RuntimeError: Node or the package failed; its message is inside.
    """
    process = await asyncio.create_subprocess_exec(
        "node",
        str(RENDERER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    given = json.dumps({"blocks": list(blocks), "name": name}).encode()
    try:
        html, complaint = await asyncio.wait_for(process.communicate(given), RENDER_SECONDS)
    except TimeoutError:
        process.kill()
        raise
    if process.returncode != 0:
        raise RuntimeError(complaint.decode(errors="replace"))
    return html.decode()


async def screenshot_html(html: str, name: str, *, width: int = 900) -> Path:
    """Picture of a whole HTML page, ``width`` CSS pixels wide; returns the PNG's path."""
    path = artifact(name)
    async with chromium() as browser, await browser.new_context(viewport={"width": width, "height": 300}) as context:
        await loopback_only(context)
        page = await context.new_page()
        await page.set_content(html)
        await page.screenshot(path=path, full_page=True)
    return path


async def screenshot_blocks(blocks: Sequence[dict[str, Any]], name: str, *, width: int = 900) -> Path:
    """Picture of blocks, the table block included, as Slack draws them or nearly so."""
    return await screenshot_html(await render_blocks(blocks), name, width=width)


def artifact(name: str) -> Path:
    """Where a picture goes: ``tests/.artifacts/NAME.png``, which git ignores."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS / f"{re.sub(r'[^a-zA-Z0-9._-]+', '-', name)}.png"
