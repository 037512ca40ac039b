"""StorageCalls: what Azure's clients send meanwhile."""

from typing import Any

import pytest
from azure.core.pipeline.transport import AioHttpTransport


class StorageCalls:
    """Counts the requests, each of which goes its way.

    Args:
        monkeypatch: takes the count's end.

    Attributes:
        sent: method and path of each.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[str] = []
        send = AioHttpTransport.send

        async def counted(transport: Any, request: Any, **options: Any) -> Any:
            if "x-ms-version" in request.headers:  # storage, not the identity endpoint
                self.sent.append(f"{request.method} {request.url.partition('?')[0]}")
            return await send(transport, request, **options)

        monkeypatch.setattr(AioHttpTransport, "send", counted)

    def take(self) -> list[str]:
        """The requests since the last time, methods alone."""
        taken, self.sent = self.sent, []
        return [each.partition(" ")[0] for each in taken]
