"""The moments that a turn passes through: the contract on which observers rely."""

import ast
import inspect
from collections.abc import Iterator, Mapping
from itertools import groupby

import pytest
from botbuilder.core import MiddlewareSet
from botbuilder.schema import Activity

from bot_workbench.emulator.recorder import libraries
from bot_workbench.emulator.recorder.watches import EVENTS, SPANS
from cloud_adapter.codec import read_model
from cloud_adapter.proactive.notifications import QUEUE as NOTIFICATIONS
from cloud_adapter.telemetry.observer import Telemetry
from http_client.observer import Facts, Watch, attach, detach
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.notifier import Notifier
from tests.support.bots.remembering_bot import RememberingBot
from tests.support.logic import MESSAGE, echo, raising, woken
from tests.support.project import ROOT
from tests.support.skills.replying_skill import ALLOWED, ReplyingSkill
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.received_message import received
from tests.support.test_bot import NO_TYPING
from tests.support.timing.stepped_clock import SteppedClock
from tests.support.wire.scripted_service import Reply, ScriptedService

FACTS = {
    "activity.read": "body",
    "app.ready": "self",
    "blob.delete": "self name lease_id",
    "blob.read": "self name",
    "blob.write": "self name content etag metadata lease_id",
    "caller.authenticate": "self authorization",
    "caller.authenticate_skill": "self auth_header",
    "caller.authorize": "self token activity",
    "connector.call": "self service method path body query max_bytes",
    "connector.sign_in": "self service_url audience",
    "http.connect": "self sock tls host",
    "http.request": "self method url headers body timeouts max_bytes",
    "middleware": "self context callback next_middleware_index",
    "notification.enqueue": "self to text card channel own_id",
    "notification.send": "self notification",
    "proactive.send": "self reference logic",
    "proactive.turn": "self context callback",
    "queue.put": "self text delay",
    "queued.attempt": "self stored is_set_aside",
    "queued.dead_letter": "self stored failure",
    "queued.enqueue": "self activity body claims",
    "queued.set_aside": "self stored state",
    "queued.turn": "self bot accepted attempt",
    "queued.wake_up": "self message run_turn",
    "refusal": "error",
    "reply.stream": "self",
    "request": "self request bot",
    "skill.call": "self from_bot_id to_bot_id to_url service_url conversation_id activity",
    "skill.reply": "self request",
    "state.delete": "self name",
    "state.load": "self turn_context force",
    "state.lock": "self lock_timeout meanwhile known deadline",
    "state.read": "self name",
    "state.save": "self turn_context requested",
    "state.write": "self name content etag",
    "storage.call": "self request refusals",
    "token.request": "credential audience",
    "turn": "self context logic on_error",
    "turn.error": "self context error",
    "worker.blocked": "self place task",
}
"""The names of each moment's facts."""


def declared() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each moment in the source, with the parameters of a function that declares it."""
    for folder in ("auth", "cloud_adapter", "http_client", "."):
        files = (ROOT / folder).glob("*.py") if folder == "." else (ROOT / folder).rglob("*.py")
        for file in files:
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    for each in node.decorator_list:
                        if (name := _moment(each)) is not None:
                            given = [*node.args.args, *node.args.kwonlyargs]
                            yield name, tuple(argument.arg for argument in given)


def _moment(node: ast.expr) -> str | None:
    match node:
        case ast.Call(func=ast.Name(id="moment"), args=[ast.Constant(value=str(name))]):
            return name
    return None


MIDDLEWARE = inspect.signature(MiddlewareSet.receive_activity_internal)
"""The SDK's, which the adapter declares to be a moment."""

LIBRARIES = {libraries.AIOHTTP, libraries.REQUESTS, libraries.HTTPX, libraries.THREAD}
"""Moments of other libraries, which the recorder declares itself."""

WIRE = ("blob.", "http.", "storage.", "queue.", "token.")
"""Moments of requests: how many there are depends on connections, and on what goes on at once."""

SKILL = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

PLAIN = [
    "request",
    "caller.authenticate",
    "activity.read",
    "caller.authorize",
    "connector.sign_in",
    "turn",
    "middleware",
    "connector.call",
    "http.request",
    "state.save",
]
FAILED = [
    "request",
    "caller.authenticate",
    "activity.read",
    "caller.authorize",
    "connector.sign_in",
    "turn",
    "middleware",
    "turn.error",
    "connector.call",
    "http.request",
]
WITH_STATE = [
    "request",
    "caller.authenticate",
    "activity.read",
    "caller.authorize",
    "connector.sign_in",
    "turn",
    "middleware",
    "state.load",
    "state.lock",
    "state.read",
    "blob.read",
    "state.load",
    "connector.call",
    "http.request",
    "state.save",
    "state.write",
    "blob.write",
    "state.save",
    "state.write",
    "blob.write",
]
STORED = ["request", "caller.authenticate", "activity.read", "caller.authorize", "queued.enqueue"]
FROM_THE_QUEUE = [
    "queued.wake_up",
    "state.read",
    "state.lock",
    "queued.attempt",
    "queued.turn",
    "connector.sign_in",
    "turn",
    "middleware",
    "state.load",
    "middleware",
    "connector.call",
    "state.save",
    "state.write",
]
NOTIFIED = [
    "notification.enqueue",
    "state.lock",
    "notification.send",
    "proactive.send",
    "connector.sign_in",
    "turn",
    "middleware",
    "connector.call",
    "state.save",
]
SKILLED = [
    "skill.call",
    "skill.reply",
    "caller.authenticate_skill",
    "state.read",
    "connector.sign_in",
    "turn",
    "middleware",
    "connector.call",
    "state.save",
]


