"""Fixtures of the tests of Reply in turns that run again: a chat, a model, and processes."""

import math
from collections.abc import AsyncIterator, Iterator

import pytest

from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.queued.queued_turns import QueuedTurns
from http_client.observer import attach, detach
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.remembering_bot import changed
from tests.support.bots.streaming_worker import Model, StreamingWorker
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront
from tests.support.test_bot import NO_TYPING
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.scripted_service import ScriptedService
from tests.support.wire.streamed_chat import KEY, StreamedChat


@pytest.fixture
def chat(service: ScriptedService, clock: MovedClock) -> Iterator[StreamedChat]:
    """The user's chat with the bot."""
    chat = StreamedChat(service, clock)
    attach(chat)
    yield chat
    detach(chat)


@pytest.fixture
def model(chat: StreamedChat, clock: MovedClock) -> Model:
    """The bot's language model."""
    return Model(chat, clock)


@pytest.fixture(params=["Inline", "Queued"])
def mode(request: pytest.FixtureRequest) -> str:
    """When turns run."""
    return str(request.param)


@pytest.fixture(params=[False, True], ids=["without state", "with state"])
def has_state(request: pytest.FixtureRequest) -> bool:
    """Whether the bot uses state."""
    return bool(request.param)


@pytest.fixture
async def worker(
    cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    front: StorageFront,
    chat: StreamedChat,
    model: Model,
    wake_ups: QueueMessages,
    mode: str,
    has_state: bool,
) -> AsyncIterator[StreamingWorker]:
    """A process, whose storage account is behind the proxy; its user is no new one."""
    defaults = QueuedTurns.__init__.__kwdefaults__
    assert defaults
    monkeypatch.setitem(defaults, "slow_append_seconds", math.inf)
    settings = {"AzureWebJobsStorage": front.connection_string, "BotTurns": mode, **NO_TYPING}
    queue = wake_ups if mode == "Queued" else None
    async with ComposedApp(cloud, monkeypatch, settings) as app:
        await changed(app, KEY, "greeted", True)
        yield StreamingWorker(app, chat, model, queue, has_state=has_state)


@pytest.fixture
async def other(
    cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    storage: str,
    chat: StreamedChat,
    model: Model,
    wake_ups: QueueMessages,
    mode: str,
    has_state: bool,
) -> AsyncIterator[StreamingWorker]:
    """Another process."""
    settings = {"AzureWebJobsStorage": storage, "BotTurns": mode, **NO_TYPING}
    queue = wake_ups if mode == "Queued" else None
    async with ComposedApp(cloud, monkeypatch, settings) as app:
        yield StreamingWorker(app, chat, model, queue, has_state=has_state)


@pytest.fixture(params=["blobs", "memory"])
async def inline(
    cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    storage: str,
    chat: StreamedChat,
    model: Model,
    has_state: bool,
    request: pytest.FixtureRequest,
) -> AsyncIterator[StreamingWorker]:
    """A process with inline turns, with a storage account or without one."""
    settings = {"AzureWebJobsStorage": storage} if request.param == "blobs" else {}
    async with ComposedApp(cloud, monkeypatch, {**settings, **NO_TYPING}) as app:
        yield StreamingWorker(app, chat, model, None, has_state=has_state)
