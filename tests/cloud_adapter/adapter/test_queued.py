"""CloudAdapter: turns that run from the queue."""

import asyncio
import contextlib
import json
import logging
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import Activity

from auth.errors import BadRequest, TokenRejected, Unavailable
from cloud_adapter.adapter import APOLOGY, TurnRequest
from cloud_adapter.codec import read_model
from cloud_adapter.errors import StorageUnavailable, TurnRepeated
from cloud_adapter.queued.drain import MAX_ATTEMPTS, MIN_CUT_OFFS
from cloud_adapter.queued.wake_up import WakeUp
from tests.support.bots.composed_app import ComposedApp, Logic
from tests.support.bots.remembering_bot import RememberingBot, counts
from tests.support.bots.set_aside_turns import retry_of
from tests.support.logic import (
    EXPECT_REPLIES,
    INVOKE,
    MESSAGE,
    answering,
    echo,
    raising,
    woken,
)
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront, answered


async def run(app: ComposedApp, bot: Logic, *, last: bool = False, **content: Any) -> None:
    """The turn of a queued message."""
    activity = read_model(Activity, app.activity({**MESSAGE, **content}))
    adapter = app.parts.adapter
    claims = {"aud": app.cloud.registration.app_id}
    caller = adapter.bot_framework_authentication.authorized_before(claims)
    on_error = adapter.handle_last_error if last else adapter.handle_error
    await adapter.run(caller, activity, bot, on_error, is_last_attempt=last)


async def test_a_queued_message(queued: ComposedApp, wake_ups: QueueMessages) -> None:
    """The response is 202 once the message is stored; the later turn is an ordinary one."""
    found: list[Any] = []

    async def look(turn: TurnContext) -> None:
        found.append((turn.activity.caller_id, turn.turn_state[turn.adapter.BOT_IDENTITY_KEY]))
        await echo(turn)

    for _ in range(2):
        response = await queued.deliver({**MESSAGE, "id": "a1"}, look)
        assert (response.status, response.body) == (202, b"")
    assert (queued.texts(), found) == ([], [])
    for message in await wake_ups.taken():
        await woken(queued, message, look)
    assert queued.texts() == ["You said: sesame"]
    ((caller_id, identity),) = found
    assert caller_id == "urn:botframework:azure"
    assert identity.claims["aud"] == queued.cloud.registration.app_id
    assert identity.claims["serviceurl"] == queued.service_url


@pytest.mark.parametrize("content", [INVOKE, EXPECT_REPLIES])
async def test_activities_that_are_not_queued(
    queued: ComposedApp, wake_ups: QueueMessages, content: dict[str, Any]
) -> None:
    """Where the channel waits for the turn's result, the turn runs at once."""
    response = await queued.deliver(content, answering(200, {"word": "sesame"}))
    assert response.status == 200
    assert await wake_ups.count() == 0


async def test_refusals_come_before_the_queue(
    queued: ComposedApp, wake_ups: QueueMessages, front: StorageFront
) -> None:
    """A caller who is refused writes nothing into the storage account."""
    good = f"Bearer {queued.cloud.channel.token(queued.service_url)}"
    body = json.dumps(queued.activity(MESSAGE)).encode()
    for request, error in (
        (TurnRequest("application/json", "Bearer x", body), TokenRejected),
        (TurnRequest("application/json", "", body), TokenRejected),
        (TurnRequest("application/json", "", b"{}"), TokenRejected),
        (TurnRequest("application/json", good, b"{}"), BadRequest),
    ):
        with pytest.raises(error):
            await queued.parts.adapter.process(request, SimpleNamespace(on_turn=echo))
    assert front.calls == []
    assert await wake_ups.count() == 0


@pytest.mark.parametrize("place", ["PUT blob", "POST queue"])
async def test_a_message_that_cannot_be_stored(
    queued: ComposedApp, wake_ups: QueueMessages, front: StorageFront, place: str
) -> None:
    """The channel has to send it again, and when it does, there is one turn."""
    front.spoil(place, answered(503))
    with pytest.raises(StorageUnavailable):
        await queued.deliver({**MESSAGE, "id": "a1"}, echo)
    front.heal()
    assert (await queued.deliver({**MESSAGE, "id": "a1"}, echo)).status == 202
    for message in await wake_ups.taken():
        await woken(queued, message, echo)
    assert queued.texts() == ["You said: sesame"]


async def test_a_queued_turn_that_fails(
    queued: ComposedApp, wake_ups: QueueMessages, caplog: pytest.LogCaptureFixture
) -> None:
    """Each attempt is logged, the dead letter too; after the last the user gets the apology."""
    await queued.deliver(MESSAGE, echo)
    (message,) = await wake_ups.taken()
    bot = raising(ValueError("cannot parse sesame"))
    await woken(queued, message, bot)
    for _ in range(2, MAX_ATTEMPTS):
        await woken(queued, retry_of(message), bot)
    assert queued.texts() == []
    await woken(queued, retry_of(message), bot)
    assert queued.texts() == [APOLOGY]
    failures = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert len(failures) == MAX_ATTEMPTS + 1
    assert failures[-1].getMessage().endswith("is dead-lettered: ValueError")
    assert "sesame" not in caplog.text


