"""Chat: what the bot gets for each thing that a user does."""

import asyncio
from typing import Any

import aiohttp
import pytest
from botframework.connector import Channels

from bot_testing import Chat, ChatMistake, TurnFailure, TurnResult

pytestmark = pytest.mark.chat(bot="workbench/tests/bot_testing/bots/mirror")


def mirrored(result: TurnResult) -> dict[str, Any]:
    """The activity as the bot got it."""
    value: dict[str, Any] = result[0].raw["value"]
    return value


async def test_the_addresses(chat: Chat) -> None:
    """An activity has the channel's addresses, and is in the conversation under its id."""
    got = mirrored(await chat.say("hi", locale="de-DE"))
    cloud = chat.bot.cloud
    assert (got["type"], got["text"], got["locale"]) == ("message", "hi", "de-DE")
    assert (got["channelId"], got["from"]["name"]) == ("webchat", "Ada")
    assert got["recipient"]["id"] == cloud.registration.app_id
    assert got["conversation"]["id"] == chat.conversation.id
    assert got["serviceUrl"] == f"{cloud.connector.server.url}/"
    assert chat.activities[0]["id"] == got["id"]


@pytest.mark.parametrize("channel", [each.value for each in Channels])
async def test_every_channel(chat: Chat, channel: str) -> None:
    """The app accepts the token of each channel that the SDK knows."""
    got = mirrored(await chat.new_conversation(channel=channel).say("hi"))
    assert got["channelId"] == channel


async def test_an_unknown_channel(chat: Chat) -> None:
    """The app refuses a channel that the key does not endorse."""
    with pytest.raises(TurnFailure) as refused:
        await chat.new_conversation(channel="carrier-pigeon").say("hi")
    assert refused.value.status == 403


@pytest.mark.chat(channel="msteams")
async def test_a_user_of_teams(chat: Chat) -> None:
    """Teams adds the tenant and the user's object id."""
    got = mirrored(await chat.say("hi"))
    tenant = chat.bot.cloud.registration.tenant_id
    assert got["channelData"] == {"tenant": {"id": tenant}}
    assert got["conversation"]["conversationType"] == "personal"
    assert got["from"]["aadObjectId"]
    assert "entities" not in got


@pytest.mark.chat(channel="msteams")
@pytest.mark.parametrize("kind", ["groupChat", "channel"])
async def test_a_group_in_teams(chat: Chat, kind: Any) -> None:
    """The message mentions the bot; a channel has a team."""
    got = mirrored(await chat.new_conversation(kind=kind).say("hi"))
    assert got["text"] == "<at>Bot</at> hi"
    assert got["entities"][0]["mentioned"]["id"] == got["recipient"]["id"]
    assert got["conversation"]["isGroup"] is True
    assert ("team" in got["channelData"]) is (kind == "channel")


async def test_members(chat: Chat) -> None:
    """The bot learns who has joined, and who has left."""
    grace = chat.user("Grace")
    joined = mirrored(await chat.join(grace))
    assert [each["name"] for each in joined["membersAdded"]] == ["Grace"]
    left = mirrored(await chat.leave())
    assert left["membersRemoved"][0]["id"] == chat.account["id"]


async def listed(chat: Chat) -> dict[str, Any]:
    """The members as the bot learns them from the connector."""
    value: dict[str, Any] = (await chat.say("members"))[1].raw["value"]
    return value


@pytest.mark.chat(channel="msteams")
@pytest.mark.parametrize("kind", ["personal", "groupChat", "channel"])
async def test_the_members_that_teams_lists(chat: Chat, kind: Any) -> None:
    """They are the people, without the bot, as Teams' directory knows them."""
    ada = chat.new_conversation("Ada Lovelace", kind=kind)
    grace = ada.user("Grace")
    found = await listed(ada)
    assert [each["name"] for each in found["all"]] == ["Ada Lovelace", "Grace"]
    assert found["page"] == found["all"]
    assert found["sender"] == found["all"][0]
    assert found["sender"] == {
        "id": ada.account["id"],
        "name": "Ada Lovelace",
        "aadObjectId": ada.account["aadObjectId"],
        "givenName": "Ada",
        "surname": "Lovelace",
        "email": "ada.lovelace@example.com",
        "userPrincipalName": "ada.lovelace@example.com",
        "tenantId": chat.bot.cloud.registration.tenant_id,
        "userRole": "user",
    }
    grace.account["userPrincipalName"] = "grace@contoso.com"
    found = await listed(grace)
    assert found["sender"]["userPrincipalName"] == "grace@contoso.com"
    assert "userPrincipalName" not in mirrored(await ada.say("hi"))["from"]


