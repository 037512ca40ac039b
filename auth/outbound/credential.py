"""Credential: one way to sign the bot in, and the access tokens that it requests."""

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class AccessToken:
    """A bearer token for one audience.

    Attributes:
        value: the token itself; not in `repr`, so that it cannot reach a log.
        expires_on: seconds since the epoch.
        thumbprint: of the certificate that signed in, SHA-1 in upper-case hex; empty without.
        certificate_expires_on: of that certificate, seconds since the epoch; 0 without.
    """

    value: str
    expires_on: float
    thumbprint: str = ""
    certificate_expires_on: float = 0.0

    def __repr__(self) -> str:
        return f"AccessToken(expires_on={self.expires_on})"


class Credential(ABC):
    """One way to sign in. It caches no tokens: TokenCache does."""

    @abstractmethod
    async def request_token(self, audience: str) -> AccessToken:
        """Request a new token.

        Args:
            audience: URL or GUID, without `/.default`.

        Raises:
            SignInError: its text names the setting or the role to fix.
        """

    def refresh_if_due(self) -> None:  # noqa: B027  # most credentials have nothing that ages
        """Start what is due in the background; called whenever a token is needed."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What needs action before signing in fails."""
        return ()
