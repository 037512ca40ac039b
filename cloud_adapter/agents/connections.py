"""AgentConnections: the Agents SDK's connections and tokens, over the bot's one credential."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from microsoft_agents.hosting.core import (
    AccessTokenProviderBase,
    AgentAuthConfiguration,
    AuthTypes,
    Connections,
)

from cloud_adapter.bot.services import BotServices
from cloud_adapter.errors import NoToken

CHANNEL_AUDIENCE = "https://api.botframework.com"
"""The audience that the SDK names in every cloud when it means the channel."""

ASK_AGAIN_SECONDS = 300
"""The time for which a client keeps a token before it asks for it again. The base caches it and
refreshes it, so that what it gives is valid for longer."""

_AGENT_ID = (
    "tokens of Microsoft Entra Agent ID are not offered: docs/agents-sdk.md says why. Use the bot's"
    " own identity"
)


class AgentTokens(AccessTokenProviderBase):  # type: ignore[misc]  # untyped SDK base
    """The bot's tokens, as the SDK asks for them.

    Args:
        services: give the tokens.
    """

    def __init__(self, services: BotServices) -> None:
        self._services = services
        self._configuration = AgentAuthConfiguration(
            auth_type=AuthTypes.user_managed_identity,
            client_id=services.app_id,
            tenant_id=services.settings.get("MicrosoftAppTenantId"),
            connection_name="SERVICE_CONNECTION",
        )

    @property
    def configuration(self) -> AgentAuthConfiguration:
        """The app id and the tenant. Its type says nothing of the credential."""
        return self._configuration

    async def get_access_token(
        self, resource_url: str, scopes: Sequence[str] = (), force_refresh: bool = False
    ) -> str:
        """A token for the channel, or for another service.

        Args:
            resource_url: the service's resource.
            scopes: one that ends in `/.default` names the resource instead.
            force_refresh: not used: a token that is given is valid.

        Raises:
            NoToken: no token for another service is available.
            SignInError: no token for the channel is available.
        """
        named = (each.removesuffix("/.default") for each in scopes if each.endswith("/.default"))
        resource = next(named, resource_url)
        credentials = self._services.credentials
        if resource in (CHANNEL_AUDIENCE, credentials.oauth_scope):
            return await credentials.get_token()
        return await self._services.token(resource)

    def get_token_credential(self) -> "AgentTokenCredential":
        """The same for Azure's clients."""
        return AgentTokenCredential(self)

    async def acquire_token_on_behalf_of(self, scopes: Sequence[str], user_assertion: str) -> str:
        """A token for another service in the name of a user.

        Args:
            scopes: what the token is for.
            user_assertion: the user's token, whose audience is this bot's app registration.

        Raises:
            NoToken: it is not available; the text says what to fix.
        """
        return await self._services.token_on_behalf_of(scopes, user_assertion)

    async def get_agentic_application_token(self, *_: object) -> str:
        """Refuse.

        Raises:
            NoToken: always.
        """
        raise NoToken(_AGENT_ID)

    async def get_agentic_instance_token(self, *_: object) -> tuple[str, str]:
        """Refuse.

        Raises:
            NoToken: always.
        """
        raise NoToken(_AGENT_ID)

    async def get_agentic_user_token(self, *_: object) -> str:
        """Refuse.

        Raises:
            NoToken: always.
        """
        raise NoToken(_AGENT_ID)


class ServiceToken(NamedTuple):
    """azure-core's AccessToken.

    Attributes:
        token: the bearer token.
        expires_on: when to ask again (seconds since 1970, UTC).
    """

    token: str
    expires_on: int


class AgentTokenCredential:
    """`AsyncTokenCredential` of azure-core, for the clients of Azure's and Graph's services.

    Args:
        tokens: give the tokens.
    """

    def __init__(self, tokens: AgentTokens) -> None:
        self._tokens = tokens

    async def get_token(self, *scopes: str, **_: object) -> ServiceToken:
        """A token for the service that a scope names; raises as `get_access_token` does."""
        token = await self._tokens.get_access_token(scopes[0], scopes)
        return ServiceToken(token, int(time.time()) + ASK_AGAIN_SECONDS)

    async def close(self) -> None:
        """Do nothing: the base owns the connections."""

    async def __aenter__(self) -> "AgentTokenCredential":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


class AgentConnections(Connections):  # type: ignore[misc]  # untyped SDK base
    """Every connection that the bot names is the bot's one identity.

    Args:
        tokens: its tokens.
        settings: the environment variables.
    """

    def __init__(self, tokens: AgentTokens, settings: Mapping[str, str]) -> None:
        self._tokens = tokens
        self._settings = settings

    def get_connection(self, connection_name: str | None) -> AgentTokens:
        """The tokens of a connection.

        Raises:
            NoToken: its settings name another app, whose secret would be needed.
        """
        other = self._settings.get(f"CONNECTIONS__{connection_name}__SETTINGS__CLIENTID", "")
        own: Any = self._tokens.configuration.CLIENT_ID
        if other and other.lower() != own.lower():
            raise NoToken(f"the connection {connection_name} names another app than this bot's")
        return self._tokens

    def get_default_connection(self) -> AgentTokens:
        """The bot's tokens."""
        return self._tokens

    def get_token_provider(self, *_: object) -> AgentTokens:
        """The bot's tokens, whoever calls and whatever the service URL."""
        return self._tokens

    def get_token_provider_from_activity(self, *_: object) -> AgentTokens:
        """The bot's tokens, whoever calls."""
        return self._tokens

    def get_default_connection_configuration(self) -> AgentAuthConfiguration:
        """The app id and the tenant."""
        return self._tokens.configuration