@pytest.mark.chat(channel="msteams")
async def test_the_members_of_a_new_conversation_in_teams(chat: Chat) -> None:
    """The bot is not listed there either."""
    await chat.say("alone")
    [alone] = chat.created()
    assert [each["name"] for each in (await listed(alone))["all"]] == ["Ada"]


@pytest.mark.parametrize("channel", ["webchat", "directline", "emulator"])
async def test_the_members_that_other_channels_list(chat: Chat, channel: str) -> None:
    """The bot is one, and nobody has Teams' properties."""
    found = await listed(chat.new_conversation(channel=channel))
    assert [each["name"] for each in found["all"]] == ["Bot", "Ada"]
    assert "userPrincipalName" not in found["sender"]


@pytest.mark.chat(channel="msteams")
async def test_a_message_back_in_teams(chat: Chat) -> None:
    """It sends the button's text and what each message of Teams has, but no value."""
    [_, card] = await chat.say("message back")
    got = mirrored(await chat.press(card, "Go"))
    assert (got["type"], got["text"], got["replyToId"]) == ("message", "go", card.id)
    assert got["channelData"] == {"tenant": {"id": chat.bot.cloud.registration.tenant_id}}
    assert "value" not in got


async def test_reactions(chat: Chat) -> None:
    """A reaction names the activity."""
    [reply] = await chat.say("hi")
    added = mirrored(await chat.react(reply, "like"))
    assert (added["reactionsAdded"], added["replyToId"]) == ([{"type": "like"}], reply.id)
    assert "reactionsRemoved" in mirrored(await chat.react(reply, "like", remove=True))


async def test_an_edit(chat: Chat) -> None:
    """The bot gets the message's id with the new text, which the conversation shows too."""
    sent = mirrored(await chat.say("helo"))
    edited = mirrored(await chat.edit("hello"))
    assert (edited["type"], edited["id"]) == ("messageUpdate", sent["id"])
    assert (edited["text"], chat.activities[0]["text"]) == ("hello", "hello")
    assert chat.activities[0]["type"] == "message"


async def test_nothing_to_edit(chat: Chat) -> None:
    """A user who has said nothing has nothing to edit."""
    await chat.user("Grace").say("hi")
    with pytest.raises(ChatMistake, match="Ada has sent nothing"):
        await chat.edit("hello")


async def test_a_file(chat: Chat) -> None:
    """The bot can download what the user has sent, without a token."""
    got = mirrored(await chat.upload("a.txt", b"abc", "text/plain", "here"))
    [file] = got["attachments"]
    assert (got["text"], file["name"], file["contentType"]) == ("here", "a.txt", "text/plain")
    async with aiohttp.ClientSession() as session, session.get(file["contentUrl"]) as response:
        assert await response.read() == b"abc"


async def test_any_activity(chat: Chat) -> None:
    """Properties are passed as they are."""
    got = mirrored(await chat.send({"type": "event", "name": "ping", "value": [1]}))
    assert (got["type"], got["name"], got["value"]) == ("event", "ping", [1])


async def test_an_invoke_that_nothing_handles(chat: Chat) -> None:
    """The result has its status."""
    assert (await chat.invoke("unknown", {})).status == 501


async def test_replies_at_the_same_time(chat: Chat) -> None:
    """Each turn has its own replies, also in one conversation."""
    users = [chat, chat.user("Grace"), chat.new_conversation("Alan")]
    results = await asyncio.gather(
        *(user.say(user.account["name"]) for user in users for _ in "ab")
    )
    names = [[each.raw["value"]["text"] for each in result] for result in results]
    assert names == [["Ada"], ["Ada"], ["Grace"], ["Grace"], ["Alan"], ["Alan"]]


async def test_updates(chat: Chat) -> None:
    """An updated reply is shown as it is now, a deleted one not at all."""
    result = await chat.say("update")
    assert result.texts[1:] == ["new"]
    assert result.updated == []
    assert [each.text for each in chat.replies][1:] == ["new"]


async def test_a_new_conversation_of_the_bot(chat: Chat) -> None:
    """The user sees what the bot has written there, and can answer."""
    assert chat.created() == []
    await chat.say("alone")
    [alone] = chat.created()
    assert [each.text for each in alone.replies] == ["Just for you."]
    assert alone.account["id"] == chat.account["id"]
    assert mirrored(await alone.say("hi"))["conversation"]["id"] == alone.conversation.id
    assert chat.created() == []
