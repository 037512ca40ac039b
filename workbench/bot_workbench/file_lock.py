"""FileLock: one process at a time, on every system."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Self

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class FileLock:
    """An exclusive lock on a file, which this process gives up when it ends.

    On POSIX a child that inherits the descriptor holds it, too.

    Args:
        path: the file, which is created if it is missing.
    """

    def __init__(self, path: Path) -> None:
        # Not the target of a link that another user has put there.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        self.descriptor = os.open(path, flags, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def inheritable(self) -> tuple[int, ...]:
        """The descriptors by which a child can hold it; none on Windows."""
        return () if sys.platform == "win32" else (self.descriptor,)

    def taken(self) -> bool:
        """Take it, and return whether that was possible: no other process has it."""
        try:
            if sys.platform == "win32":
                msvcrt.locking(self.descriptor, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Give it up."""
        os.close(self.descriptor)


def user_file(name: str) -> Path:
    """A file of this user in the folder for temporary files, which others may share."""
    folder = Path(tempfile.gettempdir())
    if sys.platform == "win32":  # each user has a folder there
        return folder / f"{name}.lock"
    return folder / f"{name}-{os.getuid()}.lock"
