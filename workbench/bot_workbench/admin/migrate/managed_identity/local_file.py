"""LocalFile: a text file of the developer's that a command changes."""

import os
import shutil
import tempfile
from pathlib import Path

BYTE_ORDER_MARK = "\ufeff"


class LocalFile:
    """A UTF-8 file whose line endings and byte order mark stay as they are.

    Args:
        path: the file; of a symbolic link, its target is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> str:
        """The text, without a byte order mark.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is not UTF-8.
        """
        return self._decoded().removeprefix(BYTE_ORDER_MARK)

    def write(self, text: str) -> None:
        """Replace the text in one step: a reader sees the old file or the new one.

        Raises:
            OSError: the file cannot be written; it is as it was.
        """
        target = self.path.resolve()
        mark = BYTE_ORDER_MARK if self._decoded().startswith(BYTE_ORDER_MARK) else ""
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as new:
                new.write((mark + text).encode())
                new.flush()
                os.fsync(new.fileno())
            shutil.copymode(target, name)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _decoded(self) -> str:
        return self.path.read_bytes().decode()
