"""FolderSnapshot: detects changes in a folder."""

from collections.abc import Sequence
from pathlib import Path


class FolderSnapshot:
    """The state of a folder's files and subfolders when the snapshot is taken.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = self._entries()

    def changes(self) -> Sequence[Path]:
        """The paths created, changed or removed since then; a new entry also changes its folder."""
        now = self._entries()
        paths = self._before.keys() | now.keys()
        return sorted(path for path in paths if self._before.get(path) != now.get(path))

    def _entries(self) -> dict[Path, tuple[int, int, int]]:
        found = {}
        for path in (self._folder, *self._folder.rglob("*")):
            state = path.lstat()
            found[path] = (state.st_ino, state.st_size, state.st_mtime_ns)
        return found
