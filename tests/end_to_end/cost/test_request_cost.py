"""What a request may cost, whoever sends it: in bytes and steps, not in seconds."""

import asyncio
import gc
import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from aiohttp import web
from botbuilder.core import TurnContext

from auth.errors import BodyTooLarge
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter import turn_context
from cloud_adapter.adapter import MAX_BODY_BYTES, MAX_RUNS
from cloud_adapter.codec import MAX_DIGITS, check_cost
from cloud_adapter.errors import StateConflict
from cloud_adapter.turn_context import ShowTypingMiddleware
from tests.support.bots.composed_app import ComposedApp
from tests.support.credentials.token_press import TokenPress
from tests.support.load.call_count import calls_counted, steps_counted
from tests.support.load.request_cost import answered, http_request
from tests.support.timing.condition import comes_true
from tests.support.wire.draining_connector import DrainingConnector
from tests.support.wire.scripted_service import ScriptedService

MAX_PEAK_BYTES = 8_000_000
"""Peak memory of a request, its body included, until it is answered."""

MAX_STEPS = 300_000
"""Calls of Python and C functions for a request; a current core makes ten million a second."""

MAX_KEPT_BYTES = 300_000
"""Memory that stays in use: the SDK caches what it learns of each model."""

REFUSAL_BYTES = 100_000
"""Memory that a refused request takes in addition to its body."""

HERE = "@@"
"""Marks where a shape's units go."""


@dataclass(frozen=True)
class Shape:
    """An activity in which a unit is repeated as often as fits.

    Attributes:
        content: what differs from a small message; HERE is where the units go.
        unit: what is repeated; with `%06d` each one is different.
        between: what separates two units: a comma, except in a text.
        full: the status of a body that fills 1 MiB.
        most: the status of the largest body that passes the cost check.
        start: what comes before the first unit.
        end: what comes after the last one.
    """

    content: Mapping[str, Any]
    unit: str
    between: str = ","
    full: int = 413
    most: int = 200
    start: str = ""
    end: str = ""

    def body(self, message: Mapping[str, Any], count: int) -> bytes:
        """The activity with this many units."""
        whole = json.dumps({**message, **self.content}, ensure_ascii=False)
        before, _, after = whole.partition(f'"{HERE}"' if self.between else HERE)
        units = [self.unit] * count
        if "%" in self.unit:
            units = [self.unit % number for number in range(count)]
        return f"{before}{self.start}{self.between.join(units)}{self.end}{after}".encode()

    def largest(self, message: Mapping[str, Any]) -> int:
        """How many units fit into the largest body."""
        one, two = (len(self.body(message, count)) for count in (1, 2))
        return 1 + (MAX_BODY_BYTES - one) // (two - one)

    def accepted(self, message: Mapping[str, Any]) -> int:
        """How many of them pass the cost check."""
        low, high = 0, self.largest(message)
        while low < high:
            middle = (low + high + 1) // 2
            body = self.body(message, middle)
            try:
                check_cost(body, body.decode())
                low = middle
            except BodyTooLarge:
                high = middle - 1
        return low


def text(unit: str, start: str = "", full: int = 200, **more: Any) -> Shape:
    """A message whose text is this unit, over and over."""
    return Shape({"text": HERE, **more}, unit, "", full, start=start)


def items(key: str, unit: str, full: int = 413, **more: Any) -> Shape:
    """A property that is a list of this unit."""
    return Shape({key: [HERE], **more}, unit, full=full)


def said_back(unit: str, full: int = 413) -> Shape:
    """Free JSON in the conversation's account, which the reply sends back."""
    return Shape({"conversation": {"id": "c", "x": [HERE]}}, unit, full=full)


EMOJI, HAN, PLANE_14 = "\U0001f600", "\u4e2d", "\U000e0001"
BOT = {"id": "bot", "name": "Bot"}
EXECUTE = {"type": "invoke", "name": "adaptiveCard/action"}

