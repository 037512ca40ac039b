"""The activity key: each activity is processed once, however often it is delivered."""

import asyncio
import hashlib
import itertools
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import Activity

from cloud_adapter.activities import activity_key
from cloud_adapter.codec import read_model
from cloud_adapter.queued.queued_turns import QUEUE
from cloud_adapter.state.turn import ConversationTurn
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.remembering_bot import RememberingBot, counts
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.received_message import received

AT, LATER, LAST = (f"2026-11-25T10:00:0{second}.1234567Z" for second in range(3))
ADA, GRACE = {"id": "29:ada"}, {"id": "29:grace"}
LIKE = [{"type": "like"}]

MESSAGE = {"type": "message", "id": "m1", "text": "hello", "from": ADA, "timestamp": AT}
EDIT = {**MESSAGE, "type": "messageUpdate", "text": "hallo", "timestamp": LATER}
DELETION = {**EDIT, "type": "messageDelete", "text": None}
REACTION = {**EDIT, "type": "messageReaction", "text": None, "reactionsAdded": LIKE}
REACTION_GONE = {**REACTION, "reactionsAdded": None, "reactionsRemoved": LIKE, "timestamp": LAST}
JOINED = {**EDIT, "type": "conversationUpdate", "text": None, "membersAdded": [ADA]}
INSTALLED = {**EDIT, "type": "installationUpdate", "text": None, "action": "add"}
EVENT = {**EDIT, "type": "event", "text": None, "name": "tokens/response", "value": {"a": 1}}

DIFFERENT: dict[str, list[dict[str, Any]]] = {
    "a message, its edit, its deletion, a reaction": [MESSAGE, EDIT, DELETION, REACTION],
    "two edits": [EDIT, {**EDIT, "text": "hi", "timestamp": LAST}],
    "the same edit, again later": [EDIT, {**EDIT, "timestamp": LAST}],
    "two edits without timestamps": [
        {**EDIT, "timestamp": None},
        {**EDIT, "timestamp": None, "text": "hi"},
    ],
    "edits of two messages": [EDIT, {**EDIT, "id": "m2"}],
    "a reaction, removed and added again": [
        REACTION,
        REACTION_GONE,
        {**REACTION, "timestamp": "2026-11-25T10:00:09Z"},
    ],
    "two users' reactions": [REACTION, {**REACTION, "from": GRACE}],
    "two reactions at once": [REACTION, {**REACTION, "reactionsAdded": [{"type": "heart"}]}],
    "two reactions removed at once": [
        REACTION_GONE,
        {**REACTION_GONE, "reactionsRemoved": [{"type": "heart"}]},
    ],
    "two who join at once": [JOINED, {**JOINED, "membersAdded": [GRACE]}],
    "two who leave at once": [{**JOINED, "membersRemoved": [each]} for each in (ADA, GRACE)],
    "one who joins and leaves": [JOINED, {**JOINED, "membersAdded": None, "membersRemoved": [ADA]}],
    "installed and removed": [INSTALLED, {**INSTALLED, "action": "remove"}],
    "two events": [EVENT, {**EVENT, "value": {"a": 2}}, {**EVENT, "name": "other"}],
    "two unknown types": [{**EDIT, "type": "x"}, {**EDIT, "type": "y"}],
    "edits of an attachment": [
        {**EDIT, "attachments": [{"contentType": "text/html", "content": each}]} for each in "ab"
    ],
}
"""Different activities; those of a list may share an id."""


def read(content: dict[str, Any], **more: Any) -> Any:
    """An activity as the codec reads it."""
    address = {"channelId": "msteams", "serviceUrl": "https://x/", "conversation": {"id": "c"}}
    return read_model(Activity, {**address, **content, **more})


@pytest.mark.parametrize("name", DIFFERENT)
def test_different_activities(name: str) -> None:
    """Each has its own key."""
    found = [activity_key(read(each)) for each in DIFFERENT[name]]
    assert all(found)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("content", [EDIT, DELETION, REACTION, JOINED, INSTALLED, EVENT])
