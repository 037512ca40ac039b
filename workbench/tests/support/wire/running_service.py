"""RunningService: what a test starts and stops with `async with`."""

from abc import ABC, abstractmethod
from typing import Self


class RunningService(ABC):
    """Runs within an `async with` block."""

    @abstractmethod
    async def start(self) -> None:
        """Be there for the test."""

    @abstractmethod
    async def stop(self) -> None:
        """Leave nothing behind."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
