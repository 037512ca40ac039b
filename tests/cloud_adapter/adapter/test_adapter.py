"""CloudAdapter: whole turns of the composed app, in front of the local cloud."""

import asyncio
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    ChannelAccount,
    ConversationParameters,
    Entity,
)

from auth.errors import BadRequest, CallerForbidden, TokenRejected
from cloud_adapter.adapter import APOLOGY, TurnRequest
from cloud_adapter.redaction import HEADER
from tests.support.bots.composed_app import ComposedApp
from tests.support.logic import EXPECT_REPLIES, INVOKE, MESSAGE, answering, echo, processed, raising
from tests.support.timing.condition import comes_true

CITATION = {
    "type": "https://schema.org/Message",
    "@type": "Message",
    "citation": [{"@type": "Claim", "position": 1}],
}


async def test_a_message(app: ComposedApp) -> None:
    """The response is an empty 200; the bot replies to that message in its conversation."""
    response = await app.deliver({**MESSAGE, "id": "a1", "channelId": "msteams"}, echo)
    assert (response.status, response.body) == (200, b"")
    (reply,) = app.conversation.activities
    assert (reply["text"], reply["replyToId"]) == ("You said: sesame", "a1")
    assert reply["recipient"]["id"] == "user-1"


async def test_a_message_without_an_id(app: ComposedApp) -> None:
    """There is nothing to reply to, so the reply is sent to the end of the conversation."""
    assert (await app.deliver({**MESSAGE, "id": None}, echo)).status == 200
    assert app.texts() == ["You said: sesame"]


async def test_the_turn_state(app: ComposedApp) -> None:
    """The turn state holds the connector, the token client, the caller and the audience."""
    found: dict[str, Any] = {}

    async def look(turn: TurnContext) -> None:
        adapter = turn.adapter
        found.update(turn.turn_state)
        assert adapter is app.parts.adapter
        assert turn.activity.caller_id == "urn:botframework:azure"

    await app.deliver(MESSAGE, look)
    adapter = app.parts.adapter
    assert found[adapter.BOT_CONNECTOR_CLIENT_KEY].config.base_url == app.service_url
    assert found[adapter.BOT_IDENTITY_KEY].is_authenticated
    assert found[adapter.BOT_OAUTH_SCOPE_KEY] == "https://api.botframework.com"
    assert found[adapter.USER_TOKEN_CLIENT_KEY]
    assert found[adapter.CONNECTOR_FACTORY_KEY]


async def test_concurrent_turns(app: ComposedApp) -> None:
    """Many turns run concurrently, and each reply belongs to its own turn."""
    turns = [app.deliver({**MESSAGE, "text": str(number)}, echo) for number in range(30)]
    responses = await asyncio.gather(*turns)
    assert {response.status for response in responses} == {200}
    assert sorted(app.texts()) == sorted(f"You said: {number}" for number in range(30))


async def test_updates_and_deletions(app: ComposedApp) -> None:
    """A bot can update and delete what it sent."""

    async def bot(turn: TurnContext) -> None:
        first = await turn.send_activity("one")
        second = await turn.send_activity("two")
        await turn.update_activity(Activity(type="message", id=first.id, text="three"))
        await turn.delete_activity(second.id)

    assert (await app.deliver(MESSAGE, bot)).status == 200
    assert app.texts() == ["three"]


async def test_entities_of_replies(app: ComposedApp) -> None:
    """A citation, and the entities of a forwarded activity, arrive in full."""

    async def bot(turn: TurnContext) -> None:
        entity = Entity(type=CITATION["type"])
        entity.additional_properties = {
            name: value for name, value in CITATION.items() if name != "type"
        }
        entities = [entity, *turn.activity.entities]
        await turn.send_activity(Activity(type="message", text="x", entities=entities))

    mention = {"type": "mention", "text": "<at>Bot</at>", "mentioned": {"id": "b"}}
    await app.deliver({**MESSAGE, "entities": [mention]}, bot)
    assert app.conversation.activities[0]["entities"] == [CITATION, mention]


@pytest.mark.parametrize(
    ("status", "body"), [(200, {"task": {"type": "continue"}}), (409, None), (200, [])]
)
async def test_an_invoke(app: ComposedApp, status: int, body: Any) -> None:
    """The response has the status and the JSON of the bot's invoke response."""
    response = await app.deliver(INVOKE, answering(status, body))
    assert response.status == status
    assert (json.loads(response.body) if response.body else None) == body


async def test_an_invoke_that_nothing_handles(app: ComposedApp) -> None:
    """The response is 501, even if the bot sent a message."""
    response = await app.deliver(INVOKE, echo)
    assert (response.status, response.body) == (501, b"")


