"""The inspector's WebSocket: all rows at first, then each change, however many there are."""

import asyncio
import tracemalloc

import aiohttp

from bot_workbench.emulator.feed.feed_client import FeedClient
from bot_workbench.emulator.inspector.inspector import BASE, Inspector
from bot_workbench.emulator.inspector.live_pages import INTERVAL_SECONDS
from bot_workbench.emulator.inspector.turns.turn_log import MAX_LOG_LINES
from tests.emulator.inspector.inspected_bot import InspectedBot
from tests.emulator.inspector.inspector_client import InspectorClient
from tests.support.timing.condition import comes_true


async def test_hello(client: InspectorClient, inspector: Inspector) -> None:
    """The first message has all rows, the services, the bot's status and the log lines."""
    inspector.status.set("ready")
    sent = await client.send(text="hello")
    inspector.log.log({"level": "INFO", "text": "outside"})
    async with client.live() as view:
        assert [row["id"] for row in view.hello["turns"]] == [sent["turn"]]
        assert view.hello["status"]["state"] == "ready"
        assert [line["text"] for line in view.hello["logs"]] == ["outside"]
        assert {each["name"] for each in view.hello["services"]} == {
            *("connector", "channel", "usertokens")
        }


async def test_changes(client: InspectorClient, inspector: Inspector, bot: InspectedBot) -> None:
    """A page gets each row as it is new and as it changes, status, services, lines, clearing."""
    async with client.live() as view, client.live() as other:
        sent = await client.send(text="hello")
        for each in (view, other):
            await comes_true(lambda each=each: _outcome(each.turns, sent["turn"]) == "done")  # type: ignore[misc]
        inspector.status.set("broken", "bot.py:1 SyntaxError")
        await comes_true(lambda: bool(view.of_type("status")))
        assert view.of_type("status")[-1]["status"]["text"] == "bot.py:1 SyntaxError"
        await client.call("PUT", "/services/connector/faults", {"status": 500})
        await comes_true(lambda: bool(other.of_type("services")))
        inspector.log.log({"text": "outside"})
        await comes_true(lambda: bool(view.of_type("log")))
        await client.call("DELETE", "/turns")
        await comes_true(lambda: not view.turns and not other.turns)
        await client.send(text="after")
        await comes_true(lambda: len(view.turns) == 1)
    assert len(bot.activities) == 2


def _outcome(turns: dict[str, dict[str, str]], turn_id: str) -> str:
    return turns.get(turn_id, {}).get("outcome", "")


async def test_many_changes_are_few_messages(client: InspectorClient, inspector: Inspector) -> None:
    """Thousands of changes in a second become some twenty messages, the last with all of them."""
    async with client.live() as view:
        start = asyncio.get_running_loop().time()
        for number in range(5000):
            turn = inspector.log.start(str(number % 50), "channel")
            turn.describe({"type": "message", "text": str(number)})
            inspector.log.changed(turn)
            if number % 100 == 0:
                await asyncio.sleep(0)
        await comes_true(
            lambda: {row["text"] for row in view.turns.values()} == set(map(str, range(4950, 5000)))
        )
        seconds = asyncio.get_running_loop().time() - start
        assert len(view.of_type("turns")) <= seconds / INTERVAL_SECONDS + 2


async def test_a_page_that_does_not_read(client: InspectorClient, inspector: Inspector) -> None:
    """A page that reads nothing holds up neither the others nor the bot."""
    async with client.session.ws_connect(f"{BASE}/live") as stalled, client.live() as view:
        for number in range(300):
            turn = inspector.log.start(str(number), "channel")
            turn.describe({"type": "message", "text": "x" * 200})
            inspector.log.changed(turn)
            inspector.log.log({"text": "y" * 10_000})
            await asyncio.sleep(0)
        sent = await client.send(text="hello")
        assert sent["status"] == 200
        await comes_true(lambda: sent["turn"] in view.turns)
        assert not stalled.closed


