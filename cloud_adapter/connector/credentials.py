"""BotCredentials: this project's tokens, in the shapes that botbuilder asks for."""

import functools
import logging
from typing import Any

from botframework.connector.auth import AppCredentials, ServiceClientCredentialsFactory

from auth.outbound.token_provider import TokenProvider

log = logging.getLogger(__name__)


class BotCredentials(AppCredentials):  # type: ignore[misc]  # untyped SDK base
    """The bot's credentials for one audience.

    The SDK's own clients want a token at once, without awaiting it: `create_credentials` waits for
    one first, and `get_access_token` hands out the last one got.

    Args:
        app_id: GUID of the bot; empty when calls go without a token.
        tokens: where they come from; None when calls go without one.
        audience: the resource (URL or GUID) that tokens are for.
    """

    def __init__(self, app_id: str, tokens: TokenProvider | None, audience: str) -> None:
        super().__init__(app_id=app_id, oauth_scope=audience)
        self._tokens = tokens
        self._last = ""

    async def get_token(self) -> str:
        """A valid bearer token; empty when calls go without one.

        Raises:
            SignInError: none can be had.
        """
        if self._tokens is not None:
            self._last = (await self._tokens.get(self.oauth_scope)).value
        return self._last

    def get_access_token(self, force_refresh: bool = False) -> str:  # SDK's name
        """The token that `get_token` got last."""
        return self._last

    def signed_session(self, session: Any = None) -> Any:
        """The requests.Session that one of the SDK's blocking clients sends with, signed."""
        _warn_of_blocking()
        return super().signed_session(session)


@functools.cache  # once in a process
def _warn_of_blocking() -> None:
    log.warning(
        "A blocking client of the SDK is in use: no turn goes on while it waits. If it is"
        " TeamsInfo, import it from cloud_adapter.teams_info in place of botbuilder.core.teams"
    )


class BotCredentialsFactory(ServiceClientCredentialsFactory):  # type: ignore[misc]  # untyped
    """botbuilder's door to the bot's credentials.

    Args:
        app_id: GUID of the bot.
        tokens: where tokens come from; None for no caller check and no token (development only).
    """

    def __init__(self, app_id: str, tokens: TokenProvider | None) -> None:
        self._app_id = app_id
        self._tokens = tokens
        self._credentials: dict[str, BotCredentials] = {}
        """By OAuth scope. Turns share them: only the token inside changes."""

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
        credentials = self._credentials.get(oauth_scope)
        if credentials is None:
            audience = oauth_scope.removesuffix("/.default")
            credentials = BotCredentials(self.app_id, self._tokens, audience)
            self._credentials[oauth_scope] = credentials
        await credentials.get_token()
        return credentials
