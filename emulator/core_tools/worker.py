"""What happens in Core Tools' worker process, beside what the worker does itself.

For Python 3.13 and later, the worker's program (proxy_worker of azure-functions-python-worker)
imports azure_functions_runtime with the host's first request, and calls that module's functions by
name. It drops modules of the app's folder from `sys.modules` before, so nothing here is imported
later than at the start.
"""

import asyncio
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from emulator.functions.reload.code_fault import fault_in, fault_of
from emulator.functions.reload.code_folders import CodeFolders
from emulator.recorder.import_watch import import_watch
from emulator.recorder.recorder import Recorder, start_recorder

LIBRARY = "azure_functions_runtime"

APP = "function_app"


def start(environ: Mapping[str, str]) -> None:
    """Start the recorder, and report how the app loads.

    Args:
        environ: the worker's.
    """
    recorder = start_recorder(environ)
    if recorder is not None:
        import_watch.add(LIBRARY, WorkerStatus(recorder).watch)


class WorkerStatus:
    """Reports whether the app answers.

    When a `.py` file changes, Core Tools end the worker and start another one
    (azure-functions-host, RpcWorkerChannel): while it loads, nothing answers.

    Args:
        recorder: the process's.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._started = time.perf_counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._send("starting")

    def watch(self, library: ModuleType) -> None:
        """Watch the host's first request, with which the library loads the app."""
        original = library.worker_init_request

        async def worker_init_request(request: Any) -> Any:
            library.worker_init_request = original  # type: ignore[attr-defined]
            folders = None
            with self._recorder.guarded():  # before the app is loaded, which changes the folder
                app = request.request.worker_init_request.function_app_directory
                folders = CodeFolders(Path(app))
            response = await original(request)
            with self._recorder.guarded():
                if folders is not None:
                    self._report(response, folders)
            return response

        library.worker_init_request = worker_init_request  # type: ignore[attr-defined]

    def _report(self, response: Any, folders: CodeFolders) -> None:
        library = sys.modules[f"{LIBRARY}.handle_event"]
        if response.result.status != library.protos.StatusResult.Success:
            self._send("broken", fault_in(response.result.exception.stack_trace, folders))
        elif not library._metadata_result:
            self._send("broken", f"{folders.app} has no functions")
        else:
            # The app loads the bot in the background.
            task = asyncio.get_running_loop().create_task(self._report_bot(folders))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _report_bot(self, folders: CodeFolders) -> None:
        composition = getattr(sys.modules.get(APP), "composition", None)
        try:
            if composition is not None:
                await composition.ready()
        except Exception as error:  # noqa: BLE001  # whatever the bot's code raises
            self._send("broken", fault_of(error.__cause__ or error, folders))
        else:
            self._send("ready")

    def _send(self, state: str, text: str = "") -> None:
        ms = round((time.perf_counter() - self._started) * 1000, 1)
        self._recorder.feed.send({"event": "status", "state": state, "text": text, "ms": ms})