@pytest.mark.parametrize(
    "value",
    [
        InvokeResponse(status=200, body=object()),
        InvokeResponse(status=200, body=ValueError("bad", "worse")),
        InvokeResponse(status=200, body={"x": float("nan")}),
        InvokeResponse(status="fine"),
        InvokeResponse(),
        {"status": 200},
        "fine",
    ],
)
async def test_an_invalid_invoke_response(
    app: ComposedApp, caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    """It is a fault of the bot: logged, and 200 for the channel."""

    async def bot(turn: TurnContext) -> None:
        await turn.send_activity(Activity(type=ActivityTypes.invoke_response, value=value))

    response = await app.deliver({**INVOKE, "id": "a1"}, bot)
    assert (response.status, response.body) == (200, b"")
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert "a1" in record.getMessage()
    assert f"the bot's answer cannot be written as JSON\n{HEADER}  File " in record.getMessage()
    assert not record.exc_info


async def test_expected_replies(app: ComposedApp) -> None:
    """They are in the response, with all their entities, and nothing is sent elsewhere."""

    async def bot(turn: TurnContext) -> None:
        await turn.send_activity(Activity(type="message", text="one", entities=[CITATION]))
        await turn.send_activities([Activity(type="typing"), Activity(type="message", text="two")])

    calls = len(app.cloud.connector.calls)
    response = await app.deliver({**EXPECT_REPLIES, "id": "a1", "channelId": "msteams"}, bot)
    assert response.status == 200
    replies = json.loads(response.body)["activities"]
    assert [reply["type"] for reply in replies] == ["message", "typing", "message"]
    assert (replies[0]["text"], replies[0]["entities"]) == ("one", [CITATION])
    assert all(reply["replyToId"] == "a1" for reply in replies)
    assert len(app.cloud.connector.calls) == calls


async def test_no_replies(app: ComposedApp) -> None:
    """A bot that sends nothing leaves an empty list."""

    async def bot(_: TurnContext) -> None:
        return

    response = await app.deliver(EXPECT_REPLIES, bot)
    assert json.loads(response.body) == {"activities": []}


async def test_an_apology_among_the_replies(app: ComposedApp) -> None:
    """The response has what the bot sent before it failed, and then the apology."""

    async def bot(turn: TurnContext) -> None:
        await turn.send_activity("so far so good")
        raise LookupError("no table")

    response = await app.deliver(EXPECT_REPLIES, bot)
    texts = [reply["text"] for reply in json.loads(response.body)["activities"]]
    assert (response.status, texts) == (200, ["so far so good", APOLOGY])


async def test_refusals_come_before_the_bot(app: ComposedApp) -> None:
    """No bot runs for a bad body, a missing token, or another's."""
    bot = raising(AssertionError("it ran"))
    with pytest.raises(BadRequest):
        await processed(app, b"{}", bot)
    body = json.dumps(app.activity(MESSAGE)).encode()
    process = app.parts.adapter.process
    with pytest.raises(TokenRejected):
        await process(TurnRequest("application/json", "", body), SimpleNamespace(on_turn=bot))
    other = json.dumps(app.activity({**MESSAGE, "serviceUrl": f"{app.service_url}x"})).encode()
    with pytest.raises(CallerForbidden):
        await processed(app, other, bot)


async def test_continue_conversation(app: ComposedApp) -> None:
    """A message can be sent later, with the conversation reference of a turn."""
    references: list[Any] = []

    async def remember(turn: TurnContext) -> None:
        references.append(TurnContext.get_conversation_reference(turn.activity))

    async def say(turn: TurnContext) -> None:
        await turn.send_activity(f"by the way, {turn.activity.name.value}")

    await app.deliver(MESSAGE, remember)
    await app.parts.adapter.continue_conversation(references[0], say, app.cloud.registration.app_id)
    assert app.texts() == ["by the way, ContinueConversation"]


async def test_create_conversation(app: ComposedApp) -> None:
    """A new conversation starts with a message, and its turn knows its id."""
    places: list[str] = []

    async def say(turn: TurnContext) -> None:
        places.append(turn.activity.conversation.id)
        await turn.send_activity("more")

    await app.parts.adapter.create_conversation(
        app.cloud.registration.app_id,
        say,
        ConversationParameters(
            members=[ChannelAccount(id="user-7")], activity=Activity(type="message", text="first")
        ),
        "webchat",
        app.service_url,
    )
    conversation = app.cloud.conversations.find(places[0])
    assert [each["text"] for each in conversation.activities] == ["first", "more"]
    assert "user-7" in conversation.members


async def test_a_slow_turn_shows_typing(app: ComposedApp) -> None:
    """The user sees that the bot is typing before a late reply."""

    async def reply_late(turn: TurnContext) -> None:
        await comes_true(lambda: bool(app.conversation.activities))
        await echo(turn)

    await app.deliver(MESSAGE, reply_late)
    assert [each["type"] for each in app.conversation.activities] == ["typing", "message"]
