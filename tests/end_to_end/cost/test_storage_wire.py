"""StorageWire: when everything that was sent has ended."""

import asyncio

import pytest

from bot_workbench.emulator.loopback import LOOPBACK
from tests.support.storage.storage_wire import StorageWire
from tests.support.timing.condition import comes_true

pytestmark = pytest.mark.extended


async def test_a_request_that_is_given_up() -> None:
    """It has ended, too, although it never gets an answer."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, LOOPBACK, 0) as storage:
        port = storage.sockets[0].getsockname()[1]
        async with StorageWire(f"BlobEndpoint=http://{LOOPBACK}:{port}") as wire:
            _, writer = await asyncio.open_connection(
                LOOPBACK, int(wire.connection_string.rpartition(":")[2])
            )
            writer.write(b"GET /account HTTP/1.1\r\n\r\n")
            await comes_true(lambda: len(wire.exchanges) == 1)
            writer.close()
            await wire.quiet()
            assert [each.ended for each in wire.exchanges] == [2]
