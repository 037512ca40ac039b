"""`python -m bot_workbench.emulator.sites OPTION ... MODULE ...`: a module as a site's process.

The process has the public names in the file and no others, writes what it prints to the log, and
ends with the process that started it.
"""

import argparse
import os
import runpy
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

from bot_workbench.emulator.network.name_resolution import resolve_names
from bot_workbench.emulator.sites.environment import HOST_KEYS

if sys.platform == "win32":
    import _winapi

POLL_SECONDS = 1.0


def end_with_parent(parent: int) -> None:
    """End this process when the one that started it has ended, even if that was killed.

    Args:
        parent: the other's process id: it may have ended by now.
    """

    def watch() -> None:
        wait_for_parent(parent)
        os._exit(1)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()


def wait_for_parent(parent: int) -> None:
    """Wait until the process that started this one has ended.

    Args:
        parent: its process id.
    """
    if sys.platform == "win32":
        # In a virtual environment, a launcher stands between the two, and has another id.
        try:
            handle = _winapi.OpenProcess(_winapi.SYNCHRONIZE, False, parent)
        except OSError:
            return
        _winapi.WaitForSingleObject(handle, _winapi.INFINITE)
        return
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)


def _logged(stream: TextIO, file: Path) -> TextIO:
    """A stream in place of one of this process's, and of its programs', which writes to a file."""
    log = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, stream.fileno())
    os.close(log)
    # A new one, because that of a console writes to nothing else on Windows.
    return os.fdopen(stream.fileno(), "w", 1, "utf-8", errors="backslashreplace", closefd=False)


def main() -> None:
    """Read the command line and run the module."""
    parser = argparse.ArgumentParser(
        prog="python -m bot_workbench.emulator.sites", description=__doc__
    )
    parser.add_argument("--names", type=Path, required=True, help="a file of PublicNames")
    parser.add_argument("--log", type=Path, required=True, help="file for stdout and stderr")
    parser.add_argument("--parent", type=int, required=True, help="id of the starting process")
    parser.add_argument("module", help="as after `python -m`")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    sys.stdout, sys.stderr = (_logged(stream, options.log) for stream in (sys.stdout, sys.stderr))
    resolve_names(options.names)
    end_with_parent(options.parent)
    keys = {option: os.environ.pop(name, "") for name, option in HOST_KEYS.items()}
    # One argument, because a key may begin with a hyphen.
    given = [f"{option}={key}" for option, key in keys.items() if key]
    sys.argv = [options.module, *options.arguments, *given]
    runpy.run_module(options.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
