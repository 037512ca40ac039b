"""LocalChat: Web Chat with a scripted bot behind it."""

import ssl
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from playwright.async_api import Locator, Page, expect

from bot_workbench.emulator.channel.connector import BotConnector
from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.channel.user_tokens import CONNECTION, UserConnection, UserTokens
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.pages.webchat_page import WebChatPage
from bot_workbench.emulator.server import Server
from tests.emulator.registered_bot import APP_ID, TENANT
from tests.support.project import ROOT

CARD = "application/vnd.microsoft.card.adaptive"


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
    """A sign-in card message's attachment; with an empty link, as OAuthPrompt sends it."""
    content = {
        "text": "Please sign in.",
        "connectionName": CONNECTION,
        "buttons": [{"type": "signin", "title": "Sign in", "value": link}],
        "tokenExchangeResource": {"id": "exchange-1", "uri": uri},
    }
    return {"contentType": "application/vnd.microsoft.card.oauth", "content": content}


@dataclass
class ScriptedBot:
    """Echoes messages, sends cards, and handles their buttons; checks no token.

    Attributes:
        received: every activity so far.
        status: HTTP status of its responses; another one than 200 does nothing else.
        accepts_exchange: whether single sign-on succeeds.
        login_reply: sent instead of the card with a working sign-in link.
    """

    issuer: TokenIssuer
    trusted: ssl.SSLContext
    users: UserTokens
    received: list[Activity] = field(default_factory=list)
    status: int = 200
    accepts_exchange: bool = True
    login_reply: Activity | None = None

    def __post_init__(self) -> None:
        self.server = Server("bot", [web.post("/api/messages", self._messages)])

    async def _messages(self, request: web.Request) -> web.Response:
        activity = await request.json()
        self.received.append(activity)
        if self.status != 200:
            return web.Response(status=self.status)
        if activity.get("name") == "signin/tokenExchange":
            return await self._exchange(activity)
        if activity["type"] == "invoke":
            action = activity["value"]["action"]
            done = card(f"Approved with note {action['data']['note']}")["content"]
            return web.json_response({"statusCode": 200, "type": CARD, "value": done})
        for reply in self._replies(activity):
            await self._send(activity, reply)
        return web.Response()

    async def _exchange(self, activity: Activity) -> web.Response:
        user = UserConnection(activity["from"]["id"], CONNECTION, "webchat")
        if self.accepts_exchange:
            self.users.exchange(user, activity["value"]["token"])
        status = 200 if self.accepts_exchange else 412
        await self._send(activity, {"type": "message", "text": f"{activity['name']}: {status}"})
        return web.Response(status=status)

    def _replies(self, activity: Activity) -> list[Activity]:
        if activity["type"] == "event":
            connection = activity["value"]["connectionName"]
            return [{"type": "message", "text": f"{activity['name']}: {connection}"}]
        if activity["type"] == "conversationUpdate":
            return [{"type": "message", "text": "Welcome! Say something."}]
        if activity["type"] != "message":
            return []
        if activity.get("text") == "login":
            sign_in = oauth_card("", self.users.resource)
            return [self.login_reply or {"type": "message", "attachments": [sign_in]}]
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
        address = {"channelId": activity["channelId"], "recipient": activity["from"]}
        reply = {**reply, **address, "replyToId": activity["id"]}
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
    page: WebChatPage
    pages: Server


async def open_web_chat(chat: LocalChat, page: Page) -> None:
    """Open the page, and wait for the bot's greeting.

    Until the page is connected, Web Chat does not send what is typed.
    """
    await page.goto(chat.pages.url)
    await expect(bubble(page, "Welcome! Say something.")).to_be_visible()


async def say(page: Page, text: str) -> None:
    await page.get_by_placeholder("Type your message").fill(text)
    await page.keyboard.press("Enter")


def bubble(page: Page, text: str) -> Locator:
    """A message with this text among the visible ones; the screen readers' copies are not."""
    return page.locator(".webchat__bubble", has_text=text)


async def shoot(page: Page, name: str) -> None:
    await page.screenshot(path=ROOT / "artifacts" / name)
