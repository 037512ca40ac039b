"""What a warm turn may not cost, in counts: a cheap guard for what `make bench` measures."""

import asyncio
import contextlib
import gc
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from botbuilder.core import TurnContext

from auth.errors import Unavailable
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import MAX_RUNS
from cloud_adapter.errors import StateConflict
from tests.support.bots.composed_app import ComposedApp
from tests.support.extended import credentials
from tests.support.load.call_count import calls_counted
from tests.support.telemetry.exported_spans import TELEMETRY_ON, ExportedSpans
from tests.support.test_bot import NO_TYPING

TURNS = 20
AT_ONCE = 8

Turn = Callable[[ComposedApp], Awaitable[None]]

UNWANTED = (
    "msrest.serialization:Serializer",
    "msrest.serialization:Deserializer",
    "requests.",
    "msal.",
    "azure.",
    "copy:_deepcopy_dict",
    "cloud_adapter.connector.client:UserTokenClient",
    "cloud_adapter.telemetry",
    "opentelemetry.",
)
"""Whose code no turn runs that only echoes; the client for users' tokens is made, and rests.
Telemetry is off."""


@pytest.fixture(scope="module", params=credentials("tests/end_to_end/cost/test_turn_cost.py"))
def each_cloud(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    """A local cloud for each way to sign in."""
    folder = tmp_path_factory.mktemp("cost")
    with CloudThread(Cloud(folder, request.param)) as thread:
        yield thread.cloud


@pytest.fixture
async def app(each_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ComposedApp]:
    """The app in front of it, after its first turns."""
    async with ComposedApp(each_cloud, monkeypatch, NO_TYPING) as app:
        await asyncio.gather(*(say(app, "hello") for _ in range(AT_ONCE)))
        yield app


async def say(app: ComposedApp, text: str) -> None:
    """One turn."""
    answer = await app.deliver({"type": "message", "text": text}, app.parts.bot.on_turn)
    assert answer.status == 200


async def test_nothing_is_asked_for_or_opened(app: ComposedApp) -> None:
    """Warm turns, alone and together: no token request, no fetch of keys, no new connection."""
    servers = app.cloud.servers.values()
    before = [(server.connections, server.requests.total()) for server in servers]
    for number in range(TURNS):
        await say(app, f"turn {number}")
    await asyncio.gather(*(say(app, f"together {number}") for number in range(AT_ONCE)))
    after = [(server.connections, server.requests.total()) for server in servers]
    changed = {
        server.name: (later[0] - sooner[0], later[1] - sooner[1])
        for server, sooner, later in zip(servers, before, after, strict=True)
        if later != sooner
    }
    assert changed == {"connector": (0, TURNS + AT_ONCE)}


async def test_what_a_turn_does_not_use(app: ComposedApp) -> None:
    """A turn neither serializes with msrest, nor copies deeply, nor signs in for users."""
    with calls_counted() as calls:
        await say(app, "hello")
    assert calls["cloud_adapter.adapter:CloudAdapter.process"] > 0
    calls.pop("cloud_adapter.connector.client:UserTokenClient.__init__")
    assert {name: count for name, count in calls.items() if name.startswith(UNWANTED)} == {}


async def echoed(app: ComposedApp) -> None:
    """A turn that succeeds."""
    await say(app, "hello")


async def conflicting(app: ComposedApp) -> None:
    """A turn whose runs all find that its state has changed; it is refused."""

    async def conflict(_: TurnContext) -> None:
        raise StateConflict("another turn was quicker")

    with contextlib.suppress(Unavailable):
        await app.deliver({"type": "message", "text": "hello"}, conflict)


async def failing(app: ComposedApp) -> None:
    """A turn that ends with an apology."""

    async def fail(_: TurnContext) -> None:
        raise LookupError

    await app.deliver({"type": "message", "text": "hello"}, fail)


each_turn = pytest.mark.parametrize("turn", [echoed, conflicting, failing])


@each_turn
async def test_no_reference_cycles(app: ComposedApp, turn: Turn) -> None:
    """A turn leaves nothing for the garbage collector to find."""
    await turn(app)
    assert await left_by_turns(app, turn) == {}


@each_turn
async def test_no_reference_cycles_with_telemetry(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, turn: Turn
) -> None:
    """Nor does a turn whose spans are exported."""
    exported = ExportedSpans(monkeypatch)
    async with ComposedApp(cloud, monkeypatch, {**TELEMETRY_ON, **NO_TYPING}) as app:
        await turn(app)
        assert await left_by_turns(app, turn) == {}
    runs = MAX_RUNS if turn is conflicting else 1
    assert exported.names.count("agents.app.run") == (TURNS + 1) * runs


async def left_by_turns(app: ComposedApp, turn: Turn) -> Counter[str]:
    """The classes of the project's and the SDK's objects that only the collector can free."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for _ in range(TURNS):
            await turn(app)
        gc.collect()
        ours = ("botbuilder.", "botframework.", "cloud_adapter.", "auth.", "opentelemetry.")
        return Counter(type(each).__name__ for each in gc.garbage if _module(each).startswith(ours))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def _module(found: object) -> str:
    return f"{getattr(type(found), '__module__', '')}."
