"""WebChatPage: a user signs in to the bot in a real browser."""

import re
import time

import pytest
from playwright.async_api import Browser, Page, expect

from bot_workbench.emulator.channel.user_tokens import CONNECTION
from tests.emulator.pages.web_chat import LocalChat, bubble, oauth_card, open_web_chat, say, shoot
from tests.emulator.registered_bot import APP_ID

# One browser serves all tests, so they share its event loop.
pytestmark = pytest.mark.asyncio(loop_scope="module")


SHADE = "rgb(245, 247, 250)"
"""What is behind both pages, by the style that they share."""


async def press_sign_in(page: Page) -> None:
    """Press the sign-in card's button, by keyboard: Web Chat moves a new card."""
    await page.locator(".ac-pushButton", has_text="Sign in").press("Enter")


async def test_signing_in_by_the_card(chat: LocalChat, page: Page, complaints: list[str]) -> None:
    """The card's button opens the sign-in page; after agreeing there, the bot gets the token."""
    await open_web_chat(chat, page)
    # The context's, so that nothing is missed before there is a popup to listen to.
    page.context.on("console", lambda message: complaints.append(message.text))
    await say(page, "login")
    await expect(bubble(page, "Please sign in.")).to_be_visible()
    async with page.expect_popup() as opening:
        await press_sign_in(page)
    popup = await opening.value
    await expect(popup.get_by_text(APP_ID)).to_be_visible()
    await expect(popup.get_by_text(CONNECTION)).to_be_visible()
    await expect(popup.get_by_text("You", exact=True)).to_be_visible()
    await expect(popup.locator("body")).to_have_css("background-color", SHADE)
    await shoot(popup, "sign_in_page.png")
    await popup.get_by_role("button", name="Sign in").click()
    await expect(popup.get_by_text("The chat has your code.")).to_be_visible()
    await popup.close()
    await expect(bubble(page, f"tokens/response: {CONNECTION}")).to_be_visible()
    event = next(one for one in chat.bot.received if one["type"] == "event")
    assert event["from"]["name"] == "You"
    assert event["value"]["token"].startswith("eyJ")
    assert complaints == []


async def test_a_code_that_the_chat_cannot_use(chat: LocalChat, page: Page) -> None:
    """The sign-in page still shows it for typing, and the bot gets nothing."""
    await open_web_chat(chat, page)
    await say(page, "login")
    async with page.expect_popup() as opening:
        await press_sign_in(page)
    popup = await opening.value
    chat.bot.users.code_lifetime = 0.0
    async with page.expect_response(lambda one: one.url.endswith("/session")) as answering:
        await popup.get_by_role("button", name="Sign in").click()
    assert (await answering.value).status == 400
    await expect(popup.locator("output")).to_have_text(re.compile(r"^\d{6}$"))
    await expect(popup.get_by_text("send the code as a message")).to_be_visible()
    assert "event" not in {one["type"] for one in chat.bot.received}
    await popup.close()


async def test_each_chat_takes_its_own_code(chat: LocalChat, async_browser: Browser) -> None:
    """With two chats in a browser that both wait for a sign-in, neither takes the other's."""
    context = await async_browser.new_context()
    asked = []
    for asking in (await context.new_page(), await context.new_page()):
        await open_web_chat(chat, asking)
        await say(asking, "login")
        async with asking.expect_popup() as opening:
            await press_sign_in(asking)
        asked.append((asking, await opening.value))
    for asking, popup in asked:
        await popup.get_by_role("button", name="Sign in").click()
        await expect(popup.get_by_text("The chat has your code.")).to_be_visible()
        # The bot gets the event later than the page gets its answer.
        await expect(bubble(asking, "tokens/response")).to_be_visible()
    events = [one for one in chat.bot.received if one["type"] == "event"]
    logins = [one for one in chat.bot.received if one.get("text") == "login"]
    assert len(events) == 2
    assert [one["conversation"]["id"] for one in events] == [
        one["conversation"]["id"] for one in logins
    ]
    await context.close()


async def test_an_old_sign_in_page(
    chat: LocalChat, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sign-in page whose link has expired says so when its button is pressed."""
    await open_web_chat(chat, page)
    await say(page, "login")
    async with page.expect_popup() as opening:
        await press_sign_in(page)
    popup = await opening.value
    users = chat.bot.users
    monkeypatch.setattr(users, "clock", lambda: time.time() + users.code_lifetime)
    await popup.get_by_role("button", name="Sign in").click()
    await expect(popup.get_by_text("it has expired")).to_be_visible()
    await popup.close()


async def test_single_sign_on(chat: LocalChat, page: Page, complaints: list[str]) -> None:
    """With single sign-on the chat offers a token, and shows no card if the bot accepts it."""
    await open_web_chat(chat, page)
    await page.get_by_label("Single sign-on").check()
    await say(page, "login")
    await expect(bubble(page, "signin/tokenExchange: 200")).to_be_visible()
    await expect(bubble(page, "Please sign in.")).to_have_count(0)
    invoke = next(one for one in chat.bot.received if one["type"] == "invoke")
    assert set(invoke["value"]) == {"id", "connectionName", "token"}
    assert (invoke["value"]["id"], invoke["value"]["connectionName"]) == ("exchange-1", CONNECTION)
    assert complaints == []


async def test_single_sign_on_is_declined(chat: LocalChat, page: Page) -> None:
    """When the bot refuses the token, the card is shown, without an error."""
    await open_web_chat(chat, page)
    await page.get_by_label("Single sign-on").check()
    chat.bot.accepts_exchange = False
    await say(page, "login")
    await expect(bubble(page, "Please sign in.")).to_be_visible()
    await expect(bubble(page, "signin/tokenExchange: 412")).to_be_visible()
    await expect(bubble(page, "The bot answered")).to_have_count(0)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "about:blank"])
async def test_a_link_that_is_no_page(chat: LocalChat, page: Page, link: str) -> None:
    """A card's button opens http and https URLs only."""
    message = {"type": "message", "attachments": [oauth_card(link, "")]}
    chat.bot.login_reply = message
    await open_web_chat(chat, page)
    await say(page, "login")
    await press_sign_in(page)
    await say(page, "still here")
    await expect(bubble(page, "You said: still here")).to_be_visible()
    assert len(page.context.pages) == 1
