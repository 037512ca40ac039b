"""BotCredentials: the bot's tokens in the form that botbuilder requires.

This project's adapter uses it, and so can a bot that stays on botbuilder's own adapter:

    factory = credentials_factory(os.environ)
    authentication = ConfigurationBotFrameworkAuthentication(config, credentials_factory=factory)
    adapter = CloudAdapter(authentication)
"""

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from botframework.connector.auth import AppCredentials, ServiceClientCredentialsFactory

from auth.outbound.token_provider import AccessToken
from auth.settings import Settings
from auth.token_thread import TokenThread

log = logging.getLogger(__name__)


class TokenSource(Protocol):
    """Gives tokens by audience, as TokenProvider and TokenThread do."""

    async def get(self, audience: str) -> AccessToken:
        """A valid token for `audience` (URL or GUID, without `/.default`).

        Raises:
            SignInError: no token is available.
        """


class BotCredentials(AppCredentials):  # type: ignore[misc]  # untyped SDK base
    """The bot's credentials for one audience.

    The SDK's own clients cannot await a token, so `create_credentials` awaits one for them, and
    `get_access_token` returns the last token.

    Args:
        app_id: the bot's app id (GUID); empty if calls carry no token.
        tokens: gives the tokens; None if calls carry no token.
        audience: the resource (URL or GUID) that tokens are for.
    """

    def __init__(self, app_id: str, tokens: TokenSource | None, audience: str) -> None:
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
            "The bot has no password. Do not pass `credentials` to InspectionMiddleware: assign"
            " them to its attribute `credentials` afterwards"
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


class StandaloneCredentials(BotCredentials):
    """Credentials for botbuilder's own clients, which ask for a token before each request.

    They ask on the bot's event loop without awaiting, and may be kept for longer than a token
    lasts. Therefore a thread requests the tokens and refreshes them in the background; the event
    loop waits for it only if the cached token has expired.

    Args:
        app_id: the bot's app id (GUID).
        tokens: gives the tokens.
        audience: the resource (URL or GUID) that tokens are for.
    """

    def __init__(self, app_id: str, tokens: TokenThread, audience: str) -> None:
        super().__init__(app_id, tokens, audience)
        self._thread = tokens

    def get_access_token(self, force_refresh: bool = False) -> str:  # the SDK's signature
        """A valid token.

        Raises:
            SignInError: no token is available.
        """
        return self._thread.get_now(self.oauth_scope).value

    def signed_session(self, session: Any = None) -> Any:
        """A requests.Session with a valid token.

        Raises:
            SignInError: no token is available.
        """
        return AppCredentials.signed_session(self, session)


class BotCredentialsFactory(ServiceClientCredentialsFactory):  # type: ignore[misc]  # untyped
    """Gives botbuilder the bot's credentials.

    Args:
        app_id: the bot's app id (GUID).
        tokens: gives the tokens; None if callers are not checked and calls carry no token
            (development only).
    """

    def __init__(self, app_id: str, tokens: TokenSource | None) -> None:
        self._app_id = app_id
        self._tokens = tokens
        self._credentials: dict[str, BotCredentials] = {}
        """The credentials by audience. Turns share these objects; only the token inside changes."""

    @property
    def app_id(self) -> str:
        """The app id (GUID) that calls are made as; empty if they carry no token."""
        return self._app_id if self._tokens is not None else ""

    async def is_valid_app_id(self, app_id: str) -> bool:
        """Whether the id is this bot's; upper and lower case do not matter."""
        return bool(app_id) and app_id.lower() == self._app_id.lower()

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
            credentials = self._new(audience)
            self._credentials[audience] = credentials
        return credentials

    def _new(self, audience: str) -> BotCredentials:
        return BotCredentials(self.app_id, self._tokens, audience)


class StandaloneCredentialsFactory(BotCredentialsFactory):
    """The same for a bot on botbuilder's own adapter; see `credentials_factory`.

    Args:
        settings: choose the credential.
    """

    def __init__(self, settings: Settings) -> None:
        self._thread = None if settings.unauthenticated else TokenThread(settings)
        self._channel = settings.channel_audience
        super().__init__(settings.app_id, self._thread)

    async def create_credentials(
        self,
        app_id: str,
        oauth_scope: str | None,
        login_endpoint: Any = None,
        validate_authority: Any = None,
    ) -> BotCredentials:
        """Credentials for an audience, for which a token has already been requested.

        Args:
            app_id: unused: this bot has one id.
            oauth_scope: the resource (URL, or GUID of a skill), with or without `/.default`; None:
                the channels.
            login_endpoint: unused, like the next: the settings name the authority.
            validate_authority: unused.

        Raises:
            SignInError: no token is available.
        """
        return await super().create_credentials(app_id, oauth_scope or self._channel)

    async def close(self) -> None:
        """End the sign-in's thread and close its connections."""
        if self._thread is not None:
            await self._thread.close()

    def _new(self, audience: str) -> BotCredentials:
        if self._thread is None:
            return super()._new(audience)
        return StandaloneCredentials(self.app_id, self._thread, audience)


def credentials_factory(environ: Mapping[str, str]) -> StandaloneCredentialsFactory:
    """The credentials of a bot that stays on botbuilder's own adapter.

    It replaces ConfigurationServiceClientCredentialFactory and the SDK's factories for passwords,
    certificates and managed identities. Nothing is requested before botbuilder needs a token. The
    check of incoming activities stays botbuilder's.

    Args:
        environ: the settings, such as `os.environ`: MicrosoftAppType, MicrosoftAppId,
            MicrosoftAppTenantId, BotCredential and those of the credential (docs/settings.md).

    Raises:
        SettingsError: lists every problem.
    """
    settings = Settings.from_environ(environ)
    for warning in settings.warnings:
        log.warning("%s", warning)
    return StandaloneCredentialsFactory(settings)
