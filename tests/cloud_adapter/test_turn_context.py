"""TurnContext: what a bot sends is copied and sent as by botbuilder."""

import copy
import datetime
import decimal
import json
import traceback
from types import SimpleNamespace
from typing import Any

import pytest
from botbuilder.core import CardFactory, MessageFactory
from botbuilder.core import TurnContext as TurnContextBase
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    CardAction,
    DeliveryModes,
    Entity,
    HeroCard,
    Mention,
    SuggestedActions,
)
from botbuilder.schema.teams import NotificationInfo, TeamsChannelData
from hypothesis import given, settings
from msrest.serialization import Model

from cloud_adapter import turn_context
from cloud_adapter.codec import read_model
from cloud_adapter.turn_context import TurnContext, independent_copy
from tests.cloud_adapter.test_conversation_reference import REPLIED_TO
from tests.support.bots.composed_app import ComposedApp
from tests.support.model_json import ANYTHING, MODELS, RANDOM, UNREADABLE, full_json, model_json


class Marked(Activity):  # type: ignore[misc]  # untyped SDK base
    """An activity of a bot's own that defines how it is copied."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "Marked":
        return Marked(text=f"copy of {self.text}")


class Holder:
    """Anything else that a bot may put into an activity."""

    def __init__(self, held: Any) -> None:
        self.held = held

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Holder) and self.held == other.held

    __hash__ = None  # type: ignore[assignment]  # it can change


MESSAGE = {"type": "message", "text": "sesame"}

SENT_AT = datetime.datetime(2026, 1, 1, 10, tzinfo=datetime.UTC)

SENT: list[Any] = [
    Activity(type=ActivityTypes.message, text="hello", input_hint="expectingInput"),
    Activity(timestamp=SENT_AT, value=SENT_AT.date(), channel_data=datetime.timedelta(1)),
    MessageFactory.attachment(CardFactory.hero_card(HeroCard(buttons=[CardAction(value={})]))),
    Activity(suggested_actions=SuggestedActions(actions=[CardAction(title="Yes"), None])),
    Activity(entities=[Mention(text="x"), Entity(type="place"), {"type": "mention"}]),
    Activity(channel_data=TeamsChannelData(notification=NotificationInfo(alert=True))),
    Activity(value=([1], {2}, bytearray(b"3"), decimal.Decimal(4), Holder([5]))),
    Activity(value={("a", 1): {"b": [None, True, 1.5, b"c"]}}),
    Marked(text="x"),
]


def shape(value: Any) -> Any:
    """A value's class and content, for comparison."""
    if isinstance(value, dict):
        return type(value), [(shape(key), shape(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [shape(item) for item in value]
    if isinstance(value, Model | Holder):
        return type(value), shape(vars(value))
    return type(value), value


def mutable(value: Any) -> set[int]:
    """The ids of all mutable objects in a value."""
    if isinstance(value, dict):
        return {id(value)}.union(*map(mutable, [*value, *value.values()]))
    if isinstance(value, list):
        return {id(value)}.union(*map(mutable, value))
    if isinstance(value, tuple):
        return set().union(*map(mutable, value))
    if isinstance(value, Model | Holder):
        return {id(value)} | mutable(vars(value))
    return {id(value)} if isinstance(value, set | bytearray) else set()


def check_copy(sent: Any) -> None:
    """Check that a copy equals deepcopy's, and shares nothing mutable with the original."""
    copied = independent_copy(sent)
    assert shape(copied) == shape(copy.deepcopy(sent))
    assert not mutable(copied) & mutable(sent)


@pytest.mark.parametrize("sent", SENT)
def test_a_copy_is_what_deepcopy_makes(sent: Any) -> None:
    """Whatever bots put into an activity."""
    check_copy(sent)


@pytest.mark.parametrize("model", [model for model in MODELS if model not in UNREADABLE])
def test_a_copy_of_each_model_is_what_deepcopy_makes(model: Any) -> None:
    """Every class of the SDK, with all its properties."""
    check_copy(read_model(model, full_json(model)))


@settings(RANDOM, max_examples=300)
@given(model_json(Activity), ANYTHING)
def test_a_copy_of_any_activity_is_what_deepcopy_makes(data: dict[str, Any], more: Any) -> None:
    """Random activities, with random JSON in them."""
    check_copy(read_model(Activity, {**data, "value": more, "later": more}))


def test_a_copy_of_what_contains_itself() -> None:
    """It is copied as by deepcopy, although it could never be sent."""
    value: list[Any] = []
    value.append({"inner": value})
    copied = independent_copy(Activity(value=value))
    assert copied.value is not value
    assert copied.value[0]["inner"] is copied.value


async def echo_twice(turn: Any) -> None:
    """Send the same activity two times."""
    reply = MessageFactory.attachment(CardFactory.adaptive_card({"body": []}), text="x")
    before = shape(reply)
    await turn.send_activities([reply, reply])
    assert shape(reply) == before
    assert turn.responded


@pytest.mark.parametrize(("kind", "channel", "is_replied_to"), REPLIED_TO)
async def test_where_a_reply_goes(
    app: ComposedApp, kind: str, channel: str, is_replied_to: bool
) -> None:
    """To the activity, in the URL and as `replyToId`, or else to the end of the conversation."""
    await app.deliver({"type": kind, "id": "a1", "channelId": channel}, echo_twice)
    call = app.cloud.connector.calls[-1]
    below = "activities/a1" if is_replied_to else "activities"
    assert call.path == f"/v3/conversations/{app.conversation.id}/{below}"
    assert call.activity is not None
    assert call.activity.get("replyToId") == ("a1" if is_replied_to else None)


@pytest.mark.parametrize(("own", "sent"), [(None, "fr-FR"), ("de-CH", "de-CH")])
async def test_the_locale_of_what_is_sent(app: ComposedApp, own: str | None, sent: str) -> None:
    """An activity keeps its own, also when it is updated; a missing one is the incoming one's."""

    async def bot(turn: Any) -> None:
        first = await turn.send_activity(Activity(type="message", text="first", locale=own))
        await turn.update_activity(Activity(type="message", text="second", locale=own, id=first.id))

    before = len(app.cloud.connector.calls)
    await app.deliver({**MESSAGE, "locale": "fr-FR"}, bot)
    calls = app.cloud.connector.calls[before:]
    assert [call.method for call in calls] == ["POST", "PUT"]
    assert [call.activity and call.activity["locale"] for call in calls] == [sent, sent]


@pytest.mark.parametrize("mode", [None, DeliveryModes.expect_replies])
async def test_the_bot_s_own_activity_does_not_change(app: ComposedApp, mode: Any) -> None:
    """It may be sent again, and what the channel gets is addressed."""
    response = await app.deliver({**MESSAGE, "deliveryMode": mode}, echo_twice)
    replies = json.loads(response.body)["activities"] if mode else app.conversation.activities
    assert response.status == 200
    assert [reply["text"] for reply in replies] == ["x", "x"]
    assert {reply["recipient"]["id"] for reply in replies} == {"user-1"}
    assert {reply["inputHint"] for reply in replies} == {"acceptingInput"}


async def test_few_frames(app: ComposedApp) -> None:
    """From `send_activities`, within the typing indicator, nothing else leads to the connector."""
    frames: list[str] = []

    async def reply(*_: Any) -> None:
        stack = traceback.extract_stack()
        frames.extend(each.name for each in stack if each.filename == turn_context.__file__)

    async def bot(turn: Any) -> None:
        client = SimpleNamespace(conversations=SimpleNamespace(reply_to_activity=reply))
        turn.turn_state[turn.adapter.BOT_CONNECTOR_CLIENT_KEY] = client
        await turn.send_activity("hello")

    await app.deliver({**MESSAGE, "channelId": "msteams"}, bot)
    assert frames == ["on_turn", "send_activities"]


async def test_a_later_change_is_not_sent(app: ComposedApp) -> None:
    """Buffered replies are as they were when the bot sent them."""

    async def bot(turn: Any) -> None:
        card: dict[str, Any] = {"body": []}
        reply = MessageFactory.attachment(CardFactory.adaptive_card(card))
        await turn.send_activity(reply)
        card["body"].append("late")
        reply.text = "late"

    response = await app.deliver({**MESSAGE, "deliveryMode": "expectReplies"}, bot)
    assert b"body" in response.body
    assert b"late" not in response.body


async def sent_by(context: Any, activities: list[Any], *, handled: bool) -> Any:
    """What a handler sees, and what the bot and the channel get, of activities that are sent."""
    seen: list[Any] = []

    async def handle(turn: Any, outgoing: list[Any], send: Any) -> None:
        assert turn is context
        seen.extend(shape(activity) for activity in outgoing)
        outgoing[0].text = "changed"
        for activity in outgoing:
            if activity.type == ActivityTypes.message:
                activity.type = ActivityTypes.trace  # `responded` was decided before
        await send()

    if handled:
        context.on_send_activities(handle)
    answers = await context.send_activities(activities)
    buffered = shape(context.buffered_reply_activities)
    return seen, shape(answers), buffered, context.responded, context.turn_state.keys()


@pytest.mark.parametrize("handled", [True, False])
@pytest.mark.parametrize(
    "sent", [*SENT, Activity(type="trace"), Activity(type="invokeResponse", value={"status": 200})]
)
@pytest.mark.parametrize(
    ("incoming", "channel"),
    [
        ("message", "msteams"),
        ("message", "directline"),
        ("message", "webchat"),
        ("conversationUpdate", "msteams"),
        ("conversationUpdate", "webchat"),
    ],
)
async def test_a_turn_is_botbuilder_s(
    app: ComposedApp, sent: Any, incoming: str, channel: str, handled: bool
) -> None:
    """Handlers, answers, buffered replies, `responded` and the turn's state are the base's."""
    outcomes: list[Any] = []

    async def bot(turn: Any) -> None:
        for kind in (TurnContext, TurnContextBase):
            context = kind(turn.adapter, turn.activity)
            outcomes.append(await sent_by(context, [sent, copy.deepcopy(sent)], handled=handled))

    content = {"type": incoming, "id": "a1", "channelId": channel, "locale": "de"}
    await app.deliver({**content, "deliveryMode": "expectReplies"}, bot)
    mine, theirs = outcomes
    assert mine == theirs


@pytest.mark.parametrize("last", [3, 2, 1])
async def test_several_handlers(app: ComposedApp, last: int) -> None:
    """They run in botbuilder's order, also if one does not call the next."""
    outcomes: list[list[str]] = []

    def handler(number: int, events: list[str]) -> Any:
        async def handle(_: Any, activities: list[Any], send: Any) -> None:
            events.append(f"{number} gets {activities[0].text}")
            activities[0].text += str(number)
            if number < last:
                await send()
            events.append(f"{number} ends")

        return handle

    async def bot(turn: Any) -> None:
        for kind in (TurnContext, TurnContextBase):
            events: list[str] = []
            context = kind(turn.adapter, turn.activity)
            for number in (1, 2, 3):
                context.on_send_activities(handler(number, events))
            context.turn_state.update(turn.turn_state)
            await context.send_activity("x")
            outcomes.append(events)

    await app.deliver(MESSAGE, bot)
    mine, theirs = outcomes
    assert mine == theirs
    assert len(mine) == 2 * last
    assert len(set(app.texts())) == 1


async def test_a_changed_reply_does_not_change_the_incoming_activity(app: ComposedApp) -> None:
    """A handler may change the accounts of a reply; those of the incoming activity stay."""

    async def handle(_: Any, outgoing: list[Any], send: Any) -> None:
        for account in (outgoing[0].conversation, outgoing[0].from_property, outgoing[0].recipient):
            account.name = "changed"
        await send()

    async def bot(turn: Any) -> None:
        before = shape(turn.activity)
        turn.on_send_activities(handle)
        await turn.send_activity("hello")
        assert shape(turn.activity) == before

    await app.deliver(MESSAGE, bot)
    assert app.texts() == ["hello"]


async def test_nothing_to_send_is_refused_as_by_botbuilder(app: ComposedApp) -> None:
    """An empty list, and None in place of an activity."""

    async def bot(turn: Any) -> None:
        with pytest.raises(TypeError, match="list was empty"):
            await turn.send_activities([])
        with pytest.raises(AttributeError):
            await turn.send_activities([None])
        await turn.send_activity("done")

    await app.deliver(MESSAGE, bot)
    assert app.texts() == ["done"]


@pytest.mark.parametrize("kind", [TurnContext, TurnContextBase])
async def test_a_context_made_from_the_turn_s(app: ComposedApp, kind: Any) -> None:
    """Bots and dialogs may create one, of either class."""

    async def bot(turn: Any) -> None:
        assert type(turn) is TurnContext
        inner = kind(turn)
        inner.turn_state.update(turn.turn_state)
        await inner.send_activity("inner")
        assert (inner.activity, inner.adapter) == (turn.activity, turn.adapter)

    await app.deliver(MESSAGE, bot)
    assert app.texts() == ["inner"]
