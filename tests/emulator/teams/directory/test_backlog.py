"""The order of deliveries that wait."""

import asyncio

from emulator.teams.directory.backlog import Backlog
from tests.support.timing.loop_turns import settled


async def test_an_earlier_place_goes_first() -> None:
    """Also if its delivery starts to wait later."""
    backlog = Backlog()
    assert backlog.is_empty
    early, late, last = (backlog.new_place() for _ in range(3))
    with backlog.waiting(last):
        with backlog.waiting(late):
            await backlog.become_first(late)
            behind = asyncio.create_task(backlog.become_first(last))
            with backlog.waiting(early):
                await backlog.become_first(early)
                again = asyncio.create_task(backlog.become_first(late))
                await settled()
                assert not again.done()
            await again
            await settled()
            assert not behind.done()
        await behind
    assert backlog.is_empty
