"""Credential: what can sign the bot in."""

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class AccessToken:
    """A bearer token for one audience.

    Attributes:
        value: the token itself; kept out of `repr`, so that it cannot reach a log.
        expires_on: seconds since the epoch.
        thumbprint: of the certificate that proved the sign-in, SHA-1 in upper-case hex; or empty.
        certificate_expires_on: of the same, seconds since the epoch; or 0.
    """

    value: str
    expires_on: float
    thumbprint: str = ""
    certificate_expires_on: float = 0.0

    def __repr__(self) -> str:
        return f"AccessToken(expires_on={self.expires_on})"


class Credential(ABC):
    """One way to sign in. Tokens are kept by TokenCache, never by the credential."""

    @abstractmethod
    async def request_token(self, audience: str) -> AccessToken:
        """Ask for a new token.

        Args:
            audience: URL or GUID, without `/.default`.

        Raises:
            SignInError: with a text that names the setting or the role to fix.
        """

    def refresh_if_due(self) -> None:  # noqa: B027  # most have nothing that ages
        """Called whenever a token is wanted: start what is due in the background, at once."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What somebody should see to before it fails."""
        return ()
