"""Failing turns of an activity full of markers: no marker is logged, or stored with the failure."""

import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.schema import Activity, Attachment

from auth.settings import INLINE, QUEUED
from cloud_adapter.codec import write_value
from cloud_adapter.queued.drain import MAX_ATTEMPTS
from cloud_adapter.queued.inbox import FAILED
from cloud_adapter.queued.queued_turns import POISON_QUEUE, QUEUE
from cloud_adapter.queued.set_aside import CONTAINER, SetAsideActivities
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.set_aside_turns import retry_of
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.received_message import received

MARKER = re.compile("zebra[0-9]", re.IGNORECASE)
OWN = "the order has no table"

OnTurn = Callable[[TurnContext], Awaitable[None]]


def marked() -> dict[str, Any]:
    """An activity with a different marker in every property that is not part of its address."""
    numbers = iter(range(1000))

    def mark() -> str:
        return f"Zebra{next(numbers)}"

    return {
        "type": "message",
        "text": f'{mark()} it\'s\n"{mark()}" \\{mark()} caf\u00e9{mark()}',
        "from": {"id": mark(), "name": mark(), "aadObjectId": mark(), mark(): mark()},
        "summary": mark(),
        "locale": mark(),
        "name": mark(),
        "label": mark(),
        "valueType": mark(),
        "topicName": mark(),
        "localTimezone": mark(),
        "replyToId": mark(),
        "code": mark(),
        "value": {mark(): [mark(), {mark(): mark()}], "deep": [[[mark()]]]},
        "channelData": {mark(): {"x": mark()}, "list": [mark()]},
        "entities": [{"type": mark(), "text": mark(), mark(): {mark(): mark()}}],
        "attachments": [
            {"contentType": mark(), "name": f"{mark()}.pdf", "content": {mark(): mark()}},
            {"contentType": mark(), "contentUrl": f"https://x.example/{mark()}?q={mark()}"},
        ],
        "suggestedActions": {"to": [mark()], "actions": [{"title": mark(), "value": mark()}]},
        "membersAdded": [{"id": mark(), "name": mark()}],
        "reactionsAdded": [{"type": mark()}],
        "relatesTo": {"user": {"name": mark()}, "conversation": {"id": mark()}},
        mark(): {mark(): mark()},
    }


def quoting(form: Callable[[Any], str]) -> OnTurn:
    """A bot that puts all of the activity into its error."""

    async def fail(turn: TurnContext) -> None:
        raise ValueError(f"{OWN}: {form(write_value(turn.activity))}")

    return fail


async def a_chain(turn: TurnContext) -> None:
    """Several kinds of errors, each of which quotes a part of the activity."""
    data = write_value(turn.activity)
    try:
        try:
            {}[data["text"]]
        except KeyError as error:
            error.add_note(f"while reading {data['attachments']}")
            int(data["from"]["name"])
    except ValueError as error:
        raise ExceptionGroup(OWN, [error, UnicodeError(ascii(data["value"]))]) from error


async def unsendable(turn: TurnContext) -> None:
    """A reply that has no JSON form."""
    content = {turn.activity.text: {"x": [turn.activity.value, object()]}}
    await turn.send_activity(Activity(attachments=[Attachment(content=content)]))


async def not_a_number(turn: TurnContext) -> None:
    """A reply with a number that JSON has no form for."""
    await turn.send_activity(Activity(value={turn.activity.text: float("nan")}))


async def unknown_member(turn: TurnContext) -> None:
    """A call whose URL contains the user's id, and that the service refuses."""
    client = turn.turn_state["ConnectorClient"]
    await client.conversations.get_conversation_member(
        turn.activity.conversation.id, turn.activity.from_property.id
    )


class Forgetful:
    """A bot whose state cannot be saved.

    Args:
        app: the app whose state it uses.
    """

    def __init__(self, app: ComposedApp) -> None:
        self._property = app.parts.services.conversation_state.create_property("words")

    async def __call__(self, turn: TurnContext) -> None:
        """Store an object that has no JSON form under a key that the user sent."""
        await self._property.set(turn, {turn.activity.text: {turn.activity.name: object()}})


