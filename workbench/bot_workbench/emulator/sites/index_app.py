"""`python -m bot_workbench.emulator.sites.index_app FOLDER FILE`: a package's functions, as JSON.

It imports function_app.py as Azure's worker does, and writes the bindings of each function by its
name. There is no file if that fails.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from bot_workbench.emulator.functions.configuration import hide_project
from bot_workbench.emulator.functions.workers.worker import FunctionsWorker
from bot_workbench.emulator.resource_manager.site_config import Functions


async def index(folder: Path, file: Path) -> None:
    """Index the app, write the file, and end this process with whatever the app has started."""
    worker = FunctionsWorker(folder)
    await worker.load()
    _write({each.name: each.bindings for each in worker.functions}, file)
    os._exit(0)


def _write(functions: Functions, file: Path) -> None:
    file.write_text(json.dumps(functions), "utf-8")


if __name__ == "__main__":
    hide_project()
    asyncio.run(index(Path(sys.argv[1]), Path(sys.argv[2])))
