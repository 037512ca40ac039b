"""The SDK's middlewares, unmodified: in whole turns of the composed app."""

import asyncio
import gc
import json
import weakref
from typing import Any

import pytest
from botbuilder.core import (
    AutoSaveStateMiddleware,
    BotTelemetryClient,
    MemoryTranscriptStore,
    Middleware,
    NullTelemetryClient,
    RegisterClassMiddleware,
    TelemetryLoggerMiddleware,
    TranscriptLoggerMiddleware,
    TurnContext,
)
from botbuilder.core.inspection import InspectionMiddleware, InspectionState
from botbuilder.schema import Activity

from bot_workbench.emulator.channel.conversations import Conversation
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.composed_app import USER, ComposedApp
from tests.support.logic import EXPECT_REPLIES, MESSAGE, echo


class RecordingClient(NullTelemetryClient):  # type: ignore[misc]  # untyped SDK base
    """Application Insights' client, as far as the middleware uses it."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, str]]] = []

    def track_event(self, name: str, properties: Any = None, measurements: Any = None) -> None:
        self.events.append((name, properties))


async def changing(turn: TurnContext) -> None:
    """A bot that sends, updates and deletes."""
    sent = await turn.send_activity(f"You said: {turn.activity.text}")
    await turn.update_activity(Activity(type="message", id=sent.id, text="updated"))
    await turn.delete_activity(sent.id)


async def test_a_transcript(app: ComposedApp) -> None:
    """It has what the user and the bot sent, each with an id, and changes of it."""
    store = MemoryTranscriptStore()
    app.parts.services.use(TranscriptLoggerMiddleware(store))
    await app.deliver({**MESSAGE, "id": "a1"}, changing)
    page = await store.get_transcript_activities("webchat", app.conversation.id)
    kinds = [(each.type, each.text, each.from_property.role) for each in page.items]
    assert kinds == [
        ("message", "sesame", "user"),
        ("message", "You said: sesame", "bot"),
        ("messageUpdate", "updated", "bot"),
        ("messageDelete", None, "bot"),
    ]
    assert page.items[0].id == "a1"
    assert all(each.id for each in page.items)


async def test_a_transcript_of_expected_replies(app: ComposedApp) -> None:
    """It has the replies, which are in the response, too."""
    store = MemoryTranscriptStore()
    app.parts.services.use(TranscriptLoggerMiddleware(store))
    response = await app.deliver(EXPECT_REPLIES, echo)
    page = await store.get_transcript_activities("webchat", app.conversation.id)
    assert [each.text for each in page.items] == ["sesame", "You said: sesame"]
    (reply,) = json.loads(response.body)["activities"]
    assert reply["text"] == "You said: sesame"


@pytest.mark.parametrize("personal", [True, False])
async def test_telemetry(app: ComposedApp, personal: bool) -> None:
    """The client gets an event for each activity, with texts only if they may be logged."""
    client = RecordingClient()
    app.parts.services.use(TelemetryLoggerMiddleware(client, personal))
    await app.deliver({**MESSAGE, "channelId": "msteams", "channelData": {}}, changing)
    assert [name for name, _ in client.events] == [
        "BotMessageReceived",
        "BotMessageSend",
        "BotMessageUpdate",
        "BotMessageDelete",
    ]
    assert client.events[0][1].get("text") == ("sesame" if personal else None)
    assert client.events[1][1].get("text") == ("You said: sesame" if personal else None)


async def test_a_registered_object(app: ComposedApp) -> None:
    """The bot finds it in the turn's state."""
    client = RecordingClient()
    app.parts.services.use(RegisterClassMiddleware(client, BotTelemetryClient.__name__))
    found: list[Any] = []

    async def bot(turn: TurnContext) -> None:
        found.append(turn.turn_state[BotTelemetryClient.__name__])

    await app.deliver(MESSAGE, bot)
    assert found == [client]


async def test_saving_state_twice(app: ComposedApp) -> None:
    """The SDK's own middleware for saving state changes nothing: state is saved once."""
    services = app.parts.services
    states = [services.conversation_state, services.user_state]
    services.use(AutoSaveStateMiddleware(states))
    counter = services.conversation_state.create_property("n")

    async def bot(turn: TurnContext) -> None:
        await counter.set(turn, await counter.get(turn, lambda: 0) + 1)

    for _ in range(3):
        await app.deliver(MESSAGE, bot)
    key = f"webchat/conversations/{app.conversation.id}"
    stored = await services.storage.read([key])
    assert stored[key]["n"] == 3


