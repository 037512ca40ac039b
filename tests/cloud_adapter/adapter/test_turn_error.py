"""on_turn_error: a bot's own handler gets the bot's own errors, and cannot break guarantees."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import NoReturn

import pytest
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.schema import Activity

from auth.errors import BotError, Unavailable
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import APOLOGY
from cloud_adapter.connector.client import ConnectorError
from cloud_adapter.errors import StorageUnavailable, TurnKilled, TurnRepeated
from cloud_adapter.queued.drain import MAX_ATTEMPTS
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.state.stored_state import TURN_IDS_KEY
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.remembering_bot import (
    RememberingBot,
    changed,
    conversation_key,
    counts,
    stored,
)
from tests.support.bots.set_aside_turns import attempted, retry_of, set_aside
from tests.support.logic import EXPECT_REPLIES, INVOKE, MESSAGE, echo, raising, woken
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront, answered
from tests.support.timing.loop_turns import settled

A1 = {**MESSAGE, "id": "a1"}


class Handler:
    """A bot's on_turn_error: says one line, deletes the conversation's state if asked to.

    Args:
        app: whose adapter gets the handler.
        deletes: as most of the SDK's samples do.
    """

    def __init__(self, app: ComposedApp, *, deletes: bool = False) -> None:
        self.errors: list[type[Exception]] = []
        self._state = app.parts.services.conversation_state if deletes else None
        app.parts.adapter.on_turn_error = self

    async def __call__(self, context: TurnContext, error: Exception) -> None:
        """Handle an error."""
        self.errors.append(type(error))
        await context.send_activity("The bot has a bug.")
        if self._state is not None:
            await self._state.delete(context)


@pytest.fixture
async def far(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, front: StorageFront
) -> AsyncIterator[ComposedApp]:
    """The app that runs each turn at once, whose storage account is behind the proxy."""
    changes = {"AzureWebJobsStorage": front.connection_string}
    async with ComposedApp(cloud, monkeypatch, changes) as app:
        yield app


async def fail(_: TurnContext) -> NoReturn:
    """A bot with a bug."""
    raise LookupError("no table")


def failing(bot: RememberingBot) -> RememberingBot:
    """The bot, which changes its state and then fails."""
    bot.between = fail
    return bot


def subclasses(kind: type[BotError]) -> list[type[BotError]]:
    """The branch of the error tree below a class, with the class."""
    return [kind, *(leaf for each in kind.__subclasses__() for leaf in subclasses(each))]


def made(kind: type[BotError]) -> BotError:
    """An error of a class, without the arguments of its constructor."""
    error = kind.__new__(kind)
    error.args = ("text",)
    return error


async def test_a_bot_s_handler(app: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """It gets the error in place of the apology; the log has the trace, and the channel 200."""
    handler = Handler(app)
    response = await app.deliver(A1, raising(ValueError("cannot parse sesame")))
    assert (response.status, response.body) == (200, b"")
    assert handler.errors == [ValueError]
    assert app.texts() == ["The bot has a bug."]
    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert "ValueError: cannot parse [redacted]" in record.getMessage()
    app.parts.adapter.on_turn_error = None
    await app.deliver(A1, fail)
    assert app.texts()[1:] == [APOLOGY]


async def test_services_set_it(app: ComposedApp) -> None:
    """`services.on_error` is the same as the attribute."""
    handler = Handler(app)
    app.parts.adapter.on_turn_error = None
    app.parts.services.on_error(handler)
    await app.deliver(MESSAGE, fail)
    assert handler.errors == [LookupError]


@pytest.mark.parametrize("kind", subclasses(BotError))
async def test_which_errors_it_gets(app: ComposedApp, kind: type[BotError]) -> None:
    """All but those that say that the turn cannot run now, has run before, or ends the process."""
    handler = Handler(app)
    error = made(kind)
    if issubclass(kind, Unavailable):
        with pytest.raises(kind):
            await app.deliver(MESSAGE, raising(error))
        assert app.texts() == []
    else:
        assert (await app.deliver(MESSAGE, raising(error))).status == 200
        expected = {TurnRepeated: [], TurnKilled: [APOLOGY]}.get(kind, ["The bot has a bug."])
        assert app.texts() == expected
    gets = not issubclass(kind, Unavailable | TurnRepeated | TurnKilled)
    assert handler.errors == ([kind] if gets else [])


async def test_unavailable_after_the_turn_is_committed(app: ComposedApp) -> None:
    """The error is final, but it is not the bot's: the user gets the apology."""
    handler = Handler(app)

    async def commit_and_fail(turn: TurnContext) -> None:
        await app.parts.services.conversation_state.save_changes(turn, force=True)
        raise Unavailable("later")

    assert (await app.deliver(A1, commit_and_fail)).status == 200
    assert (handler.errors, app.texts()) == ([], [APOLOGY])


