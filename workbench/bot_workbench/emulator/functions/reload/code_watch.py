"""CodeWatch: notices changes of an app's code."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from watchfiles import Change, DefaultFilter, awatch

from bot_workbench.emulator.functions.reload.code_folders import CodeFolders

STEP_MILLISECONDS = 30
"""Changes that follow each other within this time are one."""

MAX_MILLISECONDS = 500
"""The longest wait for the last of many changes."""

TEMPORARY = ("4913", "#", ".")
"""The beginnings of the names of files that editors make while they save."""


class CodeWatch:
    """Watches by the operating system's notifications.

    Args:
        app: the folder of function_app.py, absolute.
    """

    def __init__(self, app: Path) -> None:
        self._app = app

    async def run(self, on_change: Callable[[Sequence[Path]], None]) -> None:
        """Call back with the real paths of files that were written, made or removed, for ever.

        Raises:
            OSError: the operating system refuses to watch so many files.
            RuntimeError: it has lost track of them, as watchfiles says.
        """
        logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it logs each change
        while True:
            await self._run_until_replaced(on_change)

    async def _run_until_replaced(self, on_change: Callable[[Sequence[Path]], None]) -> None:
        """Watch until the app has a new folder, or one that was removed is back."""
        folders = CodeFolders(self._app)
        replaced = asyncio.Event()

        def changed(paths: Sequence[Path]) -> None:
            if any(path.parent in folders.parents and path.is_dir() for path in paths):
                replaced.set()
            on_change(paths)

        watching = asyncio.gather(
            _watch(folders.folders, True, folders, changed),
            _watch(folders.parents, False, folders, changed),
        )
        waiting = asyncio.create_task(replaced.wait())
        try:
            either: set[asyncio.Future[Any]] = {watching, waiting}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
        finally:
            waiting.cancel()
            watching.cancel()
            await asyncio.gather(watching, waiting, return_exceptions=True)


async def _watch(
    paths: Sequence[Path],
    recursive: bool,
    folders: CodeFolders,
    on_change: Callable[[Sequence[Path]], None],
) -> None:
    usual = DefaultFilter()

    def accepts(change: Change, name: str) -> bool:
        path = Path(name)
        if not usual(change, name) or path.name.startswith(TEMPORARY):
            return False
        # Windows reports a folder as modified when a file in it is made or removed.
        if change is Change.modified and path.is_dir():
            return False
        return folders.is_entry(path) or folders.accepts(path)

    watching = awatch(
        *paths,
        watch_filter=accepts,
        debounce=MAX_MILLISECONDS,
        step=STEP_MILLISECONDS,
        recursive=recursive,
    )
    async for changes in watching:
        on_change(sorted({Path(name) for _, name in changes}))


def forget_bytecode(files: Iterable[Path]) -> None:
    """Remove what Python has compiled of files.

    Python takes a compiled file for a source of the same size that was written in the same second:
    after two saves within a second, it would run the code of the first.
    """
    for file in files:
        for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
            compiled.unlink(missing_ok=True)
