"""The order of deliveries that wait."""

import asyncio

from bot_workbench.emulator.teams.directory.backlog import Backlog
from tests.support.timing.loop_turns import settled


async def test_first_attempts_keep_their_places() -> None:
    """A delivery waits for one in front whose first attempt is under way, and may yet fail."""
    backlog = Backlog()
    with backlog.place() as only:
        assert backlog.is_empty
        await only.become_first()
        assert not backlog.is_empty
    with backlog.place() as early:
        assert backlog.is_empty
        with backlog.place() as late:
            behind = asyncio.create_task(late.become_first())
            await settled()
            assert not behind.done()
            await early.become_first()
            await settled()
            assert not behind.done()
            behind.cancel()


async def test_one_after_the_other() -> None:
    """Each goes when the one in front is over, however long that takes."""
    backlog = Backlog()
    went: list[int] = []

    async def deliver(number: int) -> None:
        with backlog.place() as place:
            await place.become_first()
            for _ in range(5 - number):
                await settled()
            went.append(number)

    await asyncio.gather(*(deliver(number) for number in range(5)))
    assert went == [0, 1, 2, 3, 4]
    assert backlog.is_empty
