"""ChatPage: a real browser talks to a bot through it, and other sites cannot."""

import re
import shutil
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from emulator.certificates import CertificateAuthority
from emulator.channel.channel import Channel
from emulator.channel.connector import BotConnector
from emulator.channel.conversations import Activity, Conversations
from emulator.channel.direct_line import DirectLine
from emulator.commands.webchat import install
from emulator.entra.registration import Registration
from emulator.entra.token_issuer import TokenIssuer
from emulator.pages.chat_page import ChatPage
from emulator.pages.sign_in_page import SIGN_IN_PATH, SSO_PATH, SignInPage
from emulator.server import Server
from emulator.token_service.user_tokens import (
    CONNECTION,
    NotExchangeableError,
    UserConnection,
    UserTokens,
)
from tests.support.wire import chromium

APP_ID = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"
TENANT = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"
ROOT = Path(__file__).parents[3]
# One browser serves all tests, so they share its event loop.
pytestmark = pytest.mark.asyncio(loop_scope="module")

CARD = "application/vnd.microsoft.card.adaptive"
SHADE = "rgb(245, 247, 250)"
"""What is behind both pages, by the style that they share."""


def card(text: str, *actions: dict[str, Any]) -> dict[str, Any]:
    """An Adaptive Card message's attachment."""
    body = [
        {"type": "TextBlock", "text": text, "weight": "Bolder", "size": "Medium"},
        {"type": "Input.Text", "id": "note", "label": "A note", "placeholder": "Optional"},
    ]
    content = {"type": "AdaptiveCard", "version": "1.5", "body": body, "actions": list(actions)}
    return {"contentType": CARD, "content": content}


SUBMIT = {"type": "Action.Submit", "title": "Submit", "data": {"choice": "blue"}}
EXECUTE = {"type": "Action.Execute", "title": "Execute", "verb": "approve", "data": {"order": 7}}


def oauth_card(link: str, uri: str) -> dict[str, Any]:
    """A sign-in card message's attachment."""
    content = {
        "text": "Please sign in.",
        "connectionName": CONNECTION,
        "buttons": [{"type": "signin", "title": "Sign in", "value": link}],
        "tokenExchangeResource": {"id": "exchange-1", "uri": uri},
    }
    return {"contentType": "application/vnd.microsoft.card.oauth", "content": content}


@dataclass
class ScriptedBot:
    """Echoes messages, sends cards, and answers their buttons; checks no token."""

    issuer: TokenIssuer
    trusted: ssl.SSLContext
    users: UserTokens
    page_url: str = ""
    received: list[Activity] = field(default_factory=list)
    status: int = 200

    def __post_init__(self) -> None:
        self.server = Server("bot", [web.post("/api/messages", self._messages)])

    async def _messages(self, request: web.Request) -> web.Response:
        activity = await request.json()
        self.received.append(activity)
        if self.status != 200:
            return web.Response(status=self.status)
        if activity.get("name", "").startswith("signin/"):
            return await self._sign_in(activity)
        if activity["type"] == "invoke":
            action = activity["value"]["action"]
            done = card(f"Approved with note {action['data']['note']}")["content"]
            return web.json_response({"statusCode": 200, "type": CARD, "value": done})
        for reply in self._replies(activity):
            await self._send(activity, reply)
        return web.Response()

    async def _sign_in(self, activity: Activity) -> web.Response:
        place, value = (
            UserConnection(activity["from"]["id"], CONNECTION, "webchat"),
            activity["value"],
        )
        if activity["name"] == "signin/verifyState":
            status = 200 if self.users.redeem(place, value["state"]) else 404
        else:
            try:
                self.users.exchange(place, value["token"])
                status = 200
            except NotExchangeableError:
                status = 412
        await self._send(activity, {"type": "message", "text": f"{activity['name']}: {status}"})
        return web.Response(status=status)

    def sign_in_message(self, activity: Activity) -> Activity:
        user = activity["from"]
        place = UserConnection(user["id"], CONNECTION, "webchat")
        begun = self.users.start_sign_in(place, user["name"], activity["conversation"]["id"])
        link = f"{self.page_url}{SIGN_IN_PATH}?signin={begun.id}"
        return {"type": "message", "attachments": [oauth_card(link, self.users.resource)]}

    def _replies(self, activity: Activity) -> list[Activity]:
        if activity["type"] == "conversationUpdate":
            return [{"type": "message", "text": "Welcome! Say something."}]
        if activity["type"] != "message":
            return []
        if activity.get("text") == "login":
            return [self.sign_in_message(activity)]
        if activity.get("value"):
            return [{"type": "message", "text": f"You chose {activity['value']['choice']}"}]
        return [
            {"type": "message", "text": f"You said: {activity['text']}"},
            {"type": "message", "attachments": [card("What next?", SUBMIT, EXECUTE)]},
        ]

    async def _send(self, activity: Activity, reply: Activity) -> None:
        conversation = activity["conversation"]["id"]
        url = f"{activity['serviceUrl']}v3/conversations/{conversation}/activities"
        claims = {
            "aud": "https://api.botframework.com",
            "iss": f"https://sts.windows.net/{TENANT}/",
            "appid": APP_ID,
        }
        headers = {"Authorization": f"Bearer {self.issuer.sign(claims)}"}
        reply = {**reply, "replyToId": activity["id"]}
        connector = aiohttp.TCPConnector(ssl=self.trusted)
        async with (
            aiohttp.ClientSession(connector=connector, raise_for_status=True) as session,
            session.post(url, json=reply, headers=headers),
        ):
            pass