SHAPES: dict[str, Shape] = {
    # Texts: their width, their escapes, their copies.
    "ASCII": text("x"),
    "with a mention and blanks": text(
        "x",
        " <at>Bot</at>",
        entities=[{"type": "mention", "text": "<at>Bot</at>", "mentioned": BOT}],
    ),
    "Latin-1": text("\u00e9"),
    "ASCII after a Latin-1 character": text("X", "\u00e9"),
    "Chinese": text(HAN),
    "ASCII after a Chinese character": text("x", HAN, full=413),
    "ASCII after an escaped one": text("x", "\\u0000"),
    "emoji": text(EMOJI),
    "ASCII after an emoji": text("x", EMOJI, full=413),
    "escaped emoji": text("\\ud83d\\ude00", full=413),
    "escaped Chinese": text("\\u4e2d", full=413),
    "half emoji": text("\\ud83d", full=413),
    "ASCII after an escaped emoji": text("x", "\\ud83d\\ude00", full=413),
    "control characters": text("\\u0001"),
    "line ends": text("\\n"),
    "quotes": text('\\"'),
    "backslashes": text("\\\\"),
    "brackets": text("[{"),
    "commas": text(", "),
    "characters that repr escapes": text(PLANE_14),
    "expected replies": text(EMOJI, deliveryMode="expectReplies"),
    "an edit": text("x", type="messageUpdate"),
    "locale": Shape({"locale": HERE}, "x", "", 400, 400),
    "a timestamp of Latin-1": Shape({"timestamp": HERE}, "\u00e9", "", 400, 400),
    "a flag of Latin-1": Shape(
        {"conversation": {"id": "c", "isGroup": HERE}}, "\u00e9", "", 400, 400
    ),
    "a conversation's id": Shape({"conversation": {"id": HERE}}, "/", "", 400, 400),
    "a user's name": Shape({"from": {"id": "u", "name": HERE}}, "x", "", 400, 400),
    "a submitted text": Shape({"text": None, "value": {"color": HERE}}, "x", "", 200),
    "submitted objects": Shape({"text": None, "value": {"color": [HERE]}}, "{}"),
    "an executed text": Shape(
        {**EXECUTE, "value": {"action": {"type": "Action.Execute", "data": {"color": HERE}}}},
        EMOJI,
        "",
        200,
    ),
    # Models.
    "attachments": items("attachments", "{}"),
    "attachments with all": items("attachments", '{"contentType":"a","content":{},"name":"b"}'),
    "entities": items("entities", "{}"),
    "nothings": items("entities", "null"),
    "mentions of the bot": items(
        "entities", '{"type":"mention","text":"<at>%06d</at>","mentioned":{"id":"bot"}}'
    ),
    "mentions of the bot by one letter": items(
        "entities", '{"text":"x","mentioned":{"id":"bot"}}', text="x" * 100_000
    ),
    "members": items("membersAdded", '{"id":"%06d"}', type="conversationUpdate"),
    "members in Teams": items(
        "membersAdded", '{"id":"%06d"}', channelId="msteams", type="conversationUpdate"
    ),
    "members who leave": items("membersRemoved", '{"id":"%06d"}', type="conversationUpdate"),
    "reactions": items("reactionsAdded", "{}", type="messageReaction"),
    "suggested actions": Shape({"suggestedActions": {"actions": [HERE]}}, "{}"),
    "highlights": items("textHighlights", "{}"),
    # Free JSON, as it comes in and as it goes out again.
    "numbers": items("value", "1"),
    "short texts": items("channelData", '"%06d"'),
    "objects": items("channelData", "{}"),
    "long whole numbers": items("value", "9" * MAX_DIGITS, full=200),
    "properties": Shape({"value": HERE}, '"%06d":1', start="{", end="}"),
    "numbers said back": said_back("1"),
    "fractions said back": said_back("0.1"),
    "long whole numbers said back": said_back("9" * MAX_DIGITS, full=200),
    "texts said back": said_back(f'"{HAN * 3}"'),
    "objects said back": said_back("{}"),
    "properties said back": said_back('{"%06d":1}'),
    "lists said back": said_back("[[[[]]]]"),
}
"""What an attacker with a token might send."""


