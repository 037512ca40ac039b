"""The inspector of a running `make run`: what its API says of turns, and what the terminal does."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot_workbench.emulator.loopback import free_port
from tests.emulator.inspector.inspector_client import InspectorClient
from tests.support.bots.app_folder import TEST_BOT
from tests.support.bots.make_target import MakeTarget
from tests.support.timing.condition import comes_true, found

CHAT = r"Chat: +(http://\S+)"
SECRET = "my password is hunter2"  # no secret
LINE = re.compile(r"\d\d:\d\d:\d\d  (\S.*)")
FAILURE = re.compile(r" 4 characters +failed +\d+ ms .* \S+\.py:\d+ ValueError$")
ANSWERED = re.compile(r"characters +(?:200|done) +\d+ ms")
HOST_LINE = re.compile(r"INFO bot_workbench\.emulator\.functions\.\S+: .*(?:answered|processed)")
"""What the Functions host says of a request or a message, of which the terminal has a line."""


@pytest.fixture(params=["Inline", "Queued"])
def run(request: pytest.FixtureRequest, tmp_path: Path, logs: Path) -> Any:
    """A running bot; its state is in Azurite."""
    variables = {
        "BOT": str(TEST_BOT),
        "STORAGE": str(tmp_path / "storage"),
        "PORT": str(free_port()),
        "CHAT_PORT": str(free_port()),
        "TURNS": request.param,
    }
    with MakeTarget("run", CHAT, logs / f"inspected {request.param}.log", variables) as target:
        yield target


@pytest.fixture
async def client(run: MakeTarget) -> AsyncIterator[InspectorClient]:
    """A client of its inspector."""
    async with aiohttp.ClientSession(run.found.rstrip("/")) as session:
        yield InspectorClient(session)


def turn_lines(run: MakeTarget, kind: str) -> list[str]:
    """The terminal's lines about turns of a kind."""
    matches = (LINE.match(line) for line in list(run.output))
    return [match[1].rstrip() for match in matches if match and match[1].startswith(f"{kind} ")]


def lengths(run: MakeTarget) -> list[str]:
    """The text lengths of answered messages, as the terminal has them."""
    return [re.split(r"\s{2,}", line)[1] for line in answered(run)]


def failures(run: MakeTarget) -> list[str]:
    """The terminal's lines about messages that failed, and where."""
    return [line for line in turn_lines(run, "message") if FAILURE.search(line)]


async def is_recorded(client: InspectorClient) -> bool:
    """Send one more message; whether any turn has been recorded by now."""
    sent = await client.send(text="good morning")
    await client.turn_with(sent["turn"], outcome="done")
    return any(row["detailed"] for row in await client.rows())


async def is_complete(client: InspectorClient, turn_id: str) -> bool:
    """Whether a turn has what `count` does."""
    turn = await client.turn(turn_id)
    replies = [reply["text"] for reply in turn["replies"] if "text" in reply]
    has_written = any(state["op"] == "write" for state in turn["state"])
    called = {call["purpose"] for call in turn["calls"]}
    return replies == ["Count: 1"] and has_written and called >= {"connector", "storage"}


async def test_turns(run: MakeTarget, client: InspectorClient) -> None:
    """A recorded turn has its state and calls; the terminal has a line for each, and no words."""
    async with client.live():
        await found(lambda: is_recorded(client))
        sent = await client.send(text="count")
        await found(lambda: is_complete(client, sent["turn"]))
        failed = await client.send(text="fail", value={"secret": SECRET})
        raised = await client.turn_with(failed["turn"], outcome="failed")
        assert "ValueError" in raised["error"]
        await comes_true(lambda: bool(failures(run)))
        assert len(failures(run)) == 1
        await client.send(text=SECRET)
        unhandled = await client.send(type="invoke", name="composeExtension/query")
        assert unhandled["status"] == 501
        wanted = ["5 characters", f"{len(SECRET)} characters"]
        await comes_true(lambda: set(wanted) <= set(lengths(run)))
        await comes_true(lambda: bool(turn_lines(run, "composeExtension/query")))
    assert [lengths(run).count(each) for each in wanted] == [1, 1]
    assert turn_lines(run, "composeExtension/query")[0].endswith(
        "Nothing handles composeExtension/query: write on_teams_messaging_extension_query"
    )
    assert "hunter2" not in "".join(run.output)
    assert not [line for line in run.output if HOST_LINE.search(line)]


async def counted(client: InspectorClient) -> Any:
    """A turn that counts; None: refused, because a lease from before the stop is still held."""
    sent = await client.send(text="count")
    if sent["status"] == 503:
        return None
    return await client.turn_with(sent["turn"], outcome="done")


def answered(run: MakeTarget) -> list[str]:
    """The terminal's lines about messages that the bot has answered."""
    return [line for line in turn_lines(run, "message") if ANSWERED.search(line)]


async def test_faults_of_storage(run: MakeTarget, client: InspectorClient) -> None:
    """A fault of the storage is retried in the turn; a storage that is back has its data."""
    first = await client.send(text="count")
    await client.turn_with(first["turn"], outcome="done")
    await client.call("PUT", "/services/blobs/faults", {"status": 503, "remaining": 1})
    again = await client.send(text="count")
    await client.turn_with(again["turn"], outcome="done")
    await client.call("POST", "/services/blobs/stop")
    lost = await client.send(text="count")
    assert lost["status"] == 503
    await client.call("POST", "/services/blobs/start")
    turn = await found(lambda: counted(client))
    texts = [reply["text"] for reply in turn["replies"] if "text" in reply]
    assert texts == ["Count: 3"]
    await comes_true(lambda: len(answered(run)) == 3)
    assert [line for line in turn_lines(run, "message") if " 503 " in line]
