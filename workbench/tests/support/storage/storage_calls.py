"""StorageCalls: what is sent to storage meanwhile."""

from types import MappingProxyType
from typing import Any

import pytest

from http_client.pool import HttpPool


class StorageCalls:
    """Counts the requests, each of which goes its way.

    Args:
        monkeypatch: takes the count's end.

    Attributes:
        sent: method and path of each.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[str] = []
        send = HttpPool.request

        async def counted(
            pool: HttpPool,
            method: str,
            url: str,
            headers: Any = MappingProxyType({}),
            *rest: Any,
            **options: Any,
        ) -> Any:
            if "x-ms-version" in headers:  # storage, not another service
                self.sent.append(f"{method} {url.partition('?')[0]}")
            return await send(pool, method, url, headers, *rest, **options)

        monkeypatch.setattr(HttpPool, "request", counted)

    def take(self) -> list[str]:
        """The requests since the last time, methods alone."""
        taken, self.sent = self.sent, []
        return [each.partition(" ")[0] for each in taken]
