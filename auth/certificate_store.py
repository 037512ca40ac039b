"""CertificateStore: where the versions of the bot's certificate are kept."""

from collections.abc import Sequence
from typing import Protocol

from auth.certificate import Certificate


class CertificateStore(Protocol):
    """A vault, or a file."""

    async def versions(self) -> Sequence[str]:
        """The enabled versions, newest first; none, when the current one must do.

        Raises:
            VaultForbidden, CertificateError: they cannot be listed; reading may work all the same.
            SignInError: they cannot be had.
        """
        ...

    async def load(self, version: str | None) -> Certificate:
        """One version; None: the current one.

        Raises:
            SignInError: it cannot be had.
        """
        ...
