"""The shapes of what the bot gets.

Microsoft references "Conversation events in your Teams bot", "Teams channel data", "Receive a
message".
"""

import re

import aiohttp
import pytest

from bot_workbench.emulator.cloud import Cloud
from tests.emulator.teams.connector_caller import ConnectorCaller
from tests.emulator.teams.teams_page import AdaptedBot, TeamsPage
from tests.support.timing import condition


async def test_a_personal_message(page: TeamsPage, bot: AdaptedBot, cloud: Cloud) -> None:
    """It has what Teams adds: people, tenant, client, times, and the text as HTML."""
    sent = await page.say("5 < 6\nyes", timezone="Europe/Berlin")
    activity = await bot.wait_for("message")
    user, tenant = page.session["user"], cloud.registration.tenant_id
    assert activity["id"] == sent["id"]
    assert re.fullmatch(r"\d{13}", activity["id"])
    assert activity["channelId"] == "msteams"
    assert activity["serviceUrl"] == f"{cloud.connector.server.url}/"
    assert activity["from"] == {name: user[name] for name in ("id", "name", "aadObjectId")}
    assert activity["recipient"] == {"id": f"28:{cloud.registration.app_id}", "name": "Bot"}
    assert activity["conversation"] == {
        "conversationType": "personal",
        "tenantId": tenant,
        "id": page.chat["id"],
    }
    assert activity["channelData"] == {"tenant": {"id": tenant}}
    assert activity["text"] == "5 < 6\nyes"
    assert activity["textFormat"] == "plain"
    html = {"contentType": "text/html", "content": "<p>5 &lt; 6</p><p>yes</p>"}
    assert activity["attachments"] == [html]
    assert activity["localTimezone"] == "Europe/Berlin"
    assert activity["localTimestamp"].endswith(("+01:00", "+02:00"))
    client = activity["entities"][-1]
    assert client["type"] == "clientInfo"
    assert client["timezone"] == "Europe/Berlin"


async def test_a_message_in_a_group_chat(page: TeamsPage, bot: AdaptedBot) -> None:
    """It is delivered if it mentions the bot."""
    group = await page.create("group", name="Plans")
    await group.mention("hello")
    activity = await bot.wait_for("message")
    conversation = activity["conversation"]
    assert conversation == {
        "conversationType": "groupChat",
        "tenantId": group.session["user"]["tenantId"],
        "id": group.chat["id"],
        "isGroup": True,
    }
    assert activity["text"] == "<at>Bot</at> hello"
    assert activity["entities"][0]["mentioned"]["id"] == activity["recipient"]["id"]
    html = activity["attachments"][0]["content"]
    assert html.startswith(
        '<p><span itemtype="http://schema.skype.com/Mention" itemscope itemid="0"'
    )
    assert set(activity["channelData"]) == {"tenant"}


async def test_a_message_without_a_mention_is_not_delivered(
    page: TeamsPage, bot: AdaptedBot
) -> None:
    """In a group chat, the page says why; the next one that mentions the bot is delivered."""
    group = await page.create("group")
    await group.connect()
    sent = await group.say("among people")
    event = await group.event("delivery", activityId=sent["id"], state="unsent")
    assert "mention" in event["text"]
    await group.mention("you there")
    await bot.wait_for("message")
    assert len(bot.of("message")) == 1
    await group.close()


async def test_a_post_and_a_reply_in_a_channel(page: TeamsPage, bot: AdaptedBot) -> None:
    """Each post is a thread; its conversation has the thread's first message in its id."""
    channel = await page.create("channel")
    post = await channel.mention("first")
    first = await bot.wait_for("message")
    assert first["conversation"]["id"] == f"{channel.chat['id']};messageid={post['id']}"
    reply = await channel.mention("second", thread=post["id"])
    second = await bot.wait_for("message", 2)
    assert second["id"] == reply["id"] != post["id"]
    assert second["conversation"] == first["conversation"]
    assert second["conversation"]["conversationType"] == "channel"
    data = second["channelData"]
    assert data["team"] == {"id": channel.chat["team"]["id"]}
    assert data["channel"] == {"id": channel.chat["id"]}
    thread = first["conversation"]["id"]
    assert await channel.call("GET", f"/conversations/{thread}") == channel.chat
    assert (data["teamsTeamId"], data["teamsChannelId"]) == (data["team"]["id"], channel.chat["id"])
    assert "thread" not in second


async def test_the_installation_in_a_personal_chat(page: TeamsPage, bot: AdaptedBot) -> None:
    """Both events come, the bot and the user are added, and the sender has no name."""
    new = await TeamsPage.opened(page.http)
    installed = await bot.wait_for("installationUpdate")
    added = await bot.wait_for("conversationUpdate")
    sender = {name: new.session["user"][name] for name in ("id", "aadObjectId")}
    assert installed["action"] == "add"
    assert installed["from"] == added["from"] == sender
    assert installed["channelData"]["source"] == {"name": "message"}
    assert installed["channelData"]["settings"] == {"selectedChannel": {"id": new.chat["id"]}}
    assert added["membersAdded"] == [new.chat["bot"], sender]
    assert "eventType" not in added["channelData"]
    assert re.fullmatch(r"f:[0-9a-f-]{36}", added["id"])