BOTS: dict[str, tuple[OnTurn, str]] = {
    "str": (quoting(str), OWN),
    "repr of a text": (quoting(lambda data: repr(str(data))), OWN),
    "ascii": (quoting(ascii), OWN),
    "JSON": (quoting(json.dumps), OWN),
    "JSON within JSON": (quoting(lambda data: json.dumps(json.dumps(data))), OWN),
    "URL": (quoting(lambda data: quote(str(data))), OWN),
    "lower case": (quoting(lambda data: str(data).lower()), OWN),
    "bytes": (quoting(lambda data: repr(str(data).encode())), OWN),
    "again and again": (quoting(lambda data: str([data] * 50)), OWN),
    "a chain": (a_chain, OWN),
    "an unsendable reply": (unsendable, "Attachment.content: object has no JSON form"),
    "NaN": (not_a_number, "not JSON compliant"),
    "a member": (unknown_member, "answered 404"),
}


@pytest.fixture
def app_settings(storage: str, request: pytest.FixtureRequest) -> Mapping[str, str]:
    """Storage, and turns that are Inline, or as the test says."""
    return {"AzureWebJobsStorage": storage, "BotTurns": getattr(request, "param", INLINE)}


async def fails(app: ComposedApp, bot: OnTurn, caplog: pytest.LogCaptureFixture) -> str:
    """Run a turn that fails; returns the log, which has no marker at any level."""
    caplog.set_level(logging.DEBUG)
    await app.deliver(marked(), bot)
    assert not MARKER.findall(caplog.text)
    return caplog.text


@pytest.mark.parametrize("name", BOTS)
async def test_inline(app: ComposedApp, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """The log has the error's own words, and none of the user's."""
    bot, own = BOTS[name]
    assert own in await fails(app, bot, caplog)


async def test_state(app: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """If state cannot be saved, the log names the property, but no key in it."""
    assert "state.words{}{} is a object" in await fails(app, Forgetful(app), caplog)


async def test_an_answer(app: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """An invoke response with an invalid status."""
    caplog.set_level(logging.DEBUG)

    async def bot(turn: TurnContext) -> None:
        value = InvokeResponse(status=turn.activity.text, body={})
        await turn.send_activity(Activity(type="invokeResponse", value=value))

    response = await app.deliver({**marked(), "type": "invoke"}, bot)
    assert response.status == 200
    assert "invalid literal for int()" in caplog.text
    assert not MARKER.findall(caplog.text)


@pytest.mark.parametrize("status", [400, 413, 500])
async def test_a_connector_that_refuses(
    app: ComposedApp, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """Neither the reply nor the apology can be sent."""

    async def echo(turn: TurnContext) -> None:
        await turn.send_activity(turn.activity.text)

    app.cloud.connector.server.faults.set(status=status)
    try:
        logged = await fails(app, echo, caplog)
    finally:
        app.cloud.connector.server.faults.clear()
    assert logged.count(f"answered {status}") >= 2


@pytest.mark.parametrize("app_settings", [QUEUED], indirect=True)
@pytest.mark.parametrize("name", BOTS)
async def test_queued(
    app: ComposedApp, name: str, caplog: pytest.LogCaptureFixture, storage: str
) -> None:
    """The same holds for queued turns, for the log and for the stored failure."""
    bot, own = BOTS[name]
    assert (await app.deliver(marked(), bot)).status == 202
    adapter, account = app.parts.adapter, app.parts.account
    assert account
    [wake_up] = await QueueMessages(storage, QUEUE).taken()
    caplog.set_level(logging.DEBUG)
    await adapter.process_wake_up(received(wake_up), _Bot(bot))
    for _ in range(1, MAX_ATTEMPTS):
        await adapter.process_wake_up(received(retry_of(wake_up)), _Bot(bot))
    assert caplog.text.count("failed\n") == MAX_ATTEMPTS
    assert own in caplog.text
    assert not MARKER.findall(caplog.text)
    blobs = BlobContainer(account, CONTAINER)
    set_aside = SetAsideActivities(blobs, MessageQueue(account, POISON_QUEUE))
    stored = await set_aside.find(WakeUp.parse(retry_of(wake_up)).name)
    assert stored
    assert stored.state == FAILED
    delivery = stored.parse()
    assert own in delivery.failure
    assert not MARKER.findall(delivery.failure)
    assert MARKER.search(delivery.activity.text), "the stored activity is not redacted"


class _Bot:
    """A bot whose turns are one function.

    Args:
        on_turn: the function.
    """

    def __init__(self, on_turn: OnTurn) -> None:
        self.on_turn = on_turn
