"""TracedTokenProvider: spans of the requests for the bot's tokens."""

from auth.outbound.credential import AccessToken, Credential
from auth.outbound.token_provider import MAX_ATTEMPTS, TokenProvider
from cloud_adapter.storage.account import AUDIENCE
from cloud_adapter.telemetry.metrics import bot_metrics
from cloud_adapter.telemetry.spans.operation import Operation

CHANNEL, STORAGE, SKILL = "channel", "storage", "skill"
"""What a token is for, as metrics say it."""


class TracedTokenProvider(TokenProvider):
    """See the base class."""

    def __init__(self, credential: Credential, *, max_attempts: int = MAX_ATTEMPTS) -> None:
        super().__init__(TracedCredential(credential), max_attempts=max_attempts)


class TracedCredential(Credential):
    """A credential, each of whose requests has a span.

    Args:
        credential: signs the bot in.
    """

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self._method = type(credential).__name__

    async def request_token(self, audience: str) -> AccessToken:
        """Request a new token."""
        attributes = {"auth.method": self._method}
        kind = _kind_of(audience)
        if kind != SKILL:  # its audience is an app id
            attributes["auth.scopes"] = f"{audience}/.default"
        with Operation("agents.authentication.get_access_token", attributes):
            token = await self._credential.request_token(audience)
        bot_metrics().token_obtained(kind)
        if token.certificate_expires_on:
            bot_metrics().certificate_expires_at(token.certificate_expires_on)
        return token

    def refresh_if_due(self) -> None:
        """Start any background work that is due."""
        self._credential.refresh_if_due()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What needs action before signing in fails."""
        return self._credential.warnings


def _kind_of(audience: str) -> str:
    if audience == AUDIENCE:
        return STORAGE
    return CHANNEL if "://" in audience else SKILL
