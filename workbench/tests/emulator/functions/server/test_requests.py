"""What a function receives of a request."""

import asyncio
import base64
import gzip
import hashlib
import io
import os
from collections.abc import AsyncIterator

import pytest
from multidict import CIMultiDict

from bot_workbench.emulator.loopback import LOOPBACK
from tests.support.bots.bot_process import BotProcess
from tests.support.wire.host_client import HostClient


async def test_header_names_are_lower_cased_and_repeated_ones_joined(
    client: HostClient,
) -> None:
    """A function sees each header once, by its lower-case name, values joined with a comma."""
    sent = CIMultiDict([("X-Mixed-Case", "a"), ("X-Twice", "1"), ("X-Twice", "2"), ("X-Empty", "")])
    headers = (await client.echo(headers=sent))["headers"]
    assert headers["x-mixed-case"] == "a"
    assert headers["x-twice"] == "1,2"
    assert headers["x-empty"] == ""
    assert "X-Mixed-Case" not in headers


async def test_query_is_decoded_joined_and_without_empty_values(client: HostClient) -> None:
    """Query values arrive decoded; repeated fields are joined with a comma, empty ones dropped."""
    received = await client.echo("/api/echo?a=1&b=&a=2&c&d=%C3%BC+x")
    assert received["query"] == {"a": "1,2", "d": "\u00fc x"}


async def test_url_and_method_are_those_of_the_request(
    client: HostClient, host: BotProcess
) -> None:
    """The function sees the URL as it was called, query and encoding included."""
    received = await client.echo("/api/echo/a%20b?c=d")
    assert received["url"] == f"{host.url}/api/echo/a%20b?c=d"
    assert received["method"] == "POST"


async def test_route_parameters_are_decoded_and_absent_ones_left_out(
    client: HostClient,
) -> None:
    """Optional route parameters that the path lacks are not in the parameters."""
    assert (await client.echo())["params"] == {}
    assert (await client.echo("/api/echo/%C3%BC"))["params"] == {"first": "\u00fc"}
    for encoded in ("a%2Fb", "a%252Fb"):  # Kestrel makes no difference between the two
        assert (await client.echo(f"/api/echo/{encoded}"))["params"] == {"first": "a%2Fb"}
    assert (await client.echo("/api/echo/a/b"))["params"] == {"first": "a", "second": "b"}


BODIES = {
    "empty": b"",
    "json": b'{"a": 1}',
    "non-ascii": "gr\u00fc\u00df \U0001f600".encode(),
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_body_is_always_bytes(client: HostClient, body: bytes) -> None:
    """Whatever its content and type, the body arrives as the bytes that were sent."""
    received = await client.echo(data=body, headers={"Content-Type": "application/json"})
    assert received["type"] == "bytes"
    assert base64.b64decode(received["body"]) == body


async def test_large_body_is_not_capped(client: HostClient) -> None:
    """A body of many megabytes reaches the function: a limit is up to the app."""
    body = os.urandom(8 * 1024 * 1024)
    received = await client.echo(data=io.BytesIO(body))
    digest = hashlib.sha256(base64.b64decode(received["body"])).digest()
    assert digest == hashlib.sha256(body).digest()


async def test_body_without_content_length_is_dropped(client: HostClient) -> None:
    """A chunked body does not reach the function, and the connection stays usable."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"never "
        yield b"seen"

    received = await client.echo(data=chunks())
    assert "content-length" not in received["headers"]
    assert received["body"] == ""
    assert (await client.echo(data=b"next"))["body"] == base64.b64encode(b"next").decode()


async def test_compressed_body_is_passed_on_as_sent(client: HostClient) -> None:
    """The host does not unpack a body."""
    body = gzip.compress(b"packed")
    received = await client.echo(data=body, headers={"Content-Encoding": "gzip"})
    assert base64.b64decode(received["body"]) == body


async def test_client_that_awaits_100_continue_gets_it(client: HostClient) -> None:
    """A client that waits for `100 Continue` before the body gets it."""
    received = await client.echo(data=b"asked first", expect_continue=True)
    assert base64.b64decode(received["body"]) == b"asked first"


async def test_client_that_disconnects_does_not_cancel_the_function(client: HostClient) -> None:
    """The function runs to its end although its caller is gone."""
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    gone = asyncio.Event()

    async def witness(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.put_nowait(await reader.readline())
        await gone.wait()
        writer.write(b"continue\n")
        lines.put_nowait(await reader.readline())
        writer.close()

    async with await asyncio.start_server(witness, LOOPBACK, 0) as server:
        port = server.sockets[0].getsockname()[1]
        call = asyncio.create_task(client.echo("/api/lasting", str(port).encode()))
        assert await lines.get() == b"started\n"
        call.cancel()
        gone.set()
        assert await lines.get() == b"finished\n"
