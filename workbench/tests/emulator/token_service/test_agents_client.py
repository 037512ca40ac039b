"""TokenService: the unmodified client of the Microsoft 365 Agents SDK works against it."""

from collections.abc import AsyncIterator

import aiohttp
import jwt
import pytest
from microsoft_agents.activity import (
    Activity,
    ActivityTypes,
    ChannelAccount,
    ChannelId,
    ConversationAccount,
    TokenExchangeRequest,
)
from microsoft_agents.hosting.core.connector.client.user_token_client import UserTokenClient

from bot_workbench.emulator.channel.user_tokens import CONNECTION, UserConnection, UserTokens
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.token_service.service import TokenService
from tests.emulator.registered_bot import APP_ID, CLAIMS

TARGET = UserConnection("user-1", CONNECTION, "msteams")
ACTIVITY = Activity(
    type=ActivityTypes.message,
    id="a1",
    channel_id=ChannelId("msteams:COPILOT"),
    service_url="https://localhost:1/",
    from_property=ChannelAccount(id="user-1", name="Ada"),
    recipient=ChannelAccount(id=APP_ID, name="Bot"),
    conversation=ConversationAccount(id="c|1"),
)


@pytest.fixture
async def client(
    service: TokenService, http: aiohttp.ClientSession, issuer: TokenIssuer
) -> AsyncIterator[UserTokenClient]:
    """Their client, on a session that trusts the local authority."""
    client = UserTokenClient(service.server.url, issuer.sign(CLAIMS), app_id=APP_ID, session=http)
    yield client
    await client.close()


async def test_a_token_or_a_sign_in_resource(
    client: UserTokenClient, service: TokenService, users: UserTokens
) -> None:
    """Who is not signed in gets the sign-in resource, and who is the token: both are a 200."""
    answer = await client.get_token_or_sign_in_resource(CONNECTION, ACTIVITY)
    assert answer.token_response is None
    resource = answer.sign_in_resource
    sign_in = users.find_sign_in(resource.sign_in_link.partition("?signin=")[2])
    assert sign_in is not None
    assert (sign_in.target, sign_in.user_name, sign_in.conversation_id) == (TARGET, "Ada", "c|1")
    assert resource.token_exchange_resource.uri == users.resource
    assert resource.token_post_resource.sas_url.startswith(f"{service.server.url}/")
    users.sign_in(TARGET, "Ada")
    answer = await client.get_token_or_sign_in_resource(CONNECTION, ACTIVITY)
    assert answer.sign_in_resource is None
    assert answer.token_response == await client.get_user_token("user-1", CONNECTION, "msteams")
    assert [call.status for call in service.calls] == [200, 200, 200]


async def test_a_code_in_the_same_call(client: UserTokenClient, users: UserTokens) -> None:
    """The code is redeemed, once; for a wrong one, there is a sign-in resource."""
    answer = await client.get_token_or_sign_in_resource(CONNECTION, ACTIVITY)
    sign_in = users.find_sign_in(answer.sign_in_resource.sign_in_link.partition("?signin=")[2])
    assert sign_in is not None
    code = users.confirm(sign_in)
    wrong = await client.get_token_or_sign_in_resource(CONNECTION, ACTIVITY, "x" + code)
    assert wrong.sign_in_resource
    right = await client.get_token_or_sign_in_resource(CONNECTION, ACTIVITY, code)
    assert right.token_response
    again = await client.get_token_or_sign_in_resource(CONNECTION, ACTIVITY, code)
    assert again.sign_in_resource


async def test_a_code(client: UserTokenClient, users: UserTokens) -> None:
    """A missing token is an empty response, and the code of the link gives one."""
    assert not await client.get_user_token("user-1", CONNECTION, "msteams")
    resource = await client.get_sign_in_resource(CONNECTION, ACTIVITY)
    sign_in = users.find_sign_in(resource.sign_in_link.partition("?signin=")[2])
    assert sign_in is not None
    code = users.confirm(sign_in)
    assert not await client.get_user_token("user-1", CONNECTION, "msteams", "x" + code)
    assert await client.get_user_token("user-1", CONNECTION, "msteams", code)


async def test_an_exchange(client: UserTokenClient, users: UserTokens) -> None:
    """A token for the bot's resource is exchanged; any other is a 400, which they raise."""
    with pytest.raises(aiohttp.ClientResponseError) as refusal:
        await client.exchange_token(
            "user-1", CONNECTION, "msteams", TokenExchangeRequest(token="x")
        )
    assert refusal.value.status == 400
    offered = users.exchangeable_token(users.resource, "user-1", "Ada")
    request = TokenExchangeRequest(token=offered)
    token = await client.exchange_token("user-1", CONNECTION, "msteams", request)
    assert token
    assert users.has_token(TARGET)


async def test_what_a_signed_in_user_has(client: UserTokenClient, users: UserTokens) -> None:
    """Status, tokens for resources, and signing out."""
    (status,) = await client.get_token_status("user-1", "msteams", CONNECTION)
    assert (status.connection_name, status.has_token) == (CONNECTION, False)
    users.sign_in(TARGET, "Ada")
    (status,) = await client.get_token_status("user-1", "msteams")
    assert status.has_token
    url = "https://other.example"
    tokens = await client.get_aad_tokens("user-1", CONNECTION, [url], "msteams")
    assert jwt.decode(tokens[url].token, options={"verify_signature": False})["aud"] == url
    await client.sign_out_user("user-1", CONNECTION, "msteams")
    assert not users.has_token(TARGET)


async def test_an_unknown_connection(client: UserTokenClient, users: UserTokens) -> None:
    """An unknown connection is a 404 for GetToken, as a missing token, and else a 400."""
    users.unknown_connections.add("other")
    assert not await client.get_user_token("user-1", "other", "msteams")
    for call in (
        client.get_token_or_sign_in_resource("other", ACTIVITY),
        client.get_sign_in_resource("other", ACTIVITY),
        client.sign_out_user("user-1", "other", "msteams"),
        client.get_aad_tokens("user-1", "other", [], "msteams"),
        client.exchange_token("user-1", "other", "msteams", TokenExchangeRequest(token="x")),
    ):
        with pytest.raises(aiohttp.ClientResponseError) as refusal:
            await call
        assert refusal.value.status == 400
