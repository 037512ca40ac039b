"""IssuedCredentials: how an SDK client signs in at a test's own issuer."""

from collections.abc import Mapping

from botframework.connector.auth import AppCredentials

from bot_workbench.emulator.entra.token_issuer import TokenIssuer


class IssuedCredentials(AppCredentials):  # type: ignore[misc]  # the SDK has no types
    """Every token is new.

    Args:
        issuer: signs it.
        claims: those of each token, `appid` (the bot's) among them.
    """

    def __init__(self, issuer: TokenIssuer, claims: Mapping[str, str]) -> None:
        super().__init__(claims["appid"])
        self._issuer = issuer
        self._claims = claims

    def get_access_token(self, force_refresh: bool = False) -> str:
        """A token that is valid now."""
        return self._issuer.sign(self._claims)
