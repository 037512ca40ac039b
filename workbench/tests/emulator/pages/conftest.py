"""Fixtures of the tests of the pages: a running chat, and a browser."""

import shutil
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright import sync_api
from playwright.async_api import Browser, Page, async_playwright

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.channel.channel import Channel
from bot_workbench.emulator.channel.connector import BotConnector
from bot_workbench.emulator.channel.conversations import Conversations
from bot_workbench.emulator.channel.direct_line import DirectLine
from bot_workbench.emulator.channel.oauth_cards import OAuthCards
from bot_workbench.emulator.channel.user_tokens import UserTokens
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.pages.assets import PageAssets
from bot_workbench.emulator.pages.sign_in_page import SignInPage
from bot_workbench.emulator.pages.webchat_page import WebChatPage
from bot_workbench.emulator.server import Server
from bot_workbench.setup.set_up import set_up
from bot_workbench.setup.tools import PAGES
from maintenance.tools import TEST_FILES
from tests.emulator.pages.web_chat import LocalChat, ScriptedBot
from tests.emulator.registered_bot import APP_ID, TENANT
from tests.support.wire import chromium


@pytest_asyncio.fixture(loop_scope="module")
async def chat(
    authority: CertificateAuthority, issuer: TokenIssuer, libraries: Path
) -> AsyncIterator[LocalChat]:
    """Web Chat in front of a scripted bot."""
    registration = Registration(APP_ID, TENANT, "UserAssignedMSI")
    conversations = Conversations()
    channel = Channel(registration, authority.server_context())
    users = UserTokens(issuer, registration)
    cards = OAuthCards(users, lambda: pages.url)
    tls = authority.server_context()
    connector = BotConnector(issuer, registration, conversations, cards, tls)
    direct_line = DirectLine(channel, lambda: connector.server.url, conversations)
    trusted = ssl.create_default_context(cafile=str(authority.path))
    bot = ScriptedBot(issuer, trusted, users)
    sign_in_page = SignInPage(users, APP_ID, direct_line.announce)
    assets = PageAssets(libraries)
    web_chat = WebChatPage(direct_line, assets, "/", "ManagedIdentity")
    routes = [*web_chat.routes(), *sign_in_page.routes(), *assets.routes()]
    pages = Server("chat", routes, loopback_host_only=True)
    servers = [bot.server, connector.server, pages]
    for server in servers:
        await server.start()
    channel.bot_endpoint = f"{bot.server.url}/api/messages"
    yield LocalChat(bot, connector, web_chat, pages)
    await direct_line.close()
    await channel.close()
    for server in servers:
        await server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    """The machine's Chromium, for tests without an event loop."""
    if chromium.PROGRAM is None:
        pytest.skip(chromium.MISSING)
    with chromium.launched() as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def async_browser() -> AsyncIterator[Browser]:
    """The same, for asynchronous tests."""
    if chromium.PROGRAM is None:
        pytest.skip(chromium.MISSING)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.PROGRAM, args=chromium.ARGUMENTS
        )
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
def libraries() -> Path:
    """The folder with the pages' libraries."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed: the pages' libraries cannot be set up")
    set_up([PAGES, TEST_FILES])
    return PAGES.folder


@pytest.fixture
def complaints() -> list[str]:
    """The lines of the browser's console: warnings, errors, breaches of the page's policy."""
    return []


@pytest_asyncio.fixture(loop_scope="module")
async def page(async_browser: Browser, complaints: list[str]) -> AsyncIterator[Page]:
    """A tab, not yet opened on the chat."""
    page = await async_browser.new_page(viewport={"width": 1100, "height": 900})
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
    yield page
    await page.close()