@dataclass
class LocalChat:
    """The parts that a chat needs, running."""

    bot: ScriptedBot
    connector: BotConnector
    page: ChatPage


@pytest_asyncio.fixture(loop_scope="module")
async def chat(authority: CertificateAuthority, issuer: TokenIssuer) -> AsyncIterator[LocalChat]:
    """A chat page without Web Chat's bundle; the test adds it where it needs it."""
    registration = Registration(APP_ID, TENANT, "UserAssignedMSI")
    conversations = Conversations()
    channel = Channel(registration, authority.server_context())
    connector = BotConnector(issuer, registration, conversations, authority.server_context())
    direct_line = DirectLine(channel, lambda: connector.server.url, conversations)
    trusted = ssl.create_default_context(cafile=str(authority.path))
    users = UserTokens(issuer, registration)
    bot = ScriptedBot(issuer, trusted, users)
    page = ChatPage(direct_line, SignInPage(users, APP_ID), None, "ManagedIdentity")
    servers = [bot.server, connector.server, page.server]
    for server in servers:
        await server.start()
    channel.bot_endpoint = f"{bot.server.url}/api/messages"
    bot.page_url = page.server.url
    yield LocalChat(bot, connector, page)
    await direct_line.close()
    await channel.close()
    for server in servers:
        await server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    if chromium.PROGRAM is None:
        pytest.skip("chromium is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.PROGRAM, args=chromium.ARGUMENTS
        )
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
def bundle() -> Path:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed: Web Chat cannot be set up")
    return install(ROOT / ".cache" / "webchat")


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console says: warnings, errors, breaches of the page's policy."""
    return []


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, complaints: list[str]) -> AsyncIterator[Page]:
    """A tab, not yet opened on the chat."""
    page = await browser.new_page(viewport={"width": 1100, "height": 900})
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
    yield page
    await page.close()


async def say(page: Page, text: str) -> None:
    await page.get_by_placeholder("Type your message").fill(text)
    await page.keyboard.press("Enter")


def bubble(page: Page, text: str) -> Locator:
    """A message with this text among the visible ones; the screen readers' copies are not."""
    return page.locator(".webchat__bubble", has_text=text)


