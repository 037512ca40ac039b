"""What the Bot Connector allows a bot in Teams, and what it refuses.

Microsoft references "Send and receive messages" (status codes), "Get Teams context", "Proactive
messages".
"""

import pytest

from tests.emulator.teams.connector_caller import ConnectorCaller
from tests.emulator.teams.teams_page import AdaptedBot, TeamsPage


async def test_members_are_people(page: TeamsPage, connector: ConnectorCaller) -> None:
    """The roster has each user with what Entra knows of them, and not the bot."""
    path = f"/conversations/{page.chat['id']}/members"
    status, members = await connector.call("GET", path)
    assert (status, members) == (200, [page.session["user"]])
    assert members[0]["userPrincipalName"].endswith("@example.com")
    for known in (page.user, members[0]["aadObjectId"]):
        assert await connector.call("GET", f"{path}/{known}") == (200, members[0])
    refusal = await connector.refused("GET", f"{path}/{page.chat['bot']['id']}")
    assert refusal[:2] == (404, "MemberNotFoundInConversation")


async def test_members_in_pages(page: TeamsPage, connector: ConnectorCaller) -> None:
    """Each page has a token for the next one; the last page has none."""
    group = await page.create("group")
    for _ in range(4):
        await group.call("POST", f"{group.path}/members", new=True)
    path = f"/conversations/{group.chat['id']}/pagedmembers?pageSize=2"
    names, token = [], ""
    while True:
        _, found = await connector.call("GET", f"{path}&continuationToken={token or 0}")
        names += [member["name"] for member in found["members"]]
        if "continuationToken" not in found:
            break
        token = found["continuationToken"]
    assert len(set(names)) == len(names) == 5


async def test_a_team_and_its_channels(page: TeamsPage, connector: ConnectorCaller) -> None:
    """The bot learns a team's name, group and counts, and its channels by name."""
    general = await page.create("channel")
    team = general.chat["team"]
    plans = await page.create("channel", team=team["id"], name="Plans")
    _, details = await connector.call("GET", f"/teams/{team['id']}")
    assert details == {**team, **details}
    assert (details["channelCount"], details["memberCount"]) == (2, 1)
    _, found = await connector.call("GET", f"/teams/{team['id']}/conversations")
    assert [(each["id"], each["name"]) for each in found["conversations"]] == [
        (team["id"], None),
        (plans.chat["id"], "Plans"),
    ]
    assert (await connector.refused("GET", "/teams/19:x@thread.tacv2"))[0] == 404


async def test_a_personal_chat_is_found_again(page: TeamsPage, connector: ConnectorCaller) -> None:
    """A bot that creates a chat with a user gets the user's only one, by either id."""
    for known in (page.user, page.session["user"]["aadObjectId"]):
        status, created = await connector.call(
            "POST", "/conversations", {"members": [{"id": known}], "isGroup": False}
        )
        assert (status, created["id"]) == (201, page.chat["id"])
    await connector.send(created["id"], "proactive")
    await page.sees("proactive")


async def test_a_bot_creates_no_group_chat(page: TeamsPage, connector: ConnectorCaller) -> None:
    """Teams allows personal chats and threads in channels only."""
    other = await TeamsPage.opened(page.http)
    members = [{"id": page.user}, {"id": other.user}]
    refusal = await connector.refused("POST", "/conversations", {"members": members})
    assert refusal[:2] == (400, "BadArgument")


async def test_a_new_thread_in_a_channel(page: TeamsPage, connector: ConnectorCaller) -> None:
    """A bot posts to a channel; the thread's id leads to replies in it."""
    channel = await page.create("channel")
    await channel.connect()
    parameters = {
        "isGroup": True,
        "channelData": {"channel": {"id": channel.chat["id"]}},
        "activity": {"type": "message", "text": "a post"},
    }
    status, created = await connector.call("POST", "/conversations", parameters)
    assert status == 201
    post = await channel.sees("a post")
    assert created["activityId"] == post["id"] == post["thread"]
    assert created["id"] == f"{channel.chat['id']};messageid={post['id']}"
    await connector.send(created["id"], "a reply")
    reply = await channel.sees("a reply")
    assert reply["thread"] == post["id"]
    assert reply["conversation"]["id"] == created["id"]
    await connector.send(channel.chat["id"], "another post")
    other = await channel.sees("another post")
    assert other["thread"] == other["id"]
    await channel.close()


async def test_a_bot_replies_in_the_thread(page: TeamsPage, bot: AdaptedBot) -> None:
    """The SDK's reply to a message in a thread is in that thread."""
    channel = await page.create("channel")
    await bot.wait_for("conversationUpdate")
    bot.turn = lambda context: context.send_activity("the answer")
    await channel.connect()
    post = await channel.mention("a question")
    answer = await channel.sees("the answer")
    assert answer["thread"] == post["id"]
    await channel.close()


