"""The pages' WebSockets."""

import asyncio

import aiohttp
import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import ConversationReference

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.cloud import Cloud
from tests.emulator.teams.connector_caller import ConnectorCaller
from tests.emulator.teams.teams_page import AdaptedBot, TeamsPage
from tests.support.timing import condition


async def test_a_page_connects_again_where_it_was(page: TeamsPage) -> None:
    """After `reached`, it gets what is new, and not what it has."""
    await page.say("old")
    await page.sees("old")
    reached = max(event["reached"] for event in page.events if event["type"] == "changes")
    await page.close()
    await page.say("new")
    later = await TeamsPage.opened(page.http, user=page.session["user"], conversation=page.chat)
    await later.connect(after=reached)
    await later.sees("new")
    assert [each["text"] for each in later.shown()] == ["new"]
    await later.close()


async def test_a_page_that_is_ahead(page: TeamsPage) -> None:
    """One that asks for what comes after more than there is gets what is new."""
    later = await TeamsPage.opened(page.http, user=page.session["user"], conversation=page.chat)
    await later.connect(after=1000)
    await page.say("new")
    await later.sees("new")
    await later.close()


async def test_what_people_do_not_see(page: TeamsPage, connector: ConnectorCaller) -> None:
    """A bot's traces are not sent to pages."""
    await connector.send(page.chat["id"], "", type="trace", name="a trace")
    await connector.send(page.chat["id"], "a message")
    await page.sees("a message")
    assert not [each for each in page.shown() if each["type"] == "trace"]


async def test_what_a_button_shows(page: TeamsPage, bot: AdaptedBot) -> None:
    """The page keeps what people see in place of the text, which alone the bot gets."""
    await page.say("the value", shown="the title")
    assert (await page.sees("the value"))["shown"] == "the title"
    assert "shown" not in await bot.wait_for("message")


async def test_a_reloaded_page_gets_the_newest_versions(page: TeamsPage) -> None:
    """Each activity once, as it is now, in the order of the first versions; deletions as such."""
    first = await page.say("first")
    second = await page.say("second")
    await page.say("third")
    path = f"{page.path}/activities"
    await page.call("PUT", f"{path}/{first['id']}", activity={"text": "first, edited"})
    await page.call("DELETE", f"{path}/{second['id']}")
    later = await TeamsPage.opened(page.http, user=page.session["user"], conversation=page.chat)
    await later.connect()
    event = await later.event("changes")
    messages = [each for each in event["changes"] if each["type"].startswith("message")]
    assert [each.get("text") for each in messages] == ["first, edited", None, "third"]
    assert messages[1]["type"] == "messageDelete"
    assert messages[1]["id"] == second["id"]
    await later.close()


async def test_events_of_the_conversation(page: TeamsPage) -> None:
    """New members and names come as the conversation, typing as the user's id."""
    group = await page.create("group")
    await group.connect()
    chat = await group.call("POST", f"{group.path}/members", new=True)
    event = await group.event("conversation")
    assert event["conversation"] == chat
    other = chat["members"][1]
    account = {name: other[name] for name in ("id", "name", "aadObjectId")}
    assert [each.get("membersAdded") for each in group.shown()][-1] == [account]
    await group.call("POST", f"{group.path}/typing", user=other["id"])
    await group.event("typing", user=other["id"])
    await group.call("DELETE", f"{group.path}/members/{other['id']}")
    await group.event("conversation", conversation=group.chat)
    assert [each.get("membersRemoved") for each in group.shown()][-1] == [account]
    await group.close()


async def test_what_happens_elsewhere(page: TeamsPage, bot: AdaptedBot) -> None:
    """A page learns of its user's new conversations, and of messages in others."""
    group = await page.create("group")
    await page.event("conversations")
    bot.turn = lambda context: context.send_activity("from the bot")
    await group.mention("hello")
    event = await page.event("elsewhere")
    assert event["conversation"] == group.chat["id"]
    assert event["activity"]["text"] == "from the bot"


