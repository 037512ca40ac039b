"""FeedThread: a feed of a test's own, and all events that arrive there."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterable
from typing import Any, Self

from bot_workbench.emulator.feed.feed_server import FeedServer
from tests.support.timing.condition import SECONDS, until

Event = dict[str, Any]


class FeedThread:
    """Runs a FeedServer on an event loop of its own.

    Attributes:
        events: those that have arrived.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._server = FeedServer()
        self._server.on_event = self.events.append
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="feed server")

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._server.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a process that reports here."""
        return self._server.address.settings()

    @property
    def text(self) -> str:
        """Everything that has arrived, as JSON."""
        return json.dumps(self.events)

    def of(self, turn: str, *kinds: str) -> list[Event]:
        """The events of a turn, of these kinds or all."""
        return selected((each for each in list(self.events) if each.get("turn") == turn), kinds)

    def kinds(self, *kinds: str) -> list[Event]:
        """The events of these kinds, of all turns."""
        return selected(list(self.events), kinds)

    def one(self, turn: str, kind: str, **fields: Any) -> Event:
        """The only event of a turn of this kind with these fields."""
        [found] = [each for each in self.of(turn, kind) if fields.items() <= each.items()]
        return found

    def wait(self, condition: Callable[[], object], seconds: float = SECONDS) -> None:
        """Wait until a condition on what has arrived is true."""
        until(lambda: bool(condition()), seconds)

    def wait_for_end(self, turn: str, ends: int = 1) -> Event:
        """Wait until a turn has ended so often, and return its last end."""
        self.wait(lambda: len(self.of(turn, "turn_ended")) >= ends)
        return self.of(turn, "turn_ended")[ends - 1]

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=SECONDS)


def selected(events: Iterable[Event], kinds: tuple[str, ...]) -> list[Event]:
    """The events of some kinds; without kinds, all."""
    return [each for each in events if not kinds or each["event"] in kinds]