async def test_a_conversation_with_cards_works_in_a_browser(
    chat: LocalChat, page: Page, bundle: Path, complaints: list[str]
) -> None:
    """The bot greets, echoes, and both kinds of card buttons show their results."""
    chat.page.webchat_bundle = bundle
    await page.goto(chat.page.server.url)
    await expect(bubble(page, "Welcome! Say something.")).to_be_visible()
    await say(page, "hello there")
    await expect(bubble(page, "You said: hello there")).to_be_visible()
    await page.get_by_label("A note").fill("fine")
    await page.locator(".ac-pushButton", has_text="Submit").click()
    await expect(bubble(page, "You chose blue")).to_be_visible()
    await shoot(page, "chat_page_card.png")
    await page.locator(".ac-pushButton", has_text="Execute").click()
    await expect(bubble(page, "Approved with note fine")).to_be_visible()
    await expect(bubble(page, "What next?")).to_have_count(0)
    # The form that Teams sends: Microsoft reference "Universal Actions for Adaptive Cards".
    invoke = next(one for one in chat.bot.received if one["type"] == "invoke")
    action = {
        "type": "Action.Execute",
        "title": "Execute",
        "verb": "approve",
        "data": {"order": 7, "note": "fine"},
    }
    assert invoke["name"] == "adaptiveCard/action"
    assert invoke["value"] == {"action": action, "trigger": "manual"}
    chat.bot.status = 401
    await say(page, "and now?")
    await expect(bubble(page, "The bot answered 401.")).to_be_visible()
    await shoot(page, "chat_page.png")
    assert await page.title() == "Chat with the bot (local)"
    assert complaints == []


async def test_updates_deletions_and_files_are_shown(
    chat: LocalChat, page: Page, bundle: Path, tmp_path: Path
) -> None:
    """A message that the bot changes changes, one that it deletes goes, a file arrives whole."""
    chat.page.webchat_bundle = bundle
    await page.goto(chat.page.server.url)
    await expect(bubble(page, "Welcome! Say something.")).to_be_visible()
    (conversation,) = chat.connector.conversations.by_id.values()
    (welcome,) = [one for one in conversation.activities if one["type"] == "message"]
    conversation.update(welcome["id"], {**welcome, "text": "Welcome back!"})
    await expect(bubble(page, "Welcome back!")).to_be_visible()
    await expect(bubble(page, "Say something.")).to_have_count(0)
    conversation.delete(welcome["id"])
    await expect(bubble(page, "Welcome back!")).to_have_count(0)

    file = tmp_path / "notes.txt"
    file.write_text("content of the file", "utf-8")
    await page.locator("input[type=file]").set_input_files(file)
    await say(page, "with a file")
    await expect(bubble(page, "You said: with a file")).to_be_visible()
    (attachment,) = chat.bot.received[-1]["attachments"]
    assert attachment["name"] == "notes.txt"
    async with (
        aiohttp.ClientSession() as session,
        session.get(attachment["contentUrl"]) as response,
    ):
        assert await response.text() == "content of the file"
        assert "sandbox" in response.headers["Content-Security-Policy"]


async def test_without_the_bundle_there_is_a_plain_chat(
    chat: LocalChat, page: Page, complaints: list[str]
) -> None:
    """Text goes both ways, and a note says what Web Chat needs."""
    await page.goto(chat.page.server.url)
    await expect(page.get_by_text("Install Node.js (npm)")).to_be_visible()
    await page.get_by_label("Message").fill("hello there")
    await page.keyboard.press("Enter")
    await expect(page.locator("li.bot", has_text="You said: hello there")).to_be_visible()
    await expect(page.locator("li.user", has_text="hello there")).to_be_visible()
    await expect(page.locator("body")).to_have_css("background-color", SHADE)
    await shoot(page, "chat_page_plain.png")
    assert complaints == []


async def test_signing_in_by_the_card(
    chat: LocalChat, page: Page, bundle: Path, complaints: list[str]
) -> None:
    """The card's button opens the sign-in page; agreeing there brings the bot the code."""
    chat.page.webchat_bundle = bundle
    await page.goto(chat.page.server.url)
    # The context's, so that nothing is missed before there is a popup to listen to.
    page.context.on("console", lambda message: complaints.append(message.text))
    await say(page, "login")
    await expect(bubble(page, "Please sign in.")).to_be_visible()
    async with page.expect_popup() as opening:
        await page.locator(".ac-pushButton", has_text="Sign in").click()
    popup = await opening.value
    await expect(popup.get_by_text(APP_ID)).to_be_visible()
    await expect(popup.get_by_text(CONNECTION)).to_be_visible()
    await expect(popup.get_by_text("You", exact=True)).to_be_visible()
    await expect(popup.locator("body")).to_have_css("background-color", SHADE)
    await shoot(popup, "sign_in_page.png")
    await popup.get_by_role("button", name="Sign in").click()
    await expect(popup.get_by_text("The chat has your code.")).to_be_visible()
    await popup.close()
    await expect(bubble(page, "signin/verifyState: 200")).to_be_visible()
    await expect(bubble(page, "The bot answered")).to_have_count(0)
    assert complaints == []


