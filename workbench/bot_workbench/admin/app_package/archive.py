"""The app package: a zip that is the same bytes whenever its files are."""

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_UNIX = 3


def archive(files: Mapping[str, bytes]) -> bytes:
    """A zip with these files at its root, in their order.

    They are stored, not compressed, because what a compressor writes depends on its version.
    """
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = _UNIX  # on Windows, too
            entry.external_attr = _MODE
            packed.writestr(entry, content)
    return target.getvalue()


def write_archive(files: Mapping[str, bytes], path: Path) -> None:
    """Write such a zip; its folder is created.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(archive(files))