async def test_memory_of_a_page_that_does_not_read(
    client: InspectorClient, inspector: Inspector
) -> None:
    """What waits for such a page is bounded, however much is logged."""
    async with client.session.ws_connect(f"{BASE}/live"):
        tracemalloc.start()
        try:
            for number in range(5000):
                inspector.log.log({"text": f"{number:010000}"})
                if number % 100 == 0:
                    await asyncio.sleep(0)
            used, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert used < 20 * 1024 * 1024  # all lines are 50 MB


async def test_clearing_a_page_that_has_much_to_read(
    client: InspectorClient, inspector: Inspector
) -> None:
    """A page that gets many lines in between is cleared all the same, and then has these lines."""
    async with client.live() as view:
        await client.send(text="hello")
        await comes_true(lambda: len(view.turns) == 1)
        inspector.log.clear()
        for number in range(2 * MAX_LOG_LINES):
            inspector.log.log({"text": str(number)})
        await comes_true(lambda: len(view.of_type("log")) == MAX_LOG_LINES)
        kinds = [message["type"] for message in view.messages]
        assert kinds.index("cleared") < kinds.index("log")
        assert view.of_type("log")[-1]["log"]["text"] == str(2 * MAX_LOG_LINES - 1)


async def test_lines_before_clearing(client: InspectorClient, inspector: Inspector) -> None:
    """A line that waits when all is cleared is not sent, one that comes then is."""
    async with client.live() as view:
        inspector.log.log({"text": "before"})
        inspector.log.clear()
        inspector.log.log({"text": "after"})
        await comes_true(lambda: bool(view.of_type("log")))
        assert [message["log"]["text"] for message in view.of_type("log")] == ["after"]


async def test_tokens_are_not_sent(client: InspectorClient, inspector: Inspector) -> None:
    """Neither a row nor a log line shows a page the tokens that are in it."""
    token = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJib3QifQ.c2lnbmF0dXJl"  # no secret
    async with client.live() as view:
        sent = await client.send(text=f"my token: {token}")
        inspector.log.log({"text": token})
        await comes_true(lambda: sent["turn"] in view.turns and bool(view.of_type("log")))
        assert view.turns[sent["turn"]]["text"] == "my token: [token]"
        assert view.of_type("log")[0]["log"]["text"] == "[token]"


async def test_reports_of_a_worker(client: InspectorClient, inspector: Inspector) -> None:
    """What a worker sends to the feed reaches the page; its end ends its turns."""
    worker = FeedClient(inspector.feed.address, "worker", {})
    worker.start()
    async with client.live() as view:
        activity = {"type": "message", "text": "hello"}
        worker.send({"event": "turn_started", "turn": "1", "kind": "queued", "activity": activity})
        worker.send({"event": "log", "turn": "1", "level": "INFO", "text": "in a turn"})
        await comes_true(lambda: view.turns.get("1", {}).get("logs") == 1)
        worker.close()
        await comes_true(lambda: view.turns["1"]["error"] == "The process ended.")
        assert view.turns["1"]["outcome"] == "failed"


async def test_strangers_at_the_feed(client: InspectorClient, inspector: Inspector) -> None:
    """Without the secret, and with what is not JSON, nothing is taken, and others are served."""
    port = inspector.feed.address.port
    for lines in (b"{}\n", b"[]\n", b"\xff\n", b"[" * 100_000 + b"\n", b'{"secret": "x"}\n'):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(lines + b'{"event": "turn_started", "turn": "stranger"}\n')
        await writer.drain()
        writer.close()
    worker = FeedClient(inspector.feed.address, "worker", {})
    worker.start()
    worker.send({"event": "turn_started", "turn": "worker"})
    await comes_true(lambda: inspector.log.find("worker") is not None)
    worker.close()
    assert [row["id"] for row in await client.rows()] == ["worker"]


async def test_close(client: InspectorClient, inspector: Inspector) -> None:
    """When the local cloud ends, pages see the connection closed."""
    async with client.session.ws_connect(f"{BASE}/live") as socket:
        await socket.receive()
        await inspector.close()
        assert (await socket.receive()).type in (
            *(aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED),
        )
