"""Credential: one way to sign the bot in, and the access tokens that it requests."""

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class AccessToken:
    """A bearer token for one audience.

    Attributes:
        value: the token itself; not in `repr`, so that it cannot reach a log.
        expires_on: when the token expires, in seconds since the epoch.
        thumbprint: SHA-1 thumbprint, in upper-case hex, of the certificate that signed in; empty if
            no certificate was used.
        certificate_expires_on: when that certificate expires, in seconds since the epoch; 0 if no
            certificate was used.
    """

    value: str
    expires_on: float
    thumbprint: str = ""
    certificate_expires_on: float = 0.0

    def __repr__(self) -> str:
        return f"AccessToken(expires_on={self.expires_on})"


class Credential(ABC):
    """One way to sign the bot in. Credentials do not cache tokens; TokenCache does."""

    @abstractmethod
    async def request_token(self, audience: str) -> AccessToken:
        """Request a new token.

        Args:
            audience: URL or GUID, without `/.default`.

        Raises:
            SignInError: no token is available; the text names the setting or role to fix.
        """

    def refresh_if_due(self) -> None:  # noqa: B027  # most credentials have nothing that ages
        """Start any background work that is due. Called whenever a token is needed."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What needs action before signing in fails."""
        return ()