async def test_a_code_that_the_chat_cannot_use(
    chat: LocalChat, page: Page, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sign-in page goes on showing it for typing; the chat shows what the bot says."""
    chat.page.webchat_bundle = bundle
    await page.goto(chat.page.server.url)
    await say(page, "login")
    async with page.expect_popup() as opening:
        await page.locator(".ac-pushButton", has_text="Sign in").click()
    popup = await opening.value
    monkeypatch.setattr(chat.bot.users, "redeem", lambda *_: False)
    await popup.get_by_role("button", name="Sign in").click()
    await expect(bubble(page, "signin/verifyState: 404")).to_be_visible()
    await expect(bubble(page, "The bot answered")).to_have_count(0)
    await expect(popup.locator("output")).to_have_text(re.compile(r"^\d{6}$"))
    await expect(popup.get_by_text("send the code as a message")).to_be_visible()
    await popup.close()


async def test_each_chat_takes_its_own_code(
    chat: LocalChat, browser: Browser, bundle: Path
) -> None:
    """With two chats in a browser that both wait for a sign-in, neither takes the other's."""
    chat.page.webchat_bundle = bundle
    context = await browser.new_context()
    popups = []
    for asking in (await context.new_page(), await context.new_page()):
        await asking.goto(chat.page.server.url)
        await expect(bubble(asking, "Welcome! Say something.")).to_be_visible()
        await say(asking, "login")
        async with asking.expect_popup() as opening:
            await asking.locator(".ac-pushButton", has_text="Sign in").click()
        popups.append(await opening.value)
    for popup in popups:
        await popup.get_by_role("button", name="Sign in").click(timeout=5000)
        await expect(popup.get_by_text("The chat has your code.")).to_be_visible()
    invokes = [one for one in chat.bot.received if one.get("name") == "signin/verifyState"]
    logins = [one for one in chat.bot.received if one.get("text") == "login"]
    assert len(invokes) == 2
    assert [one["conversation"]["id"] for one in invokes] == [
        one["conversation"]["id"] for one in logins
    ]
    await context.close()


async def test_an_old_sign_in_page(
    chat: LocalChat, page: Page, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that stood open for too long says so when its button is pressed."""
    chat.page.webchat_bundle = bundle
    await page.goto(chat.page.server.url)
    await say(page, "login")
    async with page.expect_popup() as opening:
        await page.locator(".ac-pushButton", has_text="Sign in").click()
    popup = await opening.value
    users = chat.bot.users
    monkeypatch.setattr(users, "clock", lambda: time.time() + users.code_lifetime)
    await popup.get_by_role("button", name="Sign in").click()
    await expect(popup.get_by_text("it has expired")).to_be_visible()
    await popup.close()


async def test_single_sign_on(
    chat: LocalChat, page: Page, bundle: Path, complaints: list[str]
) -> None:
    """With its box ticked the chat offers a token, and no card is shown when the bot takes it."""
    chat.page.webchat_bundle = bundle
    await page.goto(chat.page.server.url)
    await page.get_by_label("Single sign-on").check()
    await say(page, "login")
    await expect(bubble(page, "signin/tokenExchange: 200")).to_be_visible()
    await expect(bubble(page, "Please sign in.")).to_have_count(0)
    invoke = next(one for one in chat.bot.received if one["type"] == "invoke")
    assert set(invoke["value"]) == {"id", "connectionName", "token"}
    assert (invoke["value"]["id"], invoke["value"]["connectionName"]) == ("exchange-1", CONNECTION)
    assert complaints == []


async def test_single_sign_on_is_declined(
    chat: LocalChat, page: Page, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the bot does not take the token, the card is there for pressing, without a fault."""
    chat.page.webchat_bundle = bundle
    await page.goto(chat.page.server.url)
    await page.get_by_label("Single sign-on").check()

    def refuse(*_: object) -> None:
        raise NotExchangeableError

    monkeypatch.setattr(chat.bot.users, "exchange", refuse)
    await say(page, "login")
    await expect(bubble(page, "Please sign in.")).to_be_visible()
    await expect(bubble(page, "signin/tokenExchange: 412")).to_be_visible()
    await expect(bubble(page, "The bot answered")).to_have_count(0)


async def test_signing_in_from_the_plain_chat(chat: LocalChat, page: Page) -> None:
    """Without Web Chat, the card is a button too."""
    await page.goto(chat.page.server.url)
    await page.get_by_label("Message").fill("login")
    await page.keyboard.press("Enter")
    await expect(page.locator("li.bot", has_text="Please sign in.")).to_be_visible()
    async with page.expect_popup() as opening:
        await page.get_by_role("button", name="Sign in").click()
    popup = await opening.value
    await popup.get_by_role("button", name="Sign in").click()
    await expect(page.locator("li.bot", has_text="signin/verifyState: 200")).to_be_visible()
    await shoot(page, "chat_page_plain_login.png")
    await popup.close()


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "about:blank"])
async def test_a_link_that_is_no_page(
    chat: LocalChat, page: Page, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card's button opens nothing but pages of the web."""
    message = {"type": "message", "attachments": [oauth_card(link, "")]}
    monkeypatch.setattr(chat.bot, "sign_in_message", lambda _: message)
    await page.goto(chat.page.server.url)
    await page.get_by_label("Message").fill("login")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_label("Message").fill("still here")
    await page.keyboard.press("Enter")
    await expect(page.locator("li.bot", has_text="You said: still here")).to_be_visible()
    assert page.context.pages == [page]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Host": "localhost.example:3979"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "http://localhost:1"},
        {"Origin": "null"},
    ],
)
async def test_other_sites_are_refused(chat: LocalChat, headers: dict[str, str]) -> None:
    """A rebound name, or a page of another origin, gets 403 and no permission to read it."""
    tried = [
        ("GET", "/"),
        ("GET", "/webchat.js"),
        ("POST", "/v3/directline/tokens/generate"),
        ("GET", SIGN_IN_PATH),
        ("POST", SIGN_IN_PATH),
        ("POST", SSO_PATH),
    ]
    async with aiohttp.ClientSession(chat.page.server.url) as session:
        for method, path in tried:
            async with session.request(method, path, headers=headers) as response:
                assert response.status == 403
                assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_socket_of_another_site_is_refused(chat: LocalChat) -> None:
    """WebSockets ignore the same-origin policy, so the server looks at their Origin."""
    url = f"{chat.page.server.url}/v3/directline/conversations/any/stream"
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await session.ws_connect(url, origin="https://elsewhere.example")
    assert refusal.value.status == 403