@pytest.fixture(scope="module")
def connector(running_cloud: Any) -> Iterator[DrainingConnector]:
    """A connector that accepts the replies."""
    with DrainingConnector(running_cloud.cloud.authority.server_context()) as connector:
        yield connector


@pytest.fixture(autouse=True)
def _no_typing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where measuring makes a turn slow, the bot sends nothing but its reply."""
    late = partial(ShowTypingMiddleware, delay=60.0)
    monkeypatch.setattr(turn_context, "ShowTypingMiddleware", late)


@pytest.fixture
def activity(app: ComposedApp, connector: DrainingConnector) -> dict[str, Any]:
    """A small message."""
    content = {"type": "message", "text": "hello", "recipient": BOT, "conversation": {"id": "c"}}
    return app.activity({**content, "serviceUrl": connector.service_url})


@pytest.fixture
async def token(app: ComposedApp, activity: dict[str, Any]) -> str:
    """The Authorization header for the activity; the app has had its first turns with it."""
    header = f"Bearer {TokenPress(app.cloud, activity).token()}"
    for content in (activity, {**activity, **EXECUTE}):
        await answered(app, http_request(json.dumps(content).encode(), header))
    return header


class Cost(NamedTuple):
    """The cost of one request.

    Attributes:
        status: of the HTTP response.
        peak: the most bytes that Python had allocated at once for the body and everything made from
            it, until the response. The garbage collector does not run meanwhile, since when it
            would depends on all that the process holds.
        kept: how many of these bytes are still allocated after the request has been released.
    """

    status: int
    peak: int
    kept: int


async def request_cost(app: ComposedApp, body: Callable[[], bytes], authorization: str) -> Cost:
    """Process a request as the host would, and measure it.

    Args:
        app: warmed up.
        body: makes the body, after the measurement has started.
        authorization: the value of the Authorization header.
    """
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        request = http_request(body(), authorization)
        tracemalloc.reset_peak()
        status = await answered(app, request)
        _, peak = tracemalloc.get_traced_memory()
        del request
        left, _ = tracemalloc.get_traced_memory()
        return Cost(status, peak - before, left - before)
    finally:
        tracemalloc.stop()
        gc.enable()


@pytest.mark.extended(covered_by=["tests/cloud_adapter/codec/test_body_cost.py"])
@pytest.mark.parametrize("name", SHAPES)
async def test_what_a_request_costs(
    name: str, app: ComposedApp, activity: dict[str, Any], token: str
) -> None:
    """Memory and work are bounded, for a body of 1 MiB and for the largest one that is accepted."""
    shape = SHAPES[name]
    for count, status in (
        (shape.largest(activity), shape.full),
        (shape.accepted(activity), shape.most),
    ):
        assert count > 100
        cost = await request_cost(app, lambda: shape.body(activity, count), token)  # noqa: B023
        request = http_request(shape.body(activity, count), token)
        with steps_counted() as steps:
            assert await answered(app, request) == status
        print(f"{name}: {count}, {cost}, {steps.total()} steps")
        assert cost.status == status
        assert cost.peak < MAX_PEAK_BYTES
        assert cost.kept < MAX_KEPT_BYTES
        assert steps.total() < MAX_STEPS


async def test_a_turn_that_runs_again(
    app: ComposedApp, activity: dict[str, Any], token: str
) -> None:
    """Each run starts with the activity as received, after the previous run's copy was freed."""
    shape, runs = SHAPES["attachments"], []

    async def conflicting(turn: TurnContext) -> None:
        runs.append(len(turn.activity.attachments))
        turn.activity.attachments.append(None)
        if len(runs) < MAX_RUNS:
            raise StateConflict("another turn was quicker")

    bot: Any = SimpleNamespace(on_turn=conflicting)
    app.parts = replace(app.parts, bot=bot)
    count = shape.accepted(activity)
    cost = await request_cost(app, lambda: shape.body(activity, count), token)
    assert (cost.status, runs) == (200, [count] * MAX_RUNS)
    assert cost.peak < MAX_PEAK_BYTES
    assert cost.kept < MAX_KEPT_BYTES


