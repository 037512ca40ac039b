"""Stamp: says what is installed in a folder."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


class Stamp:
    """A file beside what is installed, written last, with a digest of what was wanted.

    An interrupted installation has no such file, and other versions have another digest.

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
        """Say that it is installed."""
        self._file.write_text(self._text, "utf-8")
