"""bot_code: the bot's code may exit or hang, and has failed as if it had raised an error."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn

import pytest
from botbuilder.core import Middleware, TurnContext
from botbuilder.schema import Activity

from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import APOLOGY
from cloud_adapter.codec import read_model
from cloud_adapter.deadlines import HOST_TIMEOUT_SETTING
from cloud_adapter.errors import BotExited, BotTimedOut
from tests.support.bots.composed_app import ComposedApp, Logic
from tests.support.logic import MESSAGE, echo, raising
from tests.support.timing.moved_clock import MovedClock

HANDLED = "The bot has a bug."


@pytest.fixture
async def limited(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ComposedApp]:
    """The app in a host that lets a function run for ten minutes."""
    async with ComposedApp(cloud, monkeypatch, {HOST_TIMEOUT_SETTING: "00:10:00"}) as app:
        yield app


def failures(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The errors that were logged, each with its traceback."""
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]


async def leave(_: TurnContext) -> NoReturn:
    """A bot that exits."""
    sys.exit(3)


async def leave_in_a_thread(_: TurnContext) -> None:
    """A bot that calls code that exits, in a thread."""
    await asyncio.to_thread(sys.exit, 3)


@pytest.mark.parametrize("bot", [leave, leave_in_a_thread])
async def test_an_exit(app: ComposedApp, bot: Logic, caplog: pytest.LogCaptureFixture) -> None:
    """It is a failure of the turn: an apology, the place in the log, and 200 to the channel."""
    response = await app.deliver(MESSAGE, bot)
    assert (response.status, app.texts()) == (200, [APOLOGY])
    [failure] = failures(caplog)
    assert f"in {bot.__name__}\n" in failure
    assert "SystemExit: 3\nwhich led to:\n" in failure
    assert failure.endswith("BotExited: the bot's code called sys.exit(3)")


@pytest.mark.parametrize(("code", "shown"), [(None, ""), ("sesame", "..."), (True, "True")])
async def test_the_code_of_an_exit(code: Any, shown: str) -> None:
    """The error names it, unless it is a text, which may be a user's."""
    assert str(BotExited(code)) == f"the bot's code called sys.exit({shown})"


class Around(Middleware):  # type: ignore[misc]  # untyped SDK base
    """A bot's own middleware, which notes errors, and may exit.

    Args:
        exits: whether it does, after the bot.
    """

    def __init__(self, *, exits: bool = False) -> None:
        self.seen: list[type[Exception]] = []
        self._exits = exits

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        """Run the bot."""
        try:
            await logic()
        except Exception as error:
            self.seen.append(type(error))
            raise
        if self._exits:
            sys.exit(3)


async def test_what_the_bots_middleware_sees(app: ComposedApp) -> None:
    """An error, as of any other failure, and not an exit."""
    around = Around()
    app.parts.services.use(around)
    await app.deliver(MESSAGE, leave)
    assert (around.seen, app.texts()) == ([BotExited], [APOLOGY])


async def test_an_exit_of_the_bots_middleware(app: ComposedApp) -> None:
    """It is a failure, too."""
    app.parts.services.use(Around(exits=True))
    assert (await app.deliver(MESSAGE, echo)).status == 200
    assert app.texts() == ["You said: sesame", APOLOGY]


async def test_the_bots_error_handler(app: ComposedApp) -> None:
    """It gets an error; if it exits itself, the user gets the apology."""
    errors: list[type[Exception]] = []

    async def handle(context: TurnContext, error: Exception) -> None:
        errors.append(type(error))
        await context.send_activity(HANDLED)
        sys.exit(3)

    app.parts.services.on_error(handle)
    assert (await app.deliver(MESSAGE, leave)).status == 200
    assert (errors, app.texts()) == ([BotExited], [HANDLED, APOLOGY])


async def test_an_exit_while_something_is_sent(
    app: ComposedApp, caplog: pytest.LogCaptureFixture
) -> None:
    """The bot's code may look at what is sent, even at the apology."""

    async def send(_: TurnContext, __: list[Activity], ___: Callable[[], Awaitable[None]]) -> None:
        sys.exit(3)

    async def bot(context: TurnContext) -> None:
        context.on_send_activities(send)
        raise LookupError

    assert (await app.deliver(MESSAGE, bot)).status == 200
    assert "the apology could not be sent" in failures(caplog)[1]
    assert "BotExited" in failures(caplog)[1]


async def test_an_exit_in_a_proactive_turn(app: ComposedApp) -> None:
    """Who sends, such as a notification, gets an error."""
    reference = TurnContext.get_conversation_reference(read_model(Activity, app.activity(MESSAGE)))
    app.parts.services.use(Around(exits=True))
    with pytest.raises(BotExited):
        await app.parts.adapter.send_proactively(reference, echo)


class HangingBot:
    """A bot that waits for what never comes.

    Args:
        app: whose state it uses before.

    Attributes:
        began: it waits.
    """

    def __init__(self, app: ComposedApp) -> None:
        self.began = False
        self._note = app.parts.services.conversation_state.create_property("note")

    async def __call__(self, context: TurnContext, *_: object) -> None:
        """Hang."""
        await self._note.set(context, "hello")
        self.began = True
        await asyncio.Event().wait()