async def test_a_bot_changes_its_own_messages_only(
    page: TeamsPage, connector: ConnectorCaller
) -> None:
    """It may update and delete what it sent, and nothing that a user wrote."""
    path = f"/conversations/{page.chat['id']}/activities"
    _, sent = await connector.send(page.chat["id"], "draft")
    update = {"type": "message", "text": "final"}
    assert (await connector.call("PUT", f"{path}/{sent['id']}", update))[0] == 200
    shown = await page.sees("final")
    assert shown["edited"] is True
    assert (await connector.call("DELETE", f"{path}/{sent['id']}"))[0] == 200
    refusal = await connector.refused("DELETE", f"{path}/{sent['id']}")
    assert refusal[:2] == (404, "ActivityNotFoundInConversation")
    own = await page.say("the user's")
    assert (await connector.refused("PUT", f"{path}/{own['id']}", update))[0] == 403
    assert (await connector.refused("DELETE", f"{path}/{own['id']}"))[0] == 403


async def test_an_update_of_a_message_with_reactions(
    page: TeamsPage, connector: ConnectorCaller
) -> None:
    """The bot's update leaves the reactions, and the message in its thread."""
    channel = await page.create("channel")
    await channel.connect()
    post = await channel.say("a post")
    thread = f"{channel.chat['id']};messageid={post['id']}"
    _, sent = await connector.send(thread, "draft")
    path = f"/activities/{sent['id']}"
    await channel.call("POST", f"{channel.path}{path}/reactions", type="like")
    update = {"type": "message", "text": "final"}
    assert (await connector.call("PUT", f"/conversations/{thread}{path}", update))[0] == 200
    shown = await channel.sees("final")
    assert shown["reactions"] == [{"type": "like", "user": page.user}]
    assert shown["thread"] == post["id"]
    await channel.close()


async def test_a_removed_bot_can_do_nothing(page: TeamsPage, connector: ConnectorCaller) -> None:
    """After the app is uninstalled, each operation in the conversation is a 403."""
    general = await page.create("channel")
    _, sent = await connector.send(general.chat["id"], "soon gone")
    await general.call("POST", f"{general.path}/uninstall")
    team, one = general.chat["team"]["id"], f"/conversations/{general.chat['id']}"
    message = {"type": "message", "text": "hello"}
    for method, path in [
        ("POST", f"{one}/activities"),
        ("POST", f"{one}/activities/{sent['id']}"),
        ("PUT", f"{one}/activities/{sent['id']}"),
        ("DELETE", f"{one}/activities/{sent['id']}"),
        ("GET", f"{one}/members"),
        ("GET", f"{one}/members/{page.user}"),
        ("GET", f"{one}/pagedmembers"),
        ("GET", f"/teams/{team}"),
        ("GET", f"/teams/{team}/conversations"),
    ]:
        refusal = await connector.refused(method, path, message)
        assert refusal[:2] == (403, "BotNotInConversationRoster"), path


async def test_a_user_without_the_app_cannot_be_written_to(
    page: TeamsPage, connector: ConnectorCaller
) -> None:
    """A bot reaches the members of chats that it is installed in, and nobody else."""
    await page.call("POST", f"{page.path}/uninstall")
    body = {"members": [{"id": page.user}]}
    refusal = await connector.refused("POST", "/conversations", body)
    assert refusal[:2] == (403, "BotNotInConversationRoster")
    await page.create("group")
    assert (await connector.call("POST", "/conversations", body))[0] == 201
    refusal = await connector.refused(
        "POST", f"/conversations/{page.chat['id']}/activities", {"type": "message", "text": "hi"}
    )
    assert refusal[0] == 403


async def test_a_blocked_bot_cannot_write(page: TeamsPage, connector: ConnectorCaller) -> None:
    """Its messages are refused until the user unblocks it. Only a personal chat can block it."""
    group = await page.create("group")
    await group.call("POST", f"{group.path}/block", 400)
    await page.call("POST", f"{page.path}/block")
    path = f"/conversations/{page.chat['id']}/activities"
    message = {"type": "message", "text": "hello"}
    refusal = await connector.refused("POST", path, message)
    assert refusal[:2] == (403, "MessageWritesBlocked")
    await page.call("POST", f"{page.path}/unblock")
    assert (await connector.call("POST", path, message))[0] == 201


@pytest.mark.parametrize("name", ["entities", "attachments"])
async def test_a_list_that_is_none(page: TeamsPage, connector: ConnectorCaller, name: str) -> None:
    """A message with something else in place of a list is refused, and no page gets it."""
    message = {"type": "message", "text": "hello", name: "none"}
    path = f"/conversations/{page.chat['id']}/activities"
    refusal = await connector.refused("POST", path, message)
    assert refusal == (400, "BadArgument", f"The activity's '{name}' is not a list.")


async def test_an_unknown_conversation(connector: ConnectorCaller) -> None:
    """A thread of no known channel is as unknown as any other."""
    for chat in ("a:1none", "19:none@thread.tacv2;messageid=1"):
        path = f"/conversations/{chat}/activities"
        refusal = await connector.refused("POST", path, {"type": "message"})
        assert refusal[:2] == (404, "ConversationNotFound")


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_message_that_is_too_large(
    page: TeamsPage, connector: ConnectorCaller, method: str
) -> None:
    """100 KB are accepted, more is a 413, for a new message as for an update."""
    _, sent = await connector.send(page.chat["id"])
    path = f"/conversations/{page.chat['id']}/activities"
    if method == "PUT":
        path += f"/{sent['id']}"
    large = {"type": "message", "text": "x" * 90_000}
    assert (await connector.call(method, path, large))[0] in (200, 201)
    refusal = await connector.refused(method, path, {"type": "message", "text": "x" * 110_000})
    assert refusal[:2] == (413, "MessageSizeTooBig")