async def test_a_second_delivery(app: ComposedApp) -> None:
    """An activity that was processed before is no error of the bot."""
    handler, bot = Handler(app, deletes=True), RememberingBot(app.parts)
    for _ in range(2):
        assert (await app.deliver(A1, bot)).status == 200
    assert (handler.errors, app.texts(), await counts(app)) == ([], ["1"], (1, 1))


async def test_a_second_delivery_that_fails(app: ComposedApp) -> None:
    """A handler does not delete the state that the first delivery has saved."""
    handler, bot = Handler(app, deletes=True), RememberingBot(app.parts)
    await app.deliver(A1, bot)
    assert (await app.deliver(A1, fail)).status == 200
    assert (handler.errors, await counts(app)) == ([LookupError], (1, 1))
    assert app.texts() == ["1", "The bot has a bug."]


async def test_a_handler_that_deletes_state(app: ComposedApp) -> None:
    """What the conversation remembers is gone at once; ids stay, and the user's state, too."""
    Handler(app, deletes=True)
    bot = RememberingBot(app.parts)
    await app.deliver(A1, bot)
    assert (await app.deliver(MESSAGE, failing(bot))).status == 200
    item = await stored(app, conversation_key(app))
    assert (list(item), len(item[TURN_IDS_KEY])) == ([TURN_IDS_KEY], 1)
    assert (await counts(app))[1] == 1
    bot.between = None
    for content in (A1, MESSAGE):
        await app.deliver(content, bot)
    assert app.texts() == ["1", "The bot has a bug.", "1"]


@pytest.mark.parametrize("saves", [False, True])
async def test_a_handler_that_changes_state(app: ComposedApp, saves: bool) -> None:
    """Its changes are saved, and those of the failed turn are not."""
    bot, state = RememberingBot(app.parts), app.parts.services.conversation_state
    note = state.create_property("note")

    async def handler(context: TurnContext, _: Exception) -> None:
        await note.set(context, f"failed after {await bot.count.get(context)}")
        if saves:
            await state.save_changes(context, force=True)

    await app.deliver(MESSAGE, bot)
    app.parts.adapter.on_turn_error = handler
    await app.deliver(A1, failing(bot))
    assert (await stored(app, conversation_key(app)))["note"] == "failed after 1"
    assert await counts(app) == (1, 1)
    bot.between = None
    await app.deliver(A1, bot)  # the failed turn did not count
    assert await counts(app) == (2, 2)


async def test_state_that_an_earlier_attempt_has_saved(
    far: ComposedApp, front: StorageFront
) -> None:
    """A handler can delete it, though the turn itself would not save it twice."""
    bot = RememberingBot(far.parts)

    async def handler(context: TurnContext, _: Exception) -> None:
        await far.parts.services.user_state.delete(context)

    await far.deliver(MESSAGE, bot)
    front.spoil("PUT blob bot-state", answered(403), skip=1)  # the user's state is saved first
    with pytest.raises(StorageUnavailable):
        await far.deliver(A1, bot)
    front.heal()
    assert await counts(far) == (1, 2)
    far.parts.adapter.on_turn_error = handler
    assert (await far.deliver(A1, failing(bot))).status == 200
    assert await counts(far) == (1, None)


async def test_the_handler_runs_in_the_lock(app: ComposedApp) -> None:
    """The conversation's next turn runs after the handler."""
    bot, order = RememberingBot(app.parts), []
    failed = asyncio.Event()

    async def handler(_: TurnContext, __: Exception) -> None:
        bot.between = None
        failed.set()
        await settled()
        order.append(app.texts())

    async def next_turn() -> None:
        await failed.wait()
        await app.deliver(MESSAGE, bot)

    app.parts.adapter.on_turn_error = handler
    await asyncio.gather(next_turn(), app.deliver(MESSAGE, failing(bot)))
    assert (order, app.texts()) == ([[]], ["1"])