async def test_the_installation_in_a_team(page: TeamsPage, bot: AdaptedBot) -> None:
    """The bot alone is added, in the selected channel."""
    channel = await page.create("channel")
    added = await bot.wait_for("conversationUpdate")
    assert added["membersAdded"] == [channel.chat["bot"]]
    assert added["conversation"]["id"] == channel.chat["id"]
    data = added["channelData"]
    assert data["eventType"] == "teamMemberAdded"
    assert data["channel"] == channel.chat["channel"]
    assert data["team"] == channel.chat["team"]
    assert data["settings"] == {"selectedChannel": {"id": channel.chat["id"]}}


async def test_members_of_a_group_chat(page: TeamsPage, bot: AdaptedBot) -> None:
    """A group chat's events have the tenant in their channel data, and nothing else."""
    group = await page.create("group")
    await bot.wait_for("conversationUpdate")
    chat = await group.call("POST", f"{group.path}/members", new=True)
    new = chat["members"][1]
    added = await bot.wait_for("conversationUpdate", 2)
    assert added["membersAdded"] == [{name: new[name] for name in ("id", "aadObjectId")}]
    assert set(added["channelData"]) == {"tenant"}
    await group.call("DELETE", f"{group.path}/members/{new['id']}")
    removed = await bot.wait_for("conversationUpdate", 3)
    assert removed["membersRemoved"] == added["membersAdded"]


async def test_members_of_a_team(page: TeamsPage, bot: AdaptedBot) -> None:
    """The conversation of such an event is the team's, whatever channel it is seen in."""
    general = await page.create("channel")
    channel = await page.create("channel", team=general.chat["team"]["id"], name="Plans")
    created = await bot.wait_for("conversationUpdate", 2)
    assert created["channelData"]["eventType"] == "channelCreated"
    assert created["channelData"]["channel"] == {"id": channel.chat["id"], "name": "Plans"}
    await channel.call("POST", f"{channel.path}/members", new=True)
    added = await bot.wait_for("conversationUpdate", 3)
    assert added["conversation"]["id"] == general.chat["id"]
    assert added["channelData"]["eventType"] == "teamMemberAdded"
    assert "channel" not in added["channelData"]
    both = await general.call("GET", f"/conversations/{general.chat['id']}")
    assert len(both["members"]) == 2


@pytest.mark.parametrize("kind", ["group", "channel"])
async def test_a_new_name(page: TeamsPage, bot: AdaptedBot, kind: str) -> None:
    """A group chat has a topic; a renamed channel is an event of its team."""
    chat = await page.create(kind)
    await bot.wait_for("conversationUpdate")
    renamed = await chat.call("PATCH", chat.path, name="Budget")
    assert renamed["name"] == "Budget"
    event = await bot.wait_for("conversationUpdate", 2)
    if kind == "group":
        assert event["topicName"] == "Budget"
        assert "eventType" not in event["channelData"]
    else:
        assert event["channelData"]["eventType"] == "channelRenamed"
        assert event["channelData"]["channel"]["name"] == "Budget"


async def test_a_personal_chat_has_no_name(page: TeamsPage) -> None:
    """It cannot be renamed, and has one user."""
    await page.call("PATCH", page.path, 400, name="Budget")
    await page.call("POST", f"{page.path}/members", 400, new=True)
    await page.call("DELETE", f"{page.path}/members/{page.user}", 400)
    assert await page.call("GET", page.path) == page.chat


async def test_a_member_is_added_once(page: TeamsPage, bot: AdaptedBot) -> None:
    """Somebody who is there already is a conflict, and no event for the bot."""
    other = await TeamsPage.opened(page.http)
    group = await page.create("group")
    path = f"{group.path}/members"
    await group.call("POST", path, user=other.user)
    await group.call("POST", path, 409, user=other.user)
    await group.call("DELETE", f"{path}/{other.user}")

    def changes() -> list[str]:
        of_group = [
            each for each in bot.activities if each["conversation"]["id"] == group.chat["id"]
        ]
        return [name for each in of_group for name in each if name.startswith("members")]

    await condition.comes_true(lambda: len(changes()) >= 3)
    assert sorted(changes()) == ["membersAdded", "membersAdded", "membersRemoved"]


async def test_a_button_of_a_card(page: TeamsPage, bot: AdaptedBot) -> None:
    """An Action.Submit is a message with a value and no HTML; groups need no mention for it."""
    group = await page.create("group")
    await group.call(
        "POST",
        f"{group.path}/activities",
        activity={"type": "message", "value": {"choice": 1}, "replyToId": "1"},
    )
    activity = await bot.wait_for("message")
    assert activity["value"] == {"choice": 1}
    assert activity["replyToId"] == "1"
    assert activity["channelData"]["source"] == {"name": "message"}
    assert "attachments" not in activity
    assert "text" not in activity


