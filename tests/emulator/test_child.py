"""Child: a process that a command starts and stops."""

import asyncio
import os
import sys
from pathlib import Path

from emulator.child import Child


def test_a_child_that_has_just_ended(tmp_path: Path) -> None:
    """It can be stopped even before the event loop notices that it has ended."""

    async def is_running() -> bool:
        child = Child([sys.executable, "-c", ""], {}, tmp_path)
        await child.start()
        os.waitpid(child.pid, 0)  # noqa: ASYNC222  # so that the loop cannot notice
        await child.stop()
        return child.is_running

    # Another loop than asyncio's own crashes if somebody else waits for its processes.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        assert not runner.run(is_running())