async def test_a_turn_that_takes_too_long(
    limited: ComposedApp, clock: MovedClock, caplog: pytest.LogCaptureFixture
) -> None:
    """It ends after eight minutes, with the place in the log, and the conversation goes on."""
    bot = HangingBot(limited)
    turn = asyncio.create_task(limited.deliver(MESSAGE, bot))
    await clock.until(lambda: bot.began)
    clock.move(470)
    await clock.until(lambda: clock.fired > 0)
    assert (turn.done(), limited.texts()) == (False, [])
    clock.move(10)
    assert (await turn).status == 200
    assert limited.texts() == [APOLOGY]
    [failure] = failures(caplog)
    assert "await asyncio.Event().wait()" in failure
    assert failure.endswith("the bot's code took longer than 480 s, and was cancelled")
    await limited.deliver(MESSAGE, echo)
    assert limited.texts()[1:] == ["You said: sesame"]


async def test_a_proactive_turn(limited: ComposedApp, clock: MovedClock) -> None:
    """It ends after a minute: a run of notifications may begin it at its own end."""
    bot = HangingBot(limited)
    reference = TurnContext.get_conversation_reference(
        read_model(Activity, limited.activity(MESSAGE))
    )
    turn = asyncio.create_task(limited.parts.adapter.send_proactively(reference, bot))
    await clock.until(lambda: bot.began)
    clock.move(60)
    with pytest.raises(BotTimedOut):
        await turn


async def test_a_caller_that_tries_again(limited: ComposedApp, clock: MovedClock) -> None:
    """A queued turn that takes too long is a failed attempt, as with any other error."""
    adapter, bot = limited.parts.adapter, HangingBot(limited)
    caller = adapter.bot_framework_authentication.authorized_before({"aud": "bot"})
    activity = read_model(Activity, limited.activity(MESSAGE))
    running = adapter.run(caller, activity, bot, adapter.handle_error, is_last_attempt=False)
    turn = asyncio.create_task(running)
    await clock.until(lambda: bot.began)
    clock.move(480)
    with pytest.raises(BotTimedOut):
        await turn


async def test_an_error_handler_that_takes_too_long(
    limited: ComposedApp, clock: MovedClock, caplog: pytest.LogCaptureFixture
) -> None:
    """It ends after half a minute, and the user gets the apology."""
    handler = HangingBot(limited)
    limited.parts.services.on_error(handler)
    turn = asyncio.create_task(limited.deliver(MESSAGE, raising(LookupError())))
    await clock.until(lambda: handler.began)
    clock.move(30)
    assert (await turn).status == 200
    assert limited.texts() == [APOLOGY]
    assert "on_turn_error failed" in failures(caplog)[1]
    assert "took longer than 30 s" in failures(caplog)[1]


async def test_the_bots_own_timeout(limited: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """It is an error of the bot's, as the bot has raised it."""

    async def bot(_: TurnContext) -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    await limited.deliver(MESSAGE, bot)
    [failure] = failures(caplog)
    assert "TimeoutError" in failure
    assert "BotTimedOut" not in failure


async def test_a_bot_that_goes_on(limited: ComposedApp, clock: MovedClock) -> None:
    """If it catches the cancellation, its turn ends when the bot wants."""
    hanging = HangingBot(limited)

    async def bot(context: TurnContext) -> None:
        try:
            await hanging(context)
        except asyncio.CancelledError:
            await context.send_activity("late")

    turn = asyncio.create_task(limited.deliver(MESSAGE, bot))
    await clock.until(lambda: hanging.began)
    clock.move(480)
    assert (await turn).status == 200
    assert limited.texts() == ["late"]


async def test_a_turn_that_somebody_else_cancels(limited: ComposedApp, clock: MovedClock) -> None:
    """It is cancelled, and nothing is said: the process is ending."""
    bot = HangingBot(limited)
    turn = asyncio.create_task(limited.deliver(MESSAGE, bot))
    await clock.until(lambda: bot.began)
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert limited.texts() == []


async def test_a_task_that_the_bot_cancels(
    app: ComposedApp, caplog: pytest.LogCaptureFixture
) -> None:
    """Who waits for it gets its CancelledError: without an answer, the host would wait for ever."""

    async def wait_for_a_cancelled_task(_: TurnContext) -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        await task

    response = await app.deliver(MESSAGE, wait_for_a_cancelled_task)
    assert (response.status, app.texts()) == (200, [APOLOGY])
    [failure] = failures(caplog)
    assert failure.endswith("BotCancelled: the bot's code waited for a task that was cancelled")


async def test_a_turn_that_is_cancelled(app: ComposedApp) -> None:
    """If the turn itself is cancelled, because its worker closes, it stays cancelled."""
    started = asyncio.Event()

    async def wait(_: TurnContext) -> None:
        started.set()
        await asyncio.sleep(60)

    turn = asyncio.create_task(app.deliver(MESSAGE, wait))
    await started.wait()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert app.texts() == []
