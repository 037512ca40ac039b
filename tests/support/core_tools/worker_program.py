"""A stand-in for the worker's program in Core Tools, which drives the real worker library.

What was read, and is done here in the same way (azure-functions-python-worker,
workers/python/proxyV4/worker.py, proxy_worker/start_worker.py, dispatcher.py and
utils/dependency.py):

- It runs as a script: its own folder is first on `sys.path`, and what PYTHONPATH names follows.
- It replaces PYTHONPATH in its environment, for programs that it starts.
- It drops every module from `sys.modules` whose file lies in the app's folder, before it imports
  the library `azure_functions_runtime`, and calls its functions by their names.

The real one talks gRPC to the host. This one has the requests of the emulator's worker, which are
the same, and answers HTTP.
"""

import asyncio
import os
import sys
from pathlib import Path

SCRIPT_ROOT = "AzureWebJobsScriptRoot"


def main() -> None:
    """Serve the app until this program is killed."""
    arguments = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    app = os.environ[SCRIPT_ROOT]
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    for name, module in list(sys.modules.items()):
        files = [*getattr(module, "__path__", ()), getattr(module, "__file__", None) or ""]
        if name != "__main__" and any(str(each).startswith(app) for each in files):
            del sys.modules[name]
    # The emulator's worker stands for the dispatcher.
    sys.path.insert(0, os.environ["STAND_IN_PROJECT"])
    asyncio.run(serve(app, int(arguments["--port"])))


async def serve(app: str, port: int) -> None:
    """Load the app, and answer its HTTP requests."""
    from emulator.functions.configuration import apply_settings, hide_project
    from emulator.functions.errors import IndexingError
    from emulator.functions.server import FunctionsServer
    from emulator.functions.workers.worker import FunctionsWorker

    apply_settings(Path(app), os.environ)
    hide_project()
    worker = FunctionsWorker(Path(app))
    try:
        await worker.load()
    except IndexingError as error:
        print(error, file=sys.stderr)
    server = FunctionsServer(worker)
    await server.start(port)
    await asyncio.Event().wait()


main()
