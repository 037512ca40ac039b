"""Death: the end of the app in the middle of a turn."""

import asyncio
from collections.abc import Callable


class Death:
    """Once it has come, no response of the connector reaches the app, which sends nothing more.

    Args:
        is_due: whether it comes now; asked before and after each call to the connector.

    Attributes:
        has_come: done once it has come.
    """

    def __init__(self, is_due: Callable[[], bool]) -> None:
        self.has_come: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_due = is_due
        self._is_unwinding = asyncio.Event()

    async def meet(self) -> None:
        """Return while the app lives.

        Raises:
            CancelledError: it does not, and its turns are being ended.
        """
        if not self.has_come.done() and self._is_due():
            self.has_come.set_result(None)
        if self.has_come.done():
            # Not raised at once: the cancellation of the turn is to be all that ends it.
            await self._is_unwinding.wait()
            raise asyncio.CancelledError

    def unwind(self) -> None:
        """End the calls that are under way: the turns that wait for them can end."""
        self._is_unwinding.set()
