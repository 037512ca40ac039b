"""BotCredentials: gives botbuilder the token provider's tokens, in the form that it requires."""

import logging
from typing import Any

from botframework.connector.auth import AppCredentials, ServiceClientCredentialsFactory

from auth.outbound.token_provider import TokenProvider

log = logging.getLogger(__name__)


class BotCredentials(AppCredentials):  # type: ignore[misc]  # untyped SDK base
    """The bot's credentials for one audience.

    The SDK's own clients cannot await a token, so `create_credentials` awaits one for them, and
    `get_access_token` returns the last token.

    Args:
        app_id: the bot's app id (GUID); empty if calls carry no token.
        tokens: the token provider; None if calls carry no token.
        audience: the resource (URL or GUID) that tokens are for.
    """

    def __init__(self, app_id: str, tokens: TokenProvider | None, audience: str) -> None:
        super().__init__(app_id=app_id, oauth_scope=audience)
        self._tokens = tokens
        self._last = ""
        self._has_warned = False

    async def get_token(self) -> str:
        """A valid bearer token; empty if calls carry no token.

        Raises:
            SignInError: no token is available.
        """
        if self._tokens is not None:
            self._last = (await self._tokens.get(self.oauth_scope)).value
        return self._last

    def get_access_token(self, force_refresh: bool = False) -> str:  # the SDK's signature
        """The last token that `get_token` returned."""
        return self._last

    @property
    def microsoft_app_password(self) -> str:
        """There is none.

        Raises:
            AttributeError: always. The SDK's InspectionMiddleware reads it.
        """
        raise AttributeError(
            "The bot has no password. Do not pass `credentials` to InspectionMiddleware: set"
            " `inspection.credentials = services.credentials` afterwards"
        )

    def signed_session(self, session: Any = None) -> Any:
        """A requests.Session with the token, which the SDK's blocking clients send with."""
        if not self._has_warned:
            self._has_warned = True
            log.warning(
                "The bot uses a client of the SDK's own. Some of them, such as"
                " TeamsConnectorClient, block the event loop: no turn runs while they wait. Use the"
                " client that `await turn_context.adapter.create_connector_client(service_url)`"
                " returns; its `teams` has the calls to Teams"
            )
        return super().signed_session(session)


class BotCredentialsFactory(ServiceClientCredentialsFactory):  # type: ignore[misc]  # untyped
    """Gives botbuilder the bot's credentials.

    Args:
        app_id: the bot's app id (GUID).
        tokens: the token provider; None if callers are not checked and calls carry no token
            (development only).
    """

    def __init__(self, app_id: str, tokens: TokenProvider | None) -> None:
        self._app_id = app_id
        self._tokens = tokens
        self._credentials: dict[str, BotCredentials] = {}
        """The credentials by audience. Turns share these objects; only the token inside changes."""

    @property
    def app_id(self) -> str:
        """The app id (GUID) that calls are made as; empty if they carry no token."""
        return self._app_id if self._tokens is not None else ""

    async def is_valid_app_id(self, app_id: str) -> bool:
        """Whether the id is this bot's."""
        return app_id == self._app_id

    async def is_authentication_disabled(self) -> bool:
        """Whether callers are not checked."""
        return self._tokens is None

    async def create_credentials(
        self,
        app_id: str,  # unused: this bot has one id
        oauth_scope: str,
        login_endpoint: Any = None,  # unused, like the next: the settings name the authority
        validate_authority: Any = None,
    ) -> BotCredentials:
        """Credentials for an audience, for which a token has already been requested.

        Raises:
            SignInError: no token is available.
        """
        credentials = self.for_audience(oauth_scope.removesuffix("/.default"))
        await credentials.get_token()
        return credentials

    def for_audience(self, audience: str) -> BotCredentials:
        """Credentials for an audience, which request their first token when they are used.

        Args:
            audience: the resource (URL or GUID) that tokens are for.
        """
        credentials = self._credentials.get(audience)
        if credentials is None:
            credentials = BotCredentials(self.app_id, self._tokens, audience)
            self._credentials[audience] = credentials
        return credentials
