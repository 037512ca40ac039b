"""StorageProxies: a storage account whose ports can be closed while a bot uses it."""

import re

from tests.support.wire.running_service import RunningService
from tests.support.wire.tcp_proxy import TcpProxy

_ENDPOINT = re.compile(r"((?:Blob|Queue)Endpoint=http://127\.0\.0\.1:)(\d+)")


class StorageProxies(RunningService):
    """Stands in front of the account's blobs and queues.

    Args:
        connection_string: the account's, at Azurite.
    """

    def __init__(self, connection_string: str) -> None:
        self._direct = connection_string
        self._proxies = [TcpProxy(int(port)) for _, port in _ENDPOINT.findall(connection_string)]

    async def start(self) -> None:
        """Open the ports, also again after `cut`."""
        for proxy in self._proxies:
            await proxy.start()

    async def stop(self) -> None:
        """The end of it."""
        await self.cut()

    @property
    def connection_string(self) -> str:
        """The account's, through the proxies."""
        ports = iter(self._proxies)
        return _ENDPOINT.sub(lambda found: f"{found[1]}{next(ports).port}", self._direct)

    async def cut(self) -> None:
        """Close the ports, and every connection."""
        for proxy in self._proxies:
            await proxy.cut()
