"""BotStatus: whether the bot can answer now, as its Functions host reports it."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

POLL_SECONDS = 0.25
"""Between two attempts to connect to a bot whose host reports nothing."""

UNKNOWN: dict[str, Any] = {"state": "unknown", "text": ""}


class BotStatus:
    """The last status, and a wait until the bot answers.

    Args:
        endpoint: returns the bot's messaging endpoint (URL).

    Attributes:
        current: the last status that was reported.
        on_change: called with each new status.
    """

    def __init__(self, endpoint: Callable[[], str]) -> None:
        self.current: dict[str, Any] = UNKNOWN
        self.on_change: list[Callable[[dict[str, Any]], None]] = []
        self._endpoint = endpoint
        self._answers: bool | None = None
        self._changed = asyncio.Event()

    @property
    def answers(self) -> bool:
        """Whether a delivery may be tried: the host has not said otherwise."""
        return self._answers is not False

    def report(self, status: dict[str, Any]) -> None:
        """Take a status event of the feed, or of a program that watches the host.

        Args:
            status: `state` is starting, loading, ready, broken or stopped.
        """
        state = status.get("state")
        if state in ("starting", "stopped"):
            self._answers = False
        elif state == "ready":
            self._answers = True
        elif state in ("loading", "broken"):
            # The code before it keeps answering, if there is any.
            self._answers = bool(self._answers)
        self.current = status
        self._changed.set()
        self._changed = asyncio.Event()
        for callback in self.on_change:
            callback(status)

    async def wait_until_it_answers(self) -> None:
        """Return when the host has said so, or without a host's word, when one can connect."""
        while not self.answers:
            await self._changed.wait()
        while self._answers is None and not await self._is_listening():  # noqa: ASYNC110  # no event
            await asyncio.sleep(POLL_SECONDS)

    async def _is_listening(self) -> bool:
        address = urlsplit(self._endpoint())
        port = address.port or (443 if address.scheme == "https" else 80)
        try:
            _, writer = await asyncio.open_connection(address.hostname, port)
        except OSError:
            return False
        writer.close()
        return True
