"""Stamp: remembers what a folder has had installed."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


class Stamp:
    """A file beside what was installed, with what was wanted; written last.

    An interrupted installation has none, and one of other versions has another.

    Args:
        file: its path.
        wanted: what is to be installed, such as names with versions.
    """

    def __init__(self, file: Path, wanted: Iterable[str]) -> None:
        self._file = file
        self._text = hashlib.sha256("\n".join(wanted).encode()).hexdigest()

    def fits(self) -> bool:
        """Whether exactly this is installed."""
        try:
            return self._file.read_text("utf-8") == self._text
        except OSError:
            return False

    def write(self) -> None:
        """Remember that it is installed."""
        self._file.write_text(self._text, "utf-8")