async def test_a_handler_that_fails(app: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """Both errors are logged, the user gets the apology, and the channel 200."""

    async def handler(_: TurnContext, __: Exception) -> None:
        raise OSError("sesame is shut")

    app.parts.adapter.on_turn_error = handler
    assert (await app.deliver(MESSAGE, fail)).status == 200
    assert app.texts() == [APOLOGY]
    assert "LookupError: no table" in caplog.text
    assert "on_turn_error failed" in caplog.text
    assert "OSError: [redacted] is shut" in caplog.text


async def test_a_handler_without_storage(
    far: ComposedApp, front: StorageFront, caplog: pytest.LogCaptureFixture
) -> None:
    """A handler that cannot reach storage does not make the channel deliver the activity again."""
    handler = Handler(far, deletes=True)
    bot = RememberingBot(far.parts)
    await far.deliver(MESSAGE, bot)
    front.spoil("PUT blob bot-state", answered(403))
    assert (await far.deliver(MESSAGE, failing(bot))).status == 200
    assert handler.errors == [LookupError]
    assert far.texts() == ["1", "The bot has a bug.", APOLOGY]
    assert StorageUnavailable.__name__ in caplog.text


async def test_storage_that_is_unavailable(far: ComposedApp, front: StorageFront) -> None:
    """The channel delivers the activity again, and the handler does not wipe the state."""
    handler, bot = Handler(far, deletes=True), RememberingBot(far.parts)
    await far.deliver(MESSAGE, bot)
    front.spoil("PUT blob bot-state", answered(503))
    with pytest.raises(StorageUnavailable):
        await far.deliver(A1, bot)
    front.heal()
    assert (await far.deliver(A1, bot)).status == 200
    assert (handler.errors, await counts(far)) == ([], (2, 2))


async def test_an_invoke(app: ComposedApp) -> None:
    """The channel gets 200, or what the handler answers."""
    handler = Handler(app)
    assert (await app.deliver(INVOKE, fail)).status == 200
    assert handler.errors == [LookupError]

    async def answer(context: TurnContext, _: Exception) -> None:
        value = InvokeResponse(status=400, body={"code": "bug"})
        await context.send_activity(Activity(type="invokeResponse", value=value))

    app.parts.adapter.on_turn_error = answer
    response = await app.deliver(INVOKE, fail)
    assert (response.status, response.body) == (400, b'{"code":"bug"}')


async def test_expected_replies(app: ComposedApp) -> None:
    """What the handler says is among them."""
    Handler(app)
    response = await app.deliver(EXPECT_REPLIES, fail)
    assert response.status == 200
    assert b"The bot has a bug." in response.body


async def test_a_refused_reply(app: ComposedApp, cloud: Cloud) -> None:
    """An error of the channel reaches the handler, as in the SDK."""
    handler = Handler(app)
    cloud.connector.server.faults.set(status=403, remaining=1)
    assert (await app.deliver(MESSAGE, echo)).status == 200
    assert handler.errors == [ConnectorError]


async def test_a_proactive_turn(app: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """As in the SDK, its errors go to the handler if there is one, and else to the caller."""
    reference = TurnContext.get_conversation_reference(
        Activity().deserialize(app.activity({"type": "message"}))
    )
    adapter = app.parts.adapter
    with pytest.raises(LookupError):
        await adapter.continue_conversation(reference, fail)
    assert (app.texts(), "LookupError: no table" in caplog.text) == ([], True)
    handler = Handler(app)
    await adapter.continue_conversation(reference, fail)
    assert (handler.errors, app.texts()) == ([LookupError], ["The bot has a bug."])
    with pytest.raises(Unavailable):
        await adapter.continue_conversation(reference, raising(Unavailable("later")))
    with pytest.raises(LookupError):
        await adapter.send_proactively(reference, fail)
    assert handler.errors == [LookupError]


async def state_of(app: ComposedApp, message: str) -> str | None:
    """The state of the activity that a wake-up message names; None: it is not set aside."""
    found = await set_aside(app).find(WakeUp.parse(retry_of(message)).name)
    return found.state if found else None


async def test_a_queued_turn(queued: ComposedApp, wake_ups: QueueMessages) -> None:
    """The handler is called after the last attempt only, and the activity is dead-lettered."""
    handler, bot = Handler(queued, deletes=True), RememberingBot(queued.parts)
    await queued.deliver(A1, bot)
    (message,) = await wake_ups.taken()
    await woken(queued, message, failing(bot))
    for _ in range(2, MAX_ATTEMPTS):
        await woken(queued, retry_of(message), failing(bot))
    assert (handler.errors, queued.texts()) == ([], [])
    await changed(queued, conversation_key(queued), "count", 10)
    await woken(queued, retry_of(message), failing(bot))
    assert (handler.errors, queued.texts()) == ([LookupError], ["The bot has a bug."])
    assert await counts(queued) == (None, None)
    assert await state_of(queued, message) == "failed"


@pytest.mark.parametrize("attempts", [0, MAX_ATTEMPTS - 1])
async def test_a_queued_turn_that_is_committed(
    queued: ComposedApp, wake_ups: QueueMessages, attempts: int
) -> None:
    """No attempt can follow: the handler is called at once, and nothing is dead-lettered."""
    handler = Handler(queued)

    async def commit_and_fail(turn: TurnContext) -> None:
        await queued.parts.services.conversation_state.save_changes(turn, force=True)
        await fail(turn)

    bot = RememberingBot(queued.parts, commit_and_fail)
    await queued.deliver(A1, bot)
    (message,) = await wake_ups.taken()
    await woken(queued, await attempted(queued, message, attempts), bot)
    assert (handler.errors, queued.texts()) == ([LookupError], ["The bot has a bug."])
    assert (await counts(queued))[0] == 1
    assert await state_of(queued, message) is None


async def test_a_queued_turn_that_ends_the_process(
    queued: ComposedApp, wake_ups: QueueMessages
) -> None:
    """The handler, which is the bot's code, is not called: the user gets the apology."""
    handler = Handler(queued)
    await queued.deliver(A1, echo)
    (message,) = await wake_ups.taken()
    await woken(queued, await attempted(queued, message, MAX_ATTEMPTS), echo)
    assert (handler.errors, queued.texts()) == ([], [APOLOGY])