class Everything:
    """Notes the names of the moments that begin, in order."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.facts: dict[str, set[str]] = {}
        self.watches: dict[str, Watch] = {name: self._watch(name) for name in FACTS}

    def _watch(self, name: str) -> Watch:
        def begun(facts: Facts) -> None:
            self.names.append(name)
            self.facts[name] = set(facts)

        return begun

    def trace_parent(self) -> str:
        """None."""
        return ""

    def taken(self) -> list[str]:
        """The names since the last call, those that repeat at once only once."""
        found = [name for name, _ in groupby(self.names)]
        self.names.clear()
        return found


@pytest.fixture
def everything() -> Iterator[Everything]:
    """It watches."""
    found = Everything()
    attach(found)
    yield found
    detach(found)


@pytest.fixture
def app_settings() -> dict[str, str]:
    """The bot has a skill, and shows no typing, which begins when it does."""
    return {**NO_TYPING, **ALLOWED}


def test_the_facts_of_each_moment() -> None:
    """A new name of a moment, or of a parameter of its function, must be named to the observers."""
    found = {**dict(declared()), "middleware": tuple(MIDDLEWARE.parameters)}
    named = {name: " ".join(facts) for name, facts in found.items()}
    assert named == FACTS, "telemetry and the recorder rely on these names"
    assert set(declared()) == {
        (name, facts) for name, facts in found.items() if name != "middleware"
    }


@pytest.mark.parametrize("watched", [Telemetry("", "").watches, EVENTS, SPANS])
def test_what_observers_watch(watched: Mapping[str, object]) -> None:
    """Each name in telemetry's table, and in the recorder's, is that of a moment."""
    assert watched.keys() - FACTS.keys() - LIBRARIES == set()


async def test_a_plain_turn(app: ComposedApp, everything: Everything) -> None:
    """A request, its checks, the turn, and the reply."""
    await app.deliver(MESSAGE, echo)
    everything.taken()
    await app.deliver(MESSAGE, echo)
    assert everything.taken() == PLAIN
    wrong = {name for name, facts in everything.facts.items() if facts != set(FACTS[name].split())}
    assert wrong == set()


async def test_a_turn_that_fails(app: ComposedApp, everything: Everything) -> None:
    """The error, and then the apology."""
    await app.deliver(MESSAGE, echo)
    everything.taken()
    await app.deliver(MESSAGE, raising(LookupError()))
    assert everything.taken() == FAILED


async def test_a_turn_with_state(app: ComposedApp, everything: Everything) -> None:
    """The state is loaded when the bot asks for it, and saved after the reply."""
    bot = RememberingBot(app.parts)
    await app.deliver(MESSAGE, bot)
    everything.taken()
    await app.deliver(MESSAGE, bot)
    assert everything.taken() == WITH_STATE


async def test_a_queued_turn(
    queued: ComposedApp, wake_ups: QueueMessages, everything: Everything
) -> None:
    """It is stored; its wake-up message runs it, in an attempt."""
    await queued.deliver(MESSAGE, echo)
    own = [name for name in everything.taken() if not name.startswith(WIRE)]
    assert own == STORED
    [message] = await wake_ups.taken()
    await woken(queued, message, echo)
    own = [name for name in everything.taken() if not name.startswith(WIRE)]
    assert own == FROM_THE_QUEUE


async def test_a_notification(queued: ComposedApp, storage: str, everything: Everything) -> None:
    """It is put into the queue, and each conversation's turn is sent."""
    await Notifier(queued, SteppedClock()).add_users(1)
    everything.taken()
    await queued.parts.services.notify("all", "hello")
    [message] = await QueueMessages(storage, NOTIFICATIONS).taken()
    assert queued.parts.services.notifications
    await queued.parts.services.notifications.handle_message(received(message))
    own = [name for name in everything.taken() if not name.startswith(WIRE)]
    assert own == NOTIFIED


async def test_a_skill(app: ComposedApp, everything: Everything, service: ScriptedService) -> None:
    """It is called, and calls back."""
    service.otherwise = Reply(200, {})
    activity = read_model(Activity, app.activity(MESSAGE))
    skill = ReplyingSkill(app)
    await skill.is_called()
    everything.taken()
    client = app.parts.services.skill_client
    await client.post_activity("", SKILL, service.url, "https://parent", "c1", activity)
    await skill.send(**MESSAGE)
    own = [name for name in everything.taken() if not name.startswith(WIRE)]
    assert own == SKILLED