async def test_uninstall_and_install(
    page: TeamsPage, bot: AdaptedBot, connector: ConnectorCaller
) -> None:
    """A removed bot gets the removal and then nothing, until it is installed again."""
    group = await page.create("group")
    await bot.wait_for("conversationUpdate")
    _, said = await connector.send(group.chat["id"])
    await group.call("POST", f"{group.path}/uninstall")
    removed = await bot.wait_for("installationUpdate", 2)
    assert removed["action"] == "remove"
    gone = await bot.wait_for("conversationUpdate", 2)
    assert gone["membersRemoved"] == [group.chat["bot"]]
    await group.call("POST", f"{group.path}/uninstall", 409)
    await group.mention("anybody?")
    await group.call("POST", f"{group.path}/invoke", 403, name="task/fetch", value={})
    await group.call("POST", f"{group.path}/activities/{said['id']}/reactions", type="like")
    await group.call("POST", f"{group.path}/install")
    await group.call("POST", f"{group.path}/install", 409)
    again = await bot.wait_for("installationUpdate", 3)
    assert again["action"] == "add"
    assert bot.of("message") + bot.of("messageReaction") == []


@pytest.mark.parametrize("zone", ["Nowhere/Else", "../etc/passwd", 5, None])
async def test_a_time_zone_that_is_none(page: TeamsPage, bot: AdaptedBot, zone: object) -> None:
    """A browser whose zone is not known is in UTC."""
    await page.say("hello", timezone=zone)
    assert (await bot.wait_for("message"))["localTimezone"] == "UTC"


async def test_the_channel_sets_the_addresses(page: TeamsPage, bot: AdaptedBot) -> None:
    """A page cannot write in another's name, or under an id of its own choice."""
    forged = {"id": "1", "from": {"id": "29:x"}, "recipient": {"id": "28:x"}, "channelId": "slack"}
    sent = await page.say("hello", more=forged)
    activity = await bot.wait_for("message")
    assert activity["from"]["id"] == page.user
    assert activity["recipient"]["id"] == page.chat["bot"]["id"]
    assert activity["channelId"] == "msteams"
    assert activity["id"] == sent["id"] != "1"


@pytest.mark.parametrize(
    "content",
    [
        {"text": 5},
        {"replyToId": {}},
        {"channelData": "x"},
        {"entities": 5},
        {"attachments": "x"},
        {"attachments": [1]},
        {"attachments": [{"contentUrl": "https://example.com"}]},
    ],
)
async def test_content_of_a_wrong_shape_is_a_400(
    page: TeamsPage, bot: AdaptedBot, content: dict[str, object]
) -> None:
    """Neither a new message nor an edit of one can have it, and nothing is stored."""
    path = f"{page.path}/activities"
    await page.call("POST", path, 400, activity={"type": "message", **content})
    sent = await page.say("good")
    await page.call("PUT", f"{path}/{sent['id']}", 400, activity=content)
    await page.sees("good")
    assert [each["id"] for each in page.shown() if each["type"] == "message"] == [sent["id"]]
    await bot.wait_for("message")


async def test_an_activity_of_the_inspector(
    pages: aiohttp.ClientSession, bot: AdaptedBot, connector: ConnectorCaller
) -> None:
    """Without an earlier delivery, it is from a new user of the local Teams."""
    content = {"type": "message", "text": "hello"}
    async with pages.post("/api/inspector/send", json={"activity": content}) as response:
        assert response.status == 200
    activity = await bot.wait_for("message")
    assert activity["text"] == "hello"
    assert activity["recipient"]["id"].startswith("28:")
    assert activity["channelData"]["tenant"]["id"]
    chat = activity["conversation"]["id"]
    _, members = await connector.call("GET", f"/conversations/{chat}/members")
    assert [each["id"] for each in members] == [activity["from"]["id"]]


async def test_strangers_write_nothing(page: TeamsPage) -> None:
    """A user who is not a member gets a 403; an unknown user or conversation is a 404."""
    other = await TeamsPage.opened(page.http)
    body = {"type": "message", "text": "hello"}
    path = f"{page.path}/activities"
    await page.call("POST", path, 403, user=other.user, activity=body)
    await page.call("POST", path, 404, user="29:nobody", activity=body)
    await page.call("POST", "/conversations/a:1none/activities", 404, activity=body)
    for action in ("block", "install", "uninstall"):
        await page.call("POST", f"{page.path}/{action}", 403, user=other.user)
    channel = await page.create("channel")
    await channel.call("PATCH", channel.path, 403, user=other.user, name="Theirs")
    team = channel.chat["team"]["id"]
    await other.call("POST", "/conversations", 403, kind="channel", team=team)
    await other.call("POST", "/conversations", 404, kind="channel", team="19:x@thread.tacv2")
    await page.call("POST", path, 400, activity={"text": "no type"})
    await page.call("POST", path, 400, activity={"type": "event", "name": "x"})
    await page.call("PUT", f"{path}/1", 404, activity={"text": "unknown"})
