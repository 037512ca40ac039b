"""The composition root: attempts to create the parts, and what it reads beside itself."""

import asyncio
import contextlib
import functools
import gc
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from auth.errors import CompositionFailed, SettingsError
from auth.settings import Settings
from cloud_adapter.errors import BotCancelled, BotExited
from composition import BUILT_IN_AZURE, PACKAGE_HASH, Composition, CreateBot, package_hash
from tests.auth.environs import MANAGED
from tests.support.timing.condition import comes_true

BOT: Any = SimpleNamespace(on_turn=None)
"""No turn is run here."""


def composed(create_bot: CreateBot) -> Composition:
    """A composition of this bot, which sends no requests without its warm-up."""
    return Composition(lambda: Settings.from_environ(MANAGED), {**MANAGED}, create_bot)


UNAUTHENTICATED = {
    **MANAGED,
    "DANGEROUSLY_ALLOW_UNAUTHENTICATED": "true",
    "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
}
"""With these, the warm-up requests nothing."""


@contextmanager
def kept_collector() -> Iterator[None]:
    """The garbage collector's settings are after the block as they were before it."""
    thresholds = gc.get_threshold()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)


class Wanted:
    """An awaitable that is no coroutine."""

    def __await__(self) -> Generator[Any, None, Any]:
        yield from asyncio.sleep(0).__await__()
        return BOT


async def after_a_while(*_: object) -> Any:
    """The bot, after other tasks have run."""
    await asyncio.sleep(0)
    return BOT


def decorated(function: Callable[..., Awaitable[Any]]) -> CreateBot:
    """A plain function that returns a coroutine, as many decorators do."""

    @functools.wraps(function)
    def wrapper(services: object) -> Any:
        return function(services)

    return wrapper


@pytest.mark.parametrize(
    "create_bot",
    [
        lambda _: BOT,
        after_a_while,
        decorated(after_a_while),
        functools.partial(after_a_while, "an argument"),
        lambda _: Wanted(),
        lambda _: asyncio.to_thread(lambda: BOT),
    ],
)
async def test_what_is_awaited(create_bot: CreateBot) -> None:
    """The bot itself, or anything awaitable whose result is the bot."""
    parts = await composed(create_bot).ready()
    assert parts.bot is BOT
    await parts.close()


async def test_where_the_bot_is_created() -> None:
    """`create_bot` is called in a thread, and its awaitable awaited on the loop that runs turns."""
    threads: list[threading.Thread] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def connected() -> Any:
        threads.append(threading.current_thread())
        loops.append(asyncio.get_running_loop())
        return BOT

    def create_bot(_: object) -> Any:
        threads.append(threading.current_thread())
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return connected()

    await (await composed(create_bot).ready()).close()
    assert loops == [asyncio.get_running_loop()]
    assert threads[0] is not threading.current_thread()
    assert threads[1] is threading.current_thread()


async def test_what_the_bot_turns_off() -> None:
    """It may do so in its awaited part, too."""

    async def create_bot(services: Any) -> Any:
        await asyncio.sleep(0)
        services.typing_indicator = services.auto_save_state = False
        return BOT

    parts = await composed(create_bot).ready()
    [_, typing_indicator, state] = parts.adapter._middleware._middleware
    assert (typing_indicator.enabled, state.auto_save) == (False, False)
    await parts.close()


async def test_an_event_loop_of_its_own() -> None:
    """`asyncio.run` works in `create_bot`, because that has a thread of its own."""
    parts = await composed(lambda _: asyncio.run(after_a_while())).ready()
    assert parts.bot is BOT
    await parts.close()


class Failing:
    """Creates the bot in its third attempt; the first two fail when they are let go on.

    Attributes:
        calls: the attempts.
        awaited: how many of them were awaited.
        threads: in which they were made.
        go_on: ends the one that waits.
    """

    def __init__(self) -> None:
        self.calls = self.awaited = 0
        self.threads: set[threading.Thread] = set()
        self.go_on = asyncio.Event()

    def __call__(self, _: object) -> Awaitable[Any]:
        """`create_bot`."""
        self.calls += 1
        self.threads.add(threading.current_thread())
        return self._created(self.calls)

    async def _created(self, attempt: int) -> Any:
        self.awaited += 1
        await self.go_on.wait()
        self.go_on.clear()
        if attempt < 3:
            raise LookupError(f"attempt {attempt}")
        return BOT


async def test_callers_share_an_attempt() -> None:
    """Its failure, too; the next caller starts another attempt, away from the event loop."""
    create_bot = Failing()
    app = composed(create_bot)
    for attempt in (1, 2):
        callers = [asyncio.create_task(app.ready()) for _ in range(10)]
        await comes_true(lambda: create_bot.awaited == attempt)  # noqa: B023  # polled here only
        create_bot.go_on.set()
        for caller in callers:
            with pytest.raises(CompositionFailed) as failed:
                await caller
            assert str(failed.value.__cause__) == f"attempt {attempt}"
    callers = [asyncio.create_task(app.ready()) for _ in range(10)]
    await comes_true(lambda: create_bot.awaited == 3)
    create_bot.go_on.set()
    parts = await app.ready()
    assert all(each is parts for each in await asyncio.gather(*callers))
    assert (create_bot.calls, create_bot.awaited) == (3, 3)
    assert threading.current_thread() not in create_bot.threads
    await parts.close()


async def test_a_caller_that_is_cancelled() -> None:
    """The attempt goes on for the others, and for those that come later."""
    create_bot = Failing()
    create_bot.calls = 2
    app = composed(create_bot)
    callers = [asyncio.create_task(app.ready()) for _ in range(2)]
    await comes_true(lambda: create_bot.awaited == 1)
    callers[0].cancel()
    await asyncio.wait([callers[0]])
    assert callers[0].cancelled()
    assert not callers[1].done()
    create_bot.go_on.set()
    assert await app.ready() is await callers[1]
    assert (create_bot.calls, create_bot.awaited) == (3, 1)
    await (await app.ready()).close()


