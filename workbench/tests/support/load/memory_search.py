"""MemorySearch: what stands in the memory of a process and of its children (Linux)."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

PROC = Path("/proc")

MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+) *(.*)")
"""A line of /proc/PID/maps: its bounds, permissions, inode and name (proc_pid_maps(5))."""

CHUNK = 16 * 1024 * 1024
"""Bytes read at once."""


class MemorySearch:
    """Looks through all that a process has written: its heap, its stacks, its copies of files.

    Args:
        pid: of the process; its children are looked through too.
    """

    def __init__(self, pid: int) -> None:
        self.processes = list(_family(pid))

    def found(self, wanted: Mapping[str, bytes]) -> set[str]:
        """The names of those byte strings that stand somewhere.

        Raises:
            OSError: the memory may not be read.
        """
        longest = max(map(len, wanted.values()))
        return {
            name
            for process in self.processes
            for piece in _written(process, longest)
            for name, raw in wanted.items()
            if raw in piece
        }


def _family(pid: int) -> Iterator[int]:
    """A process and all that it has started, and they have."""
    yield pid
    for stat in PROC.glob("[0-9]*/stat"):
        # A command's name may hold a parenthesis; state and parent follow it (proc_pid_stat(5)).
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                yield from _family(int(stat.parent.name))


def _written(pid: int, overlap: int) -> Iterator[bytes]:
    """The memory that is no unchanged part of a file, in pieces that overlap."""
    maps = (PROC / str(pid) / "maps").read_text()
    with (PROC / str(pid) / "mem").open("rb", buffering=0) as memory:
        for start, end, permissions, inode, name in MAPPING.findall(maps):
            of_the_kernel = name.startswith("[v")
            of_a_file = inode != "0" and permissions[1] != "w"
            if permissions[0] != "r" or of_the_kernel or of_a_file:
                continue
            for position in range(int(start, 16), int(end, 16), CHUNK):
                length = min(CHUNK + overlap, int(end, 16) - position)
                try:
                    yield os.pread(memory.fileno(), length, position)
                except OSError:
                    # The process gave it back meanwhile.
                    break
