"""The bot's one identity, as the SDK asks for it."""

import time
from typing import ClassVar

import pytest
from microsoft_agents.hosting.core import AuthTypes

from auth.bot_framework import BotCredentials
from auth.outbound.token_provider import AccessToken
from cloud_adapter.agents.connections import AgentConnections, AgentTokens
from cloud_adapter.errors import NoToken

APP_ID = "11111111-1111-1111-1111-111111111111"
TENANT = "22222222-2222-2222-2222-222222222222"
CHANNEL = "https://api.botframework.us"
GRAPH = "https://graph.microsoft.us"


class Tokens:
    """Gives each audience a token of its name."""

    async def get(self, audience: str) -> AccessToken:
        """It."""
        return AccessToken(f"channel {audience}", 0)


class Services:
    """What the connections use of BotServices, in US Government."""

    app_id = APP_ID
    settings: ClassVar = {
        "MicrosoftAppTenantId": TENANT,
        "CONNECTIONS__MAIL__SETTINGS__CLIENTID": "33333333-3333-3333-3333-333333333333",
        "CONNECTIONS__SAME__SETTINGS__CLIENTID": APP_ID.upper(),
    }
    credentials = BotCredentials(APP_ID, Tokens(), CHANNEL)

    async def token(self, audience: str) -> str:
        """A token of the audience's name."""
        return f"service {audience}"

    async def token_on_behalf_of(self, scopes: list[str], user_token: str) -> str:
        """A token of the names of scopes and user."""
        return f"{user_token} {scopes}"


@pytest.fixture
def connections() -> AgentConnections:
    """The bot's connections."""
    services = Services()
    return AgentConnections(AgentTokens(services), services.settings)  # type: ignore[arg-type]


async def test_tokens_for_the_channel(connections: AgentConnections) -> None:
    """The SDK names the public cloud's channel in every cloud."""
    tokens = connections.get_token_provider(None, "https://smba.example")
    for resource in ("https://api.botframework.com", CHANNEL):
        token = await tokens.get_access_token(resource, [f"{resource}/.default"])
        assert token == f"channel {CHANNEL}"


async def test_tokens_for_other_services(connections: AgentConnections) -> None:
    """A scope that ends in /.default names the service, else the resource does."""
    tokens = connections.get_default_connection()
    assert await tokens.get_access_token("https://x", [f"{GRAPH}/.default"]) == f"service {GRAPH}"
    assert await tokens.get_access_token(GRAPH, [f"{GRAPH}/Mail.Read"]) == f"service {GRAPH}"


async def test_azures_clients(connections: AgentConnections) -> None:
    """They ask again soon, because the base refreshes the token."""
    credential = connections.get_default_connection().get_token_credential()
    async with credential:
        token = await credential.get_token(f"{GRAPH}/.default", enable_cae=True)
    assert token.token == f"service {GRAPH}"
    assert 0 < token.expires_on - time.time() <= 300


async def test_on_behalf_of_a_user(connections: AgentConnections) -> None:
    """The base exchanges the user's token."""
    tokens = connections.get_connection("SERVICE_CONNECTION")
    token = await tokens.acquire_token_on_behalf_of([f"{GRAPH}/.default"], "Ada")
    assert token == f"Ada ['{GRAPH}/.default']"


async def test_another_app(connections: AgentConnections) -> None:
    """A connection that names it would need its secret."""
    assert connections.get_connection("SAME") is connections.get_default_connection()
    with pytest.raises(NoToken, match="MAIL"):
        connections.get_connection("MAIL")


async def test_agent_id(connections: AgentConnections) -> None:
    """Its tokens are refused."""
    tokens = connections.get_default_connection()
    for refused in (
        tokens.get_agentic_application_token(TENANT, "instance"),
        tokens.get_agentic_instance_token(TENANT, "instance"),
        tokens.get_agentic_user_token(TENANT, "instance", "user", ["scope"]),
    ):
        with pytest.raises(NoToken, match="Agent ID"):
            await refused


def test_the_configuration(connections: AgentConnections) -> None:
    """App and tenant are the bot's; it holds no secret."""
    configuration = connections.get_default_connection_configuration()
    assert (configuration.CLIENT_ID, configuration.TENANT_ID) == (APP_ID, TENANT)
    assert AuthTypes.user_managed_identity == configuration.AUTH_TYPE
    assert configuration.CLIENT_SECRET is None
