"""CertificateFile: the bot's certificate in a file, for development."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from auth.certificates.certificate import Certificate
from auth.certificates.private_key import certificate_from_bytes
from auth.errors import CertificateError


class CertificateFile:
    """A PEM or PFX file without a password, which holds one version at a time.

    Args:
        path: path of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()  # now, because the bot's folder becomes the working directory

    async def versions(self) -> Sequence[str]:
        """The one version in the file; its name changes when the file is rewritten.

        Raises:
            CertificateError: the file does not exist or cannot be read.
        """
        try:
            stat = await asyncio.to_thread(self._path.stat)
        except OSError as error:
            raise self._unreadable() from error
        return [f"{stat.st_mtime_ns} {stat.st_ino}"]

    async def load(self, version: str | None) -> Certificate:
        """The certificate that the file holds now.

        Raises:
            CertificateError: the file cannot be read, or lacks the certificate or its key.
        """
        try:
            content = await asyncio.to_thread(self._path.read_bytes)
        except OSError as error:
            raise self._unreadable() from error
        return certificate_from_bytes(content)

    def _unreadable(self) -> CertificateError:
        return CertificateError(f"CertificatePath: {self._path} cannot be read")