async def test_callers_on_other_event_loops() -> None:
    """Functions of the bot's routes.py, in threads: whoever calls, the attempt runs on one loop."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def fails_once(_: object) -> Any:
        loops.append(asyncio.get_running_loop())
        if len(loops) == 1:
            raise LookupError
        return BOT

    app = composed(fails_once)
    with pytest.raises(CompositionFailed):
        await app.ready()
    parts = await asyncio.to_thread(asyncio.run, app.ready())
    assert loops == [asyncio.get_running_loop()] * 2
    await parts.close()

    create_bot = Failing()
    create_bot.calls = 2
    app = composed(create_bot)
    callers = [asyncio.create_task(app.ready())]
    await comes_true(lambda: create_bot.awaited == 1)
    callers.append(asyncio.create_task(asyncio.to_thread(asyncio.run, app.ready())))
    create_bot.go_on.set()
    assert await asyncio.gather(*callers) == [app.parts] * 2
    await (await app.ready()).close()


async def exits() -> Any:
    """Call `sys.exit` after other tasks have run."""
    await asyncio.sleep(0)
    sys.exit("wrong settings")


async def waits_for_a_cancelled_task() -> Any:
    """Cancel a task, and wait for it."""
    task = asyncio.create_task(asyncio.sleep(60))
    await asyncio.sleep(0)
    task.cancel()
    await task


async def cancels_itself() -> Any:
    """Cancel the task in which this runs."""
    task = asyncio.current_task()
    assert task
    task.cancel()
    await asyncio.sleep(0)


async def returns_nothing() -> Any:
    """Return no bot."""


@pytest.mark.parametrize(
    ("create_bot", "cause"),
    [
        (lambda _: exits(), BotExited),
        (lambda _: sys.exit(), BotExited),
        (lambda _: asyncio.run(exits()), BotExited),
        (lambda _: waits_for_a_cancelled_task(), BotCancelled),
        (lambda _: asyncio.run(waits_for_a_cancelled_task()), BotCancelled),
        (lambda _: cancels_itself(), BotCancelled),
        (lambda _: returns_nothing(), TypeError),
        (lambda _: None, TypeError),
    ],
)
async def test_what_is_a_failure(create_bot: CreateBot, cause: type[Exception]) -> None:
    """It neither ends the event loop nor lets a caller wait for ever, and the next one tries again.

    A SystemExit that leaves a task would end the loop, and a CancelledError the caller's function.
    """
    app = composed(create_bot)
    for _ in range(2):
        outcomes = await asyncio.gather(app.ready(), app.ready(), return_exceptions=True)
        assert [type(each) for each in outcomes] == [CompositionFailed, CompositionFailed]
        assert [type(each.__cause__) for each in outcomes if isinstance(each, Exception)] == [
            cause,
            cause,
        ]
    await app.pool.close()


async def test_no_bot() -> None:
    """The text names the function."""
    with pytest.raises(CompositionFailed) as failed:
        await composed(lambda _: returns_nothing()).ready()
    why = "create_bot(services) returned None: it must return the bot"
    assert str(failed.value.__cause__) == why


@pytest.mark.parametrize("read", [{}, MANAGED])
async def test_what_a_failure_keeps(read: dict[str, str]) -> None:
    """Nothing of its callers, such as the body of a request, even without garbage collection."""
    app = Composition(lambda: Settings.from_environ(read), {**read}, lambda _: None)
    kept: list[weakref.ref[Wanted]] = []

    async def call() -> None:
        body = Wanted()
        kept.append(weakref.ref(body))
        await app.ready()

    gc.disable()
    try:
        with contextlib.suppress(SettingsError, CompositionFailed):
            await call()
        assert kept[0]() is None
    finally:
        gc.enable()
    await app.pool.close()


async def test_wrong_settings() -> None:
    """Each caller gets the error."""
    app = Composition(lambda: Settings.from_environ({}), {}, lambda _: BOT)
    with kept_collector():
        app.start()
        for _ in range(2):
            with pytest.raises(SettingsError, match="MicrosoftAppId"):
                await app.ready()


@pytest.mark.parametrize("number", [0, 2])
async def test_a_failing_warm_up(number: int, caplog: pytest.LogCaptureFixture) -> None:
    """It is an attempt that callers share, and logs its failure once, even if nobody waits."""
    create_bot = Failing()
    app = Composition(lambda: Settings.from_environ(UNAUTHENTICATED), {}, create_bot)
    with kept_collector():
        app.start()
        callers = [asyncio.create_task(app.ready()) for _ in range(number)]
        await comes_true(lambda: create_bot.awaited == 1)
        create_bot.go_on.set()
        outcomes = await asyncio.gather(*callers, return_exceptions=True)
        await comes_true(lambda: bool(caplog.records))
    causes = [each.__cause__ for each in outcomes if isinstance(each, CompositionFailed)]
    assert list(map(str, causes)) == ["attempt 1"] * number
    assert create_bot.calls == 1
    logged = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    assert logged == ["The app cannot be put together"]
    await app.pool.close()


def test_a_package_is_named_by_its_hash(tmp_path: Path) -> None:
    """The file has one line."""
    (tmp_path / PACKAGE_HASH).write_text(f"{'0a' * 32}\n", "ascii")
    assert package_hash(tmp_path) == "0a" * 32


def test_what_azure_has_built_has_no_hash(tmp_path: Path) -> None:
    """`func azure functionapp publish` uploads no such file."""
    assert package_hash(tmp_path) == BUILT_IN_AZURE
