"""FolderSnapshot: detects changes in a folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self


class FolderSnapshot:
    """The state of a folder's files and subfolders at one moment.

    Args:
        folder: the folder.
        entries: inode, size in bytes and time of change in nanoseconds of each path.
    """

    def __init__(self, folder: Path, entries: Mapping[Path, tuple[int, int, int]]) -> None:
        self._folder = folder
        self._entries = entries

    @classmethod
    def take(cls, folder: Path) -> Self:
        """The folder's state now."""
        found = {}
        for path in (folder, *folder.rglob("*")):
            state = path.lstat()
            found[path] = (state.st_ino, state.st_size, state.st_mtime_ns)
        return cls(folder, found)

    def changes(self) -> Sequence[Path]:
        """The paths created, changed or removed since then; a new entry also changes its folder."""
        before, now = self._entries, self.take(self._folder)._entries
        paths = before.keys() | now.keys()
        return sorted(path for path in paths if before.get(path) != now.get(path))