def test_the_same_activity(content: dict[str, Any]) -> None:
    """A second delivery has the same key, even if its service URL or channelData differ."""
    again = read(content, serviceUrl="https://y/", channelData={"retry": 1}, callerId="x")
    assert activity_key(read(content)) == activity_key(again)


def test_the_key_of_a_message_is_its_id() -> None:
    """It stays the plain id, so what running deployments have stored stays valid."""
    assert activity_key(read(MESSAGE)) == "m1"
    assert activity_key(read(MESSAGE, timestamp=LAST, text="x")) == "m1"
    turn = ConversationTurn(SimpleNamespace(), turn_of(read(MESSAGE)))  # type: ignore[arg-type]
    assert turn.id == hashlib.sha256(b"msteams|c|m1").hexdigest()[:16]


@pytest.mark.parametrize(
    "content",
    [
        {"type": "invoke"},
        {"deliveryMode": "expectReplies"},
        {"type": "event", "name": "ContinueConversation"},
        {"type": "event", "name": "CreateConversation"},
        {"id": None},
        {"id": ""},
        {"id": None, "type": "messageUpdate"},
    ],
)
def test_no_key(content: dict[str, Any]) -> None:
    """Each delivery needs its own answer, the adapter made the activity, or it has no id."""
    assert activity_key(read(MESSAGE, **content)) == ""


@pytest.mark.parametrize("value", ["\ud83d", 1e999, {"a": [None, True, 10**300]}, [[]] * 50])
def test_any_content(value: Any) -> None:
    """Every JSON value can be part of a key."""
    event = read(EVENT, value=value, **{"from": None})
    assert activity_key(event) == activity_key(event) != activity_key(read(EVENT))


def turn_of(activity: Any) -> TurnContext:
    """A turn's context, with what ConversationTurn uses."""
    context: Any = SimpleNamespace(activity=activity, turn_state={})
    found: TurnContext = context
    return found


def test_the_key_of_a_turn_does_not_change() -> None:
    """The bot may change the activity, as the SDK does when it removes a mention."""
    activity = read(EDIT)
    turn = ConversationTurn(SimpleNamespace(), turn_of(activity))  # type: ignore[arg-type]
    before = turn.id
    activity.text = "changed"
    assert turn.id == before != ""


@pytest.fixture(params=["memory", "blobs", "queued"])
def app_settings(request: pytest.FixtureRequest, storage: str) -> Mapping[str, str]:
    """Each of the app's ways to recognize a second delivery."""
    stored = {"AzureWebJobsStorage": storage}
    ways = {"memory": {}, "blobs": stored, "queued": {**stored, "BotTurns": "Queued"}}
    return ways[request.param]


async def delivered(
    app: ComposedApp, bot: RememberingBot, storage: str, contents: list[dict[str, Any]]
) -> set[int]:
    """Deliver activities, and run the queued turns; returns the answers' statuses."""
    statuses = {(await app.deliver(content, bot)).status for content in contents}
    for message in await QueueMessages(storage, QUEUE).taken():
        wake_up = app.parts.adapter.process_wake_up(received(message), SimpleNamespace(on_turn=bot))
        await asyncio.create_task(wake_up)
    return statuses


@pytest.mark.parametrize(
    "name",
    [
        "a message, its edit, its deletion, a reaction",
        "two edits without timestamps",
        "a reaction, removed and added again",
        "two users' reactions",
    ],
)
async def test_each_activity_is_processed_once(app: ComposedApp, storage: str, name: str) -> None:
    """Each activity is counted, and counted once when all of them are delivered again."""
    bot, contents = RememberingBot(app.parts), DIFFERENT[name]
    for _ in range(2):
        assert await delivered(app, bot, storage, contents) <= {200, 202}
        assert (await counts(app))[0] == len(contents)


async def test_all_in_one_conversation(app: ComposedApp, storage: str) -> None:
    """As many turns are counted as there are different activities."""
    bot = RememberingBot(app.parts)
    contents = list(itertools.chain(*DIFFERENT.values()))
    different = {activity_key(read(each)) for each in contents}
    await delivered(app, bot, storage, contents)
    assert (await counts(app))[0] == len(different)
