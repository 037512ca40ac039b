"""Starts the recorder in the worker process of Core Tools.

Python imports this module when it starts, since `emulator.core_tools.environment` puts this folder
on PYTHONPATH. Core Tools pass their environment on to the worker, and to other programs, too: in
those, nothing happens. Another `sitecustomize`, which this one hides, runs as it would without it.
"""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = str(HERE.parents[2])

WORKER_ID_OPTIONS = ("--workerId", "--functions-worker-id")
"""What the host passes to the worker's program (azure-functions-python-worker, start_worker.py)."""


def _is_worker(arguments: list[str]) -> bool:
    """Whether a command line is that of the worker's program, maybe with a debugger before it."""
    names = {Path(each).name for each in arguments}
    return "worker.py" in names and any(each in WORKER_ID_OPTIONS for each in arguments)


def _start() -> None:
    sys.path.insert(0, PROJECT)
    try:
        from emulator.core_tools.worker import start
    finally:
        sys.path.remove(PROJECT)
    start(os.environ)


def _run_hidden() -> None:
    """Run the `sitecustomize` that Python would have found without this folder."""
    others = [entry for entry in sys.path if Path(entry).resolve() != HERE]
    spec = PathFinder.find_spec(__name__, others)
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules[__name__] = module
        spec.loader.exec_module(module)


if _is_worker(sys.orig_argv):
    try:
        _start()
    except Exception as error:  # noqa: BLE001  # the bot must run, with an inspector or without
        print(f"The inspector cannot show the bot's turns: {error!r}", file=sys.stderr)
_run_hidden()
