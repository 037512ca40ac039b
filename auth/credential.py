"""Credential: what can sign the bot in."""

from abc import ABC, abstractmethod

from auth.access_token import AccessToken


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

    def keep_up(self) -> None:  # noqa: B027  # most have nothing that ages
        """Called whenever a token is wanted: start what is due in the background, at once."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What somebody should see to before it fails."""
        return ()
