"""Work on a storage account from a test that is not asynchronous."""

import asyncio
from collections.abc import Awaitable, Callable

from auth.settings import StorageSource
from cloud_adapter.storage.account import StorageAccount
from http_client.pool import HttpPool


def in_account[Answer](
    connection_string: str, work: Callable[[StorageAccount], Awaitable[Answer]]
) -> Answer:
    """Run a coroutine function with a client of the account, in an event loop of its own."""

    async def worked() -> Answer:
        account = StorageAccount(StorageSource(connection_string), HttpPool())
        try:
            return await work(account)
        finally:
            await account.close()

    return asyncio.run(worked())
