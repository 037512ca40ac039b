"""WebChatPage: a real browser talks to a bot through it, and other sites cannot."""

import re
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Page, expect

from bot_workbench.emulator.channel.user_tokens import SIGN_IN_PATH
from bot_workbench.emulator.pages.sign_in_page import SSO_PATH
from tests.emulator.pages.web_chat import LocalChat, bubble, open_web_chat, say, shoot

# One browser serves all tests, so they share its event loop.
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_conversation_with_cards_works_in_a_browser(
    chat: LocalChat, page: Page, complaints: list[str]
) -> None:
    """The bot greets, echoes, and both kinds of card buttons show their results."""
    await open_web_chat(chat, page)
    await say(page, "hello there")
    await expect(bubble(page, "You said: hello there")).to_be_visible()
    await page.get_by_label("A note").fill("fine")
    await page.locator(".ac-pushButton", has_text="Submit").click()
    await expect(bubble(page, "You chose blue")).to_be_visible()
    await shoot(page, "webchat_card.png")
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
    await shoot(page, "webchat.png")
    assert await page.title() == "Web Chat with the bot (local)"
    assert complaints == []


async def test_updates_deletions_and_files_are_shown(
    chat: LocalChat, page: Page, tmp_path: Path
) -> None:
    """Updates and deletions by the bot are shown; an uploaded file reaches the bot."""
    await open_web_chat(chat, page)
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
    """A foreign Host or Origin header is a 403, without a CORS header."""
    tried = [
        ("GET", "/"),
        ("GET", "/assets/libraries/webchat.js"),
        ("POST", "/v3/directline/tokens/generate"),
        ("GET", SIGN_IN_PATH),
        ("POST", SIGN_IN_PATH),
        ("POST", SSO_PATH),
    ]
    async with aiohttp.ClientSession(chat.pages.url) as session:
        for method, path in tried:
            async with session.request(method, path, headers=headers) as response:
                assert response.status == 403
                assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_socket_of_another_site_is_refused(chat: LocalChat) -> None:
    """WebSockets ignore the same-origin policy, so the server looks at their Origin."""
    url = f"{chat.pages.url}/v3/directline/conversations/any/stream"
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await session.ws_connect(url, origin="https://elsewhere.example")
    assert refusal.value.status == 403


async def test_the_page_allows_only_its_own_scripts(chat: LocalChat) -> None:
    """The policy allows scripts by a new nonce for each response only."""
    policies = set()
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            async with session.get(chat.pages.url) as response:
                policies.add(response.headers["Content-Security-Policy"])
    assert len(policies) == 2
    for policy in policies:
        rules = dict(rule.partition(" ")[::2] for rule in policy.split("; "))
        assert rules["default-src"] == "'none'"
        assert re.fullmatch(r"'nonce-[\w-]{20,}'", rules["script-src"])
        assert "unsafe" not in policy


async def test_what_the_page_shows_cannot_become_a_script(chat: LocalChat) -> None:
    """Markup in the page's facts is escaped."""
    chat.page.credential = "</script><script>alert(1)</script>"
    async with (
        aiohttp.ClientSession() as session,
        session.get(chat.pages.url) as response,
    ):
        assert "<script>alert" not in await response.text()
