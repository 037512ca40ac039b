"""CloudThread: the local cloud on an event loop of its own, beside the test's."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self

from bot_workbench.emulator.cloud import Cloud


class CloudThread:
    """Runs a Cloud in a thread, so that tests reach its state while an app talks to it.

    Args:
        cloud: not started yet.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="local cloud")

    def __enter__(self) -> Self:
        self._thread.start()
        self.do(self.cloud.start())
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        await self.cloud.stop()
        # Handlers of requests that were never to be answered outlive their servers.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def do[Result](self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine on the cloud's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def call[**Parameters, Result](
        self,
        function: Callable[Parameters, Result],
        *arguments: Parameters.args,
        **named: Parameters.kwargs,
    ) -> Result:
        """Call a function on the cloud's loop, which alone may change what the cloud stores."""

        async def called() -> Result:
            return function(*arguments, **named)

        return self.do(called())

    def stop(self, name: str) -> None:
        """Close a part's port."""
        self.do(self.cloud.servers[name].stop())

    def start(self, name: str) -> None:
        """Open a part's port again."""
        self.do(self.cloud.servers[name].start())
