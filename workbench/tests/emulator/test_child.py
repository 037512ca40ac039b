"""Child: a process that a command starts and stops."""

import asyncio
import os
import sys
from pathlib import Path

from bot_workbench.emulator.child import Child

ENDS_WITH_THE_PIPE = "import os, sys; os.read(int(sys.argv[1]), 1)"


def test_a_child_that_has_just_ended(tmp_path: Path) -> None:
    """It can be stopped even before the event loop notices that it has ended."""

    async def is_running() -> bool:
        theirs, ours = os.pipe()
        command = [sys.executable, "-c", ENDS_WITH_THE_PIPE, str(theirs)]
        child = Child(command, {}, tmp_path, descriptors=[theirs])
        await child.start()
        os.close(theirs)
        os.close(ours)
        os.waitpid(child.pid, 0)  # noqa: ASYNC222  # so that the loop cannot notice
        await child.stop()
        return child.is_running

    # Another loop than asyncio's own crashes if somebody else waits for its processes.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        assert not runner.run(is_running())