async def test_a_turn_that_ended_the_process_each_time(
    queued: ComposedApp, wake_ups: QueueMessages, caplog: pytest.LogCaptureFixture
) -> None:
    """After five runs during which the process died, the user gets the apology without the bot."""

    async def fail(_: TurnContext) -> None:
        raise LookupError

    async def die(_: TurnContext) -> None:
        task = asyncio.current_task()
        assert task
        task.cancel()
        await asyncio.sleep(0)

    await queued.deliver(MESSAGE, echo)
    (message,) = await wake_ups.taken()
    await woken(queued, message, fail)
    again = retry_of(message)  # each of its runs is counted before it starts
    for attempt in range(1, MAX_ATTEMPTS):
        for _ in range(2 if attempt > MIN_CUT_OFFS else 1):
            with contextlib.suppress(asyncio.CancelledError):
                await woken(queued, again, die)
    for _ in range(2):
        await woken(queued, again, raising(AssertionError("the bot ran")))
    assert queued.texts() == [APOLOGY]
    assert "the process died in the last attempt" in caplog.text


async def test_a_queued_turn_that_is_run_again(
    queued: ComposedApp, wake_ups: QueueMessages
) -> None:
    """After an attempt that failed, the next one starts with the state as it was."""
    bot = RememberingBot(queued.parts)

    async def fail(_: TurnContext) -> None:
        bot.between = None
        raise LookupError

    bot.between = fail
    await queued.deliver(MESSAGE, bot)
    (message,) = await wake_ups.taken()
    await woken(queued, message, bot)
    await woken(queued, retry_of(message), bot)
    assert queued.texts() == ["1"]
    assert await counts(queued) == (1, 1)


async def test_a_bot_without_state(queued: ComposedApp, wake_ups: QueueMessages) -> None:
    """Its turns are recorded, too: an activity that is received again is not processed again."""
    for _ in range(2):
        await queued.deliver({**MESSAGE, "id": "a1"}, echo)
        for message in await wake_ups.taken():
            await woken(queued, message, echo)
    assert queued.texts() == ["You said: sesame"]


async def test_a_retry_of_a_bot_without_state(queued: ComposedApp, wake_ups: QueueMessages) -> None:
    """It is recorded, too."""
    await queued.deliver({**MESSAGE, "id": "a1"}, echo)
    (message,) = await wake_ups.taken()
    await woken(queued, message, raising(LookupError()))
    await woken(queued, retry_of(message), echo)
    await queued.deliver({**MESSAGE, "id": "a1"}, echo)
    for again in await wake_ups.taken():
        await woken(queued, again, echo)
    assert queued.texts() == ["You said: sesame"]


async def test_a_turn_whose_state_cannot_be_saved(
    queued: ComposedApp, wake_ups: QueueMessages, front: StorageFront
) -> None:
    """Its reply is sent, and it runs again; the state counts it once."""
    bot = RememberingBot(queued.parts)
    await queued.deliver(MESSAGE, bot)
    (message,) = await wake_ups.taken()
    front.spoil("PUT blob bot-state", answered(503))
    await woken(queued, message, bot)
    front.heal()
    await woken(queued, WakeUp.parse(message).next(1).text, bot)
    assert queued.texts() == ["1", "1"]
    assert await counts(queued) == (1, 1)


async def test_the_log_of_a_queued_turn(queued: ComposedApp, wake_ups: QueueMessages) -> None:
    """A turn runs in the task of an invocation, as the host drops lines that are logged outside."""
    invocation: ContextVar[str] = ContextVar("invocation", default="none")
    seen = []

    async def look(turn: TurnContext) -> None:
        seen.append((turn.activity.text, invocation.get()))
        if turn.activity.text == "first":
            invocation.set("changed by the turn")
            await asyncio.create_task(deliver("second"))

    async def deliver(text: str) -> None:
        invocation.set(f"that of {text}")
        await queued.deliver({**MESSAGE, "text": text}, look)

    await asyncio.create_task(deliver("first"))
    (message,) = await wake_ups.taken()
    invocation.set("that of the wake-up")
    await woken(queued, message, look)
    assert seen[0] == ("first", "that of the wake-up")
    assert seen[1][0] == "second"
    assert seen[1][1] != "that of second"


async def test_turns_of_a_busy_conversation(queued: ComposedApp, wake_ups: QueueMessages) -> None:
    """Many messages and all their wake-up messages at once: each counts once, in order."""
    bot = RememberingBot(queued.parts)
    await asyncio.gather(*(queued.deliver(MESSAGE, bot) for _ in range(12)))
    await asyncio.gather(*(woken(queued, message, bot) for message in await wake_ups.taken()))
    assert queued.texts() == [f"{number}" for number in range(1, 13)]
    assert await counts(queued) == (12, 12)


@pytest.mark.parametrize("last", [False, True])
async def test_a_turn_that_raises(app: ComposedApp, last: bool) -> None:
    """The caller of `run` gets the error; the user an apology after the last attempt."""
    error = LookupError("no table")
    with pytest.raises(LookupError) as caught:
        await run(app, raising(error), last=last)
    assert caught.value is error
    assert app.texts() == ([APOLOGY] if last else [])


@pytest.mark.parametrize("error", [Unavailable("later"), TurnRepeated("repeated")])
@pytest.mark.parametrize("last", [False, True])
async def test_errors_that_are_not_faults(app: ComposedApp, error: Exception, last: bool) -> None:
    """The caller of `run` gets them, and the user never an apology."""
    with pytest.raises(type(error)):
        await run(app, raising(error), last=last)
    assert app.texts() == []


async def test_a_repeated_turn(app: ComposedApp) -> None:
    """The state knows the activity, and `run` raises TurnRepeated."""
    bot = RememberingBot(app.parts)
    await run(app, bot, id="a1")
    with pytest.raises(TurnRepeated):
        await run(app, bot, id="a1")
    assert app.texts() == ["1"]


async def test_a_repeated_inline_turn(app: ComposedApp) -> None:
    """The response is that of the first."""
    response = await app.deliver(MESSAGE, raising(TurnRepeated("repeated")))
    assert (response.status, response.body) == (200, b"")
    assert app.texts() == []
