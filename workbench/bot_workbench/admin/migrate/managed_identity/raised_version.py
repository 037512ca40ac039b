"""RaisedVersion: notes that a manifest's version was raised, until the .env file is written."""

import os
from pathlib import Path


class RaisedVersion:
    """A hidden file beside the manifest.

    Args:
        manifest: the manifest.
        new_id: the new bot's app id (GUID).
    """

    def __init__(self, manifest: Path, new_id: str) -> None:
        target = manifest.resolve()
        self._path = target.with_name(f".{target.name}.raised")
        self._new_id = new_id

    def says(self, version: str) -> bool:
        """Whether the manifest was raised to this version for the new bot."""
        try:
            return self._path.read_text("utf-8") == self._text(version)
        except (OSError, ValueError):
            return False

    def write(self, version: str) -> None:
        """Note which version the manifest is to get.

        Raises:
            OSError: the file cannot be written.
        """
        with self._path.open("w", encoding="utf-8") as file:
            file.write(self._text(version))
            file.flush()
            os.fsync(file.fileno())

    def delete(self) -> None:
        """Delete the note: the .env file shows from now on that the bot has moved."""
        self._path.unlink(missing_ok=True)

    def _text(self, version: str) -> str:
        return f"{version} {self._new_id}\n"
