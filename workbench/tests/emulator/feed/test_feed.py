"""The feed: what processes send arrives, in order and complete, and nothing stops either side."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from bot_workbench.emulator.feed.feed_address import FeedAddress
from bot_workbench.emulator.feed.feed_client import MAX_WAITING_BYTES, FeedClient
from bot_workbench.emulator.loopback import LOOPBACK
from tests.support.project import ROOT
from tests.support.recording.feed_thread import FeedThread
from tests.support.timing.condition import SECONDS


@pytest.fixture
def feed() -> Iterator[FeedThread]:
    """A feed."""
    with FeedThread() as thread:
        yield thread


def address_of(feed: FeedThread) -> FeedAddress:
    """Where a feed is."""
    address = FeedAddress.of(feed.settings)
    assert address is not None
    return address


def connected(feed: FeedThread, *lines: Any) -> socket.socket:
    """A connection on which lines have been sent: JSON, or bytes as they are."""
    connection = socket.create_connection((LOOPBACK, address_of(feed).port), timeout=SECONDS)
    for line in lines:
        content = line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
        connection.sendall(content)
    return connection


def send_megabytes(connection: socket.socket, count: int) -> None:
    """Send a line that does not end."""
    for _ in range(count):
        connection.sendall(b"x" * (1024 * 1024))


def test_events_arrive(feed: FeedThread) -> None:
    """In their order, with the role and the id of their process."""
    client = FeedClient(address_of(feed), "worker", {})
    client.start()
    for number in range(1000):
        client.send({"event": "x", "number": number})
    client.close()
    feed.wait(lambda: len(feed.kinds("x")) == 1000)
    assert [each["number"] for each in feed.kinds("x")] == list(range(1000))
    assert {each["role"] for each in feed.events} == {"worker"}
    feed.wait(lambda: feed.kinds("disconnected"))


@pytest.mark.parametrize(
    "greeting",
    [
        {"secret": "wrong", "role": "worker"},
        {"secret": "falsch\u00e9", "role": "worker"},
        {"secret": None},
        {},
        [],
        b"not JSON\n",
        b"\xff\xfe\n",
        b"\n",
        b"[" * 100_000 + b"\n",
    ],
)
def test_without_the_secret(feed: FeedThread, greeting: Any) -> None:
    """A connection without the secret is closed, and nothing of it is accepted."""
    with connected(feed, greeting) as connection:
        assert connection.recv(100) == b""
    assert feed.events == []


def test_a_silent_connection() -> None:
    """The feed stops although a connection has sent nothing."""
    with FeedThread() as feed:
        silent = connected(feed)
        greeting = {"secret": address_of(feed).secret, "role": "worker", "pid": 1}
        with connected(feed, greeting):  # accepted after the silent one
            feed.wait(lambda: feed.kinds("connected"))
    with silent:
        assert silent.recv(100) == b""


def test_garbage_after_the_secret(feed: FeedThread) -> None:
    """Lines that are not events are ignored."""
    greeting = {"secret": address_of(feed).secret, "role": "worker", "pid": 1}
    deep = b"[" * 100_000 + b"\n"
    with connected(feed, greeting, b"garbage\n", [], b"\xff\n", deep, {"event": "x"}):
        feed.wait(lambda: feed.kinds("x"))
    feed.wait(lambda: feed.kinds("disconnected"))


def test_a_line_without_end(feed: FeedThread, caplog: pytest.LogCaptureFixture) -> None:
    """A line that is too long ends its connection and no other, without a word in the terminal."""
    greeting = {"secret": address_of(feed).secret, "role": "worker", "pid": 1}
    with connected(feed, greeting, {"event": "x"}) as other:
        with connected(feed, greeting) as connection, pytest.raises(ConnectionError):
            send_megabytes(connection, 300)
        other.sendall(b'{"event": "y"}\n')
        feed.wait(lambda: feed.kinds("y"))
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


def test_a_large_event(feed: FeedThread) -> None:
    """An event of megabytes arrives."""
    client = FeedClient(address_of(feed), "worker", {})
    client.start()
    client.send({"event": "x", "text": "x" * 20_000_000})
    feed.wait(lambda: feed.kinds("x"))
    assert len(feed.kinds("x")[0]["text"]) == 20_000_000
    client.close()


def test_many_clients(feed: FeedThread) -> None:
    """Many processes report at the same time."""
    clients = [FeedClient(address_of(feed), "worker", {}) for _ in range(30)]
    for client in clients:
        client.start()
    for number in range(100):
        for client in clients:
            client.send({"event": "x", "number": number})
    feed.wait(lambda: len(feed.kinds("x")) == 3000)
    for client in clients:
        client.close()
    feed.wait(lambda: len(feed.kinds("disconnected")) == 30)


def test_a_killed_process(feed: FeedThread) -> None:
    """A process that is killed is disconnected."""
    program = (
        "import os, time\n"
        "from bot_workbench.emulator.feed.feed_address import FeedAddress\n"
        "from bot_workbench.emulator.feed.feed_client import FeedClient\n"
        "client = FeedClient(FeedAddress.of(os.environ), 'worker', os.environ)\n"
        "client.start()\n"
        "while True:\n"
        "    client.send({'event': 'x', 'text': 'x' * 1000})\n"
        "    time.sleep(0.001)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], env=feed.settings, cwd=ROOT)
    feed.wait(lambda: feed.kinds("x"))
    process.kill()
    process.wait(SECONDS)
    feed.wait(lambda: feed.kinds("disconnected"))
    assert feed.kinds("connected")[0]["pid"] == process.pid


def test_nobody_listens() -> None:
    """Without a local cloud, events are dropped, and nothing waits for it."""
    with socket.socket() as taken:  # nobody else gets the port meanwhile
        taken.bind((LOOPBACK, 0))
        client = FeedClient(FeedAddress(taken.getsockname()[1], "secret"), "worker", {})
        client.start()
        for _ in range(1000):
            client.send({"event": "x"})
        client.close()


def test_a_new_local_cloud() -> None:
    """A client of a local cloud that is gone stays silent; a new one is for new processes."""
    with FeedThread() as first:
        client = FeedClient(address_of(first), "worker", {})
        client.start()
        first.wait(lambda: first.kinds("connected"))
    with FeedThread() as second:
        client.send({"event": "x"})
        client.close()
        assert second.events == []


def test_a_local_cloud_that_does_not_read() -> None:
    """Events beyond a limit are dropped, and counted once there is room; nobody waits.

    What follows arrives, without another count.
    """
    with socket.create_server((LOOPBACK, 0)) as server:
        client = FeedClient(FeedAddress(server.getsockname()[1], "secret"), "worker", {})
        client.start()
        peer, _ = server.accept()
        text = "x" * 1_000_000
        sent = 2 * MAX_WAITING_BYTES // len(text)
        for number in range(sent):
            client.send({"event": "x", "number": number, "text": text})
        with peer, peer.makefile("rb") as lines:
            numbers: list[int] = []
            dropped = 0
            while not dropped and len(numbers) < sent:
                event = json.loads(lines.readline())
                if event.get("event") == "x":
                    numbers.append(event["number"])
                    client.send({"event": "y"})
                dropped = event.get("count", 0)
            client.send({"event": "x", "number": sent, "text": text})
            client.close(timeout_seconds=0)
            *others, last = (json.loads(line) for line in lines)
        assert dropped
        assert numbers == list(range(len(numbers)))
        assert len(numbers) + dropped >= sent
        assert {each["event"] for each in others} <= {"y"}
        assert last["number"] == sent


def test_values_that_are_no_json(feed: FeedThread) -> None:
    """They are sent as their text."""
    client = FeedClient(address_of(feed), "worker", {})
    client.start()
    client.send({"event": "x", "path": ROOT})
    feed.wait(lambda: feed.kinds("x"))
    assert feed.kinds("x")[0]["path"] == str(ROOT)
    client.close()