@pytest.mark.parametrize("name", SHAPES)
def test_the_check_of_a_body(name: str, activity: dict[str, Any]) -> None:
    """The check itself takes few steps, however large the body is."""
    shape = SHAPES[name]
    body = shape.body(activity, shape.largest(activity))
    with steps_counted() as steps:
        try:
            check_cost(body, body.decode())
        except BodyTooLarge:
            print("refused")
    assert steps.total() < 500


HEADERS = {
    "none": "",
    "not a token": "Bearer x.y.z",
    "forged": "Bearer forged",
}
"""Authorization headers without a valid token."""


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("name", ["ASCII", "emoji", "attachments", "lists said back", "commas"])
async def test_what_a_caller_without_a_token_costs(
    name: str, header: str, app: ComposedApp, activity: dict[str, Any]
) -> None:
    """Its body is neither decoded nor parsed."""
    press, shape = TokenPress(app.cloud, activity), SHAPES[name]
    authorization = HEADERS[header]
    if header == "forged":
        authorization = f"Bearer {press.token(key=press.other_key)}"

    def body() -> bytes:
        return shape.body(activity, shape.largest(activity))

    request = http_request(body(), authorization)
    with calls_counted() as calls:
        assert await answered(app, request) == 401
    assert [call for call in calls if "cloud_adapter.adapter" in call] == [
        "cloud_adapter.adapter:CloudAdapter.process",
        "cloud_adapter.adapter:check_head",
        "cloud_adapter.adapter:_is_json",
    ]
    cost = await request_cost(app, body, authorization)
    assert cost.peak < len(body()) + REFUSAL_BYTES
    assert cost.kept < REFUSAL_BYTES


async def test_no_body_counts_without_a_token(app: ComposedApp, token: str) -> None:
    """A broken body is 401, too; 403 with another bot's token, 400 or 413 with a good one."""
    press = TokenPress(app.cloud, {"serviceUrl": app.service_url})
    other = f"Bearer {press.token(press.claims(aud=app.conversation.id))}"
    for body in (b"", b"{", b"\xff", b"[]", b"{}", b"[" * MAX_BODY_BYTES):
        assert await answered(app, http_request(body, "")) == 401
        assert await answered(app, http_request(body, other)) == 403
        assert await answered(app, http_request(body, token)) in {400, 413}


async def test_a_body_while_keys_are_fetched(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, activity: dict[str, Any], token: str
) -> None:
    """While keys are fetched, only the host's own bytes are held; no reference to them is left."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        asked.set()
        await go_on.wait()
        return web.Response(status=503)

    async with ScriptedService() as service:
        service.otherwise = slow
        changes = {"ToBotFromChannelOpenIdMetadataUrl": f"{service.url}/keys"}
        async with ComposedApp(cloud, monkeypatch, changes) as app:
            request = http_request(SHAPES["attachments"].body(activity, 300_000), token)
            body = request.get_body()
            before = sys.getrefcount(body)
            gc.disable()
            try:
                waiting = asyncio.create_task(answered(app, request))
                await asked.wait()
                # One reference is the TurnRequest's, one that of the call that holds it.
                assert sys.getrefcount(body) <= before + 2
                go_on.set()
                assert await waiting == 503
                await comes_true(lambda: sys.getrefcount(body) == before)
            finally:
                gc.enable()
