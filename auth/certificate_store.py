"""CertificateStore: where the versions of the bot's certificate are kept."""

import asyncio
import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from auth.certificate import Certificate, certificate_from_bytes
from auth.errors import CertificateError

CURRENT = ""
"""In place of a version: whatever is current when it is loaded."""


class CertificateStore(Protocol):
    """A vault, or a file."""

    async def versions(self) -> Sequence[str]:
        """The enabled versions, newest first; or CURRENT alone, where they cannot be listed.

        Raises:
            SignInError: they cannot be had.
        """
        ...

    async def load(self, version: str) -> Certificate:
        """One version.

        Raises:
            SignInError: it cannot be had.
        """
        ...


class Listed(Protocol):
    """What Key Vault's lists tell of one version."""

    @property
    def version(self) -> str | None: ...
    @property
    def enabled(self) -> bool | None: ...
    @property
    def created_on(self) -> datetime.datetime | None: ...


def newest_first(listed: Iterable[Listed]) -> list[str]:
    """The enabled versions of a vault's list, which comes in no order of time."""
    beginning = datetime.datetime.fromtimestamp(0, datetime.UTC)
    enabled = [found for found in listed if found.enabled and found.version]
    enabled.sort(key=lambda found: found.created_on or beginning, reverse=True)
    return [found.version or CURRENT for found in enabled]


class CertificateFile:
    """A PEM or PFX file without password, for development: one version at a time.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def versions(self) -> Sequence[str]:
        """One, which is another when the file has been written anew.

        Raises:
            CertificateError: there is no such file.
        """
        try:
            found = await asyncio.to_thread(self._path.stat)
        except OSError as error:
            raise self._unreadable() from error
        return [f"{found.st_mtime_ns} {found.st_ino}"]

    async def load(self, version: str) -> Certificate:
        """What the file holds now.

        Raises:
            CertificateError: it cannot be read, or does not hold a certificate and its key.
        """
        try:
            content = await asyncio.to_thread(self._path.read_bytes)
        except OSError as error:
            raise self._unreadable() from error
        return certificate_from_bytes(content)

    def _unreadable(self) -> CertificateError:
        return CertificateError(f"CertificatePath: {self._path} cannot be read")
