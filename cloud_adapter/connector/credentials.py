"""BotCredentials: the token provider's tokens, in the shapes that botbuilder asks for."""

import logging
from typing import Any

from botframework.connector.auth import AppCredentials, ServiceClientCredentialsFactory

from auth.outbound.token_provider import TokenProvider

log = logging.getLogger(__name__)


class BotCredentials(AppCredentials):  # type: ignore[misc]  # untyped SDK base
    """The bot's credentials for one audience.

    The SDK's own clients cannot await a token: `create_credentials` waits for one first, and
    `get_access_token` returns the last one.

    Args:
        app_id: GUID of the bot; empty when calls go without a token.
        tokens: the token provider; None when calls go without a token.
        audience: the resource (URL or GUID) that tokens are for.
    """

    def __init__(self, app_id: str, tokens: TokenProvider | None, audience: str) -> None:
        super().__init__(app_id=app_id, oauth_scope=audience)
        self._tokens = tokens
        self._last = ""
        self._has_warned = False

    async def get_token(self) -> str:
        """A valid bearer token; empty when calls go without one.

        Raises:
            SignInError: no token is available.
        """
        if self._tokens is not None:
            self._last = (await self._tokens.get(self.oauth_scope)).value
        return self._last

    def get_access_token(self, force_refresh: bool = False) -> str:  # SDK's name
        """The last token that `get_token` returned."""
        return self._last

    def signed_session(self, session: Any = None) -> Any:
        """The requests.Session that one of the SDK's blocking clients sends with, signed."""
        if not self._has_warned:
            self._has_warned = True
            log.warning(
                "A blocking client of the SDK is in use: while it waits, so does every turn. If it"
                " is TeamsInfo, import it from cloud_adapter.teams_info, not botbuilder.core.teams"
            )
        return super().signed_session(session)


class BotCredentialsFactory(ServiceClientCredentialsFactory):  # type: ignore[misc]  # untyped
    """Gives botbuilder the bot's credentials.

    Args:
        app_id: GUID of the bot.
        tokens: the token provider; None for no caller check and no token (development only).
    """

    def __init__(self, app_id: str, tokens: TokenProvider | None) -> None:
        self._app_id = app_id
        self._tokens = tokens
        self._credentials: dict[str, BotCredentials] = {}
        """By audience. Turns share them: only the token inside changes."""

    @property
    def app_id(self) -> str:
        """GUID of the bot that calls speak for; empty when they go without a token."""
        return self._app_id if self._tokens is not None else ""

    async def is_valid_app_id(self, app_id: str) -> bool:
        """The id is this bot's."""
        return app_id == self._app_id

    async def is_authentication_disabled(self) -> bool:
        """There is no caller check."""
        return self._tokens is None

    async def create_credentials(
        self,
        app_id: str,  # this bot has one id; the SDK's signature
        oauth_scope: str,
        login_endpoint: Any = None,  # the settings say where the bot signs in
        validate_authority: Any = None,
    ) -> BotCredentials:
        """Credentials for an audience, with a token in hand.

        Raises:
            SignInError: there is no token.
        """
        credentials = self.for_audience(oauth_scope.removesuffix("/.default"))
        await credentials.get_token()
        return credentials

    def for_audience(self, audience: str) -> BotCredentials:
        """Credentials for an audience, which get their first token when they are used.

        Args:
            audience: the resource (URL or GUID) that tokens are for.
        """
        credentials = self._credentials.get(audience)
        if credentials is None:
            credentials = BotCredentials(self.app_id, self._tokens, audience)
            self._credentials[audience] = credentials
        return credentials