class RemovesMention(Middleware):  # type: ignore[misc]  # untyped SDK base
    """A bot's own: changes the incoming text before the bot sees it, and each reply."""

    async def on_turn(self, context: TurnContext, logic: Any) -> None:
        async def shout(_: TurnContext, activities: list[Activity], send: Any) -> Any:
            for activity in activities:
                activity.text = activity.text.upper()
            return await send()

        context.activity.text = TurnContext.remove_recipient_mention(context.activity).strip()
        context.on_send_activities(shout)
        await logic()


async def test_a_bot_s_own(app: ComposedApp) -> None:
    """It changes what the bot gets and what it sends."""
    app.parts.services.use(RemovesMention())
    mention = {"type": "mention", "text": "<at>Bot</at>", "mentioned": app.account}
    content = {"text": "<at>Bot</at> sesame", "entities": [mention], "channelId": "msteams"}
    await app.deliver({**MESSAGE, **content}, echo)
    assert app.texts() == ["YOU SAID: SESAME"]


@pytest.fixture
def inspected(cloud: Cloud, app: ComposedApp) -> Conversation:
    """The conversation of somebody who inspects the bot, on the emulator's channel."""
    services = app.parts.services
    inspection = InspectionMiddleware(
        InspectionState(services.storage), services.user_state, services.conversation_state
    )
    inspection.credentials = services.credentials
    services.use(inspection)
    return cloud.conversations.create([USER, app.account])


async def test_inspection(app: ComposedApp, inspected: Conversation) -> None:
    """After `open` and `attach`, one conversation gets the other's activities and state."""
    counter = app.parts.services.conversation_state.create_property("n")

    async def bot(turn: TurnContext) -> None:
        await counter.set(turn, 7)
        await echo(turn)

    place = {"channelId": "emulator", "conversation": {"id": inspected.id}}
    await app.deliver({**MESSAGE, **place, "text": "/INSPECT open"}, bot)
    (command,) = inspected.activities
    assert (command["type"], command["name"]) == ("trace", "Command")
    await app.deliver({**MESSAGE, "text": command["value"]}, bot)
    assert app.texts() == ["Attached to session, all traffic is being replicated for inspection."]
    await app.deliver(MESSAGE, bot)
    traces = {each["label"]: each["value"] for each in inspected.activities[1:]}
    assert traces["Received Activity"]["text"] == "sesame"
    assert traces["Sent Activity"]["text"] == "You said: sesame"
    assert traces["BotState"]["conversation_state"]["n"] == 7
    assert app.texts()[1:] == ["You said: sesame"]


async def test_credentials_have_no_password(app: ComposedApp) -> None:
    """Code that wants one fails when the bot is made, with the way out."""
    services = app.parts.services
    with pytest.raises(
        AttributeError, match="assign them to its attribute `credentials` afterwards"
    ):
        InspectionMiddleware(InspectionState(services.storage), credentials=services.credentials)


async def test_nothing_is_left(app: ComposedApp) -> None:
    """After a turn with all of them, no task runs, and no reference cycle keeps the turn."""
    services = app.parts.services
    services.use(
        TranscriptLoggerMiddleware(MemoryTranscriptStore()),
        TelemetryLoggerMiddleware(RecordingClient(), True),
        RegisterClassMiddleware(RecordingClient()),
        AutoSaveStateMiddleware([services.conversation_state]),
        RemovesMention(),
    )
    turns: list[weakref.ref[TurnContext]] = []

    async def bot(turn: TurnContext) -> None:
        turns.append(weakref.ref(turn))
        await changing(turn)

    await app.deliver(MESSAGE, bot)
    gc.collect()
    gc.disable()
    try:
        before = asyncio.all_tasks()
        for _ in range(3):
            await app.deliver(MESSAGE, bot)
        assert asyncio.all_tasks() == before
        assert [turn() for turn in turns[1:]] == [None] * 3
    finally:
        gc.enable()