async def test_what_is_unread(page: TeamsPage, connector: ConnectorCaller) -> None:
    """A page that connects learns how much its user has not seen; what they wrote is seen."""
    group = await page.create("group")
    other = (await group.call("POST", f"{group.path}/members", new=True))["members"][1]["id"]
    await connector.send(group.chat["id"])
    await group.say("hello")
    await group.say("hello", user=other)
    loaded = await TeamsPage.opened(page.http, user=page.session["user"], conversation=page.chat)
    await loaded.connect()
    assert (await loaded.event("hello"))["unread"] == {group.chat["id"]: 2}
    await group.connect()
    assert (await group.event("hello"))["unread"] == {}
    await connector.send(group.chat["id"], "seen")
    await group.sees("seen")
    await group.close()
    again = await TeamsPage.opened(page.http, user=page.session["user"], conversation=page.chat)
    await again.connect()
    assert (await again.event("hello"))["unread"] == {}
    for tab in (loaded, again):
        await tab.close()


async def test_typing_of_the_past_is_not_shown(
    page: TeamsPage, cloud: Cloud, connector: ConnectorCaller
) -> None:
    """An open page shows that the bot is typing; one that is loaded later does not."""
    group = await page.create("group")
    await connector.send(group.chat["id"], "", type="typing")
    await connector.send(page.chat["id"], "", type="typing")
    stored = cloud.conversations.find(page.chat["id"])
    await condition.comes_true(lambda: any(map(is_typing, page.shown())))
    for change in stored.changes:
        if is_typing(change):
            change["timestamp"] = "2026-01-01T10:00:00.000Z"
    later = await TeamsPage.opened(page.http, user=page.session["user"], conversation=page.chat)
    await later.connect()
    await later.event("changes")
    assert not any(map(is_typing, later.shown()))
    assert not [event for event in page.events if event["type"] == "elsewhere"]
    await later.close()


def is_typing(activity: Activity) -> bool:
    """Whether it says that somebody is typing."""
    return bool(activity["type"] == "typing")


@pytest.mark.parametrize("query", ["", "?user=29:1x", "?conversation=a:1x&after=x"])
async def test_a_socket_of_nobody_is_refused(pages: aiohttp.ClientSession, query: str) -> None:
    """A page that names no conversation, or no user, gets an HTTP error."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await pages.ws_connect(f"/api/chat/live{query}")
    assert refusal.value.status in (400, 404)


async def test_a_socket_of_another_user_is_refused(page: TeamsPage) -> None:
    """A user who is no member sees nothing of a conversation."""
    other = await TeamsPage.opened(page.http)
    query = {"user": other.user, "conversation": page.chat["id"]}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await page.http.ws_connect("/api/chat/live", params=query)
    assert refusal.value.status == 403


async def test_pages_learn_that_the_cloud_stops(
    page: TeamsPage, running_cloud: CloudThread
) -> None:
    """Their sockets are closed as of a server that goes away."""
    query = {"user": page.user, "conversation": page.chat["id"]}
    socket = await page.http.ws_connect("/api/chat/live", params=query)
    await socket.receive()
    await asyncio.to_thread(running_cloud.do, running_cloud.cloud.teams.close())
    async with asyncio.timeout(condition.SECONDS):
        while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)


async def test_a_proactive_message_appears(page: TeamsPage, bot: AdaptedBot) -> None:
    """What the bot sends later, to a stored conversation reference, comes to the open page."""
    references: list[ConversationReference] = []

    async def keep(context: TurnContext) -> None:
        references.append(TurnContext.get_conversation_reference(context.activity))

    async def send(context: TurnContext) -> None:
        await context.send_activity("by the way")

    bot.turn = keep
    await page.say("remember me")
    await condition.comes_true(lambda: bool(references))
    app_id = bot.app.cloud.registration.app_id
    await bot.app.parts.adapter.continue_conversation(references[0], send, app_id)
    await page.sees("by the way")
