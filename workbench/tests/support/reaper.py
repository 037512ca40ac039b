"""Run as a program: runs a command, and ends the processes that it leaves behind (Linux).

pytest-xdist kills its workers on Ctrl-C, which then cannot end the bots that they have started.

Usage: python -m tests.support.reaper COMMAND [ARGUMENT ...]
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
"""prctl(2): orphans among a process's descendants become its children."""

GRACE_SECONDS = 5.0
"""What is about to end by itself has this long."""

LEFT = 70
"""Exit status of a command that succeeded and left processes behind (sysexits: software)."""


def main(command: list[str]) -> int:
    """Run the command; returns its exit status, or LEFT."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Ctrl-C reaches the command as well; this process only waits for the command's end. The handler
    # is set before the command starts, and is not SIG_IGN, which the command would inherit.
    signal.signal(signal.SIGINT, lambda *_: None)
    with subprocess.Popen(command) as process:
        signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGINT))
        status = process.wait()
    left = _killed()
    if left:
        print("Left behind, and killed:", *left, sep="\n", file=sys.stderr)
    return status or (LEFT if left else 0)


def _killed() -> list[str]:
    """Kill the children that are still there after a moment; returns their command lines."""
    end = time.monotonic() + GRACE_SECONDS
    found: list[str] = []
    while children := _children():
        if time.monotonic() > end:
            for pid in children:
                found.append(_command_line(pid))
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        time.sleep(0.1)
        _collect_ended()
    return [line for line in found if line]


def _children() -> list[int]:
    path = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def _command_line(pid: int) -> str:
    """Empty for a process that has ended already."""
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def _collect_ended() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
