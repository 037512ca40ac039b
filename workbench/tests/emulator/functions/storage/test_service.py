"""StorageService: how long the host waits for its storage account."""

import asyncio

import pytest

from bot_workbench.emulator.functions.errors import StorageError
from bot_workbench.emulator.functions.storage.connection import StorageConnection
from bot_workbench.emulator.functions.storage.service import StorageService
from bot_workbench.emulator.loopback import LOOPBACK
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock


async def test_a_silent_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host waits for a hundred seconds, as Azure's does."""
    clock = MovedClock(monkeypatch)
    asked = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, LOOPBACK, 0) as server:
        port = server.sockets[0].getsockname()[1]
        connection = StorageConnection(
            "queue", f"http://{LOOPBACK}:{port}/a", "AccountName=a;AccountKey=YQ=="
        )
        service = StorageService(connection, {})
        call = asyncio.create_task(service.call("GET", "work/messages", {}, retries=False))
        await asked.wait()
        clock.move(80)  # not closer to the limit: real seconds pass, too
        await settled()
        assert not call.done()
        clock.move(21)
        with pytest.raises(StorageError, match="does not answer"):
            await call