async def test_the_page_allows_only_its_own_scripts(chat: LocalChat) -> None:
    """The policy names a nonce that is new each time, and nothing else that could run."""
    policies = set()
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            async with session.get(chat.page.server.url) as response:
                policies.add(response.headers["Content-Security-Policy"])
    assert len(policies) == 2
    for policy in policies:
        rules = dict(rule.partition(" ")[::2] for rule in policy.split("; "))
        assert rules["default-src"] == "'none'"
        assert re.fullmatch(r"'nonce-[\w-]{20,}'", rules["script-src"])
        assert "unsafe" not in policy


async def test_what_the_page_shows_cannot_become_a_script(chat: LocalChat) -> None:
    """The facts in the header are data, whatever they contain."""
    chat.page.credential = "</script><script>alert(1)</script>"
    async with (
        aiohttp.ClientSession() as session,
        session.get(chat.page.server.url) as response,
    ):
        assert "<script>alert" not in await response.text()


async def test_the_bundle_is_missing_without_web_chat(chat: LocalChat) -> None:
    """/webchat.js is 404 until Web Chat is set up."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{chat.page.server.url}/webchat.js") as response,
    ):
        assert response.status == 404
        assert "install Node.js" in await response.text()


async def shoot(page: Page, name: str) -> None:
    await page.screenshot(path=ROOT / "artifacts" / name)
