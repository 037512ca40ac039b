"""TokenService: the SDK's unmodified client works against it, and strangers are refused."""

import base64
import json
from typing import Any

import aiohttp
import jwt
import pytest
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount
from botframework.connector.auth.user_token_client import UserTokenClient
from botframework.connector.token_api.aio import TokenApiClient
from botframework.connector.token_api.models import ErrorResponseException
from msrest.exceptions import HttpOperationError

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.channel.user_tokens import CONNECTION, UserConnection, UserTokens
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.token_service.service import TokenCall, TokenService
from tests.emulator.registered_bot import APP_ID, CLAIMS, OTHER_APP
from tests.emulator.token_service.conftest import PAGE
from tests.support.credentials.issued_credentials import IssuedCredentials

TARGET = UserConnection("user-1", CONNECTION, "webchat")
ACTIVITY = Activity(
    type="message",
    id="a1",
    channel_id="webchat",
    service_url="https://localhost:1/",
    from_property=ChannelAccount(id="user-1", name="Ada"),
    recipient=ChannelAccount(id=APP_ID, name="Bot"),
    conversation=ConversationAccount(id="c|1"),
)


@pytest.fixture
def client(
    service: TokenService,
    issuer: TokenIssuer,
    authority: CertificateAuthority,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """The SDK's client, trusting the local authority as the app's process does."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
    return TokenApiClient(IssuedCredentials(issuer, CLAIMS), service.server.url)


def state(**changes: Any) -> str:
    """The state of a sign-in, as the SDK writes it, with changes."""
    text = UserTokenClient.create_token_exchange_state(APP_ID, CONNECTION, ACTIVITY)
    return base64.b64encode(
        json.dumps(json.loads(base64.b64decode(text)) | changes).encode()
    ).decode()


async def test_a_token_by_code(client: Any, users: UserTokens) -> None:
    """The SDK's client gets no token, then a link, and a token for the code."""
    assert (await client.user_token.get_token("user-1", CONNECTION, "webchat")).token is None
    resource = await client.bot_sign_in.get_sign_in_resource(state())
    link, _, sign_in_id = resource.sign_in_link.partition("?signin=")
    assert link == f"{PAGE}/api/oauth/signin"
    sign_in = users.find_sign_in(sign_in_id)
    assert sign_in is not None
    assert (sign_in.target, sign_in.user_name, sign_in.conversation_id) == (TARGET, "Ada", "c|1")
    code = users.confirm(sign_in)
    wrong = await client.user_token.get_token("user-1", CONNECTION, "webchat", "x" + code)
    assert wrong.token is None
    token = await client.user_token.get_token("user-1", CONNECTION, "webchat", code)
    assert jwt.decode(token.token, options={"verify_signature": False})["name"] == "Ada"
    assert (token.connection_name, token.channel_id) == (CONNECTION, "webchat")
    again = await client.user_token.get_token("user-1", CONNECTION, "webchat")
    assert again.token


async def test_the_sign_in_resource(client: Any, service: TokenService) -> None:
    """The sign-in resource has a new exchange id each time, and the bot's own resource."""
    first = await client.bot_sign_in.get_sign_in_resource(state())
    second = await client.bot_sign_in.get_sign_in_resource(state())
    exchange = first.token_exchange_resource
    assert exchange.uri == f"api://botid-{APP_ID}"
    assert exchange.provider_id
    assert exchange.id != second.token_exchange_resource.id
    assert first.sign_in_link != second.sign_in_link
    assert first.token_post_resource.sas_url.startswith(f"{service.server.url}/")


async def test_the_sign_in_url(client: Any) -> None:
    """The sign-in URL is the link of the sign-in resource."""
    url = await client.bot_sign_in.get_sign_in_url(state())
    assert url.startswith(f"{PAGE}/api/oauth/signin?signin=")


async def test_an_exchange(client: Any, users: UserTokens) -> None:
    """A token for the bot's resource is exchanged for the user's token."""
    offered = users.exchangeable_token(users.resource, "user-1", "Ada")
    token = await client.user_token.exchange_async("user-1", CONNECTION, "webchat", token=offered)
    assert token.token
    assert token.token != offered
    assert users.has_token(TARGET)


@pytest.mark.parametrize("offered", [None, "", "x"])
async def test_no_exchange(client: Any, users: UserTokens, offered: str | None) -> None:
    """Any other token is refused with 400, which the SDK returns as it is."""
    answer = await client.user_token.exchange_async(
        "user-1", CONNECTION, "webchat", "api://x", offered
    )
    assert answer.error.code == "BadArgument"
    assert not users.has_token(TARGET)


async def test_statuses(client: Any, users: UserTokens) -> None:
    """Each connection, or each requested one, is listed with its state."""
    (status,) = await client.user_token.get_token_status("user-1", "webchat")
    assert (status.connection_name, status.has_token) == (CONNECTION, False)
    assert status.service_provider_display_name
    users.sign_in(TARGET, "Ada")
    (status,) = await client.user_token.get_token_status("user-1", "webchat", f"x,{CONNECTION}")
    assert status.has_token
    assert await client.user_token.get_token_status("user-1", "webchat", "x") == []


async def test_tokens_for_resources(client: Any, users: UserTokens) -> None:
    """Each resource has its own token; a user who is not signed in has none."""
    urls = ["https://graph.microsoft.com", "https://other.example"]
    ask = client.user_token.get_aad_tokens
    with pytest.raises(ErrorResponseException):
        await ask("user-1", CONNECTION, "webchat", urls)
    users.sign_in(TARGET, "Ada")
    tokens = await ask("user-1", CONNECTION, "webchat", urls)
    audiences = {
        url: jwt.decode(token.token, options={"verify_signature": False})["aud"]
        for url, token in tokens.items()
    }
    assert audiences == {url: url for url in urls}


async def test_signing_out(client: Any, users: UserTokens) -> None:
    """A signed-out user has no token, with or without a named connection."""
    for arguments in [("user-1", CONNECTION, "webchat"), ("user-1",)]:
        users.sign_in(TARGET, "Ada")
        await client.user_token.sign_out(*arguments)
        assert not users.has_token(TARGET)


async def test_any_connection(client: Any, users: UserTokens) -> None:
    """A connection needs no setting up: the bot names it, and its users sign in to it."""
    resource = await client.bot_sign_in.get_sign_in_resource(state(connectionName="other"))
    sign_in = users.find_sign_in(resource.sign_in_link.partition("?signin=")[2])
    assert sign_in is not None
    code = users.confirm(sign_in)
    token = await client.user_token.get_token("user-1", "other", "webchat", code)
    assert (token.connection_name, bool(token.token)) == ("other", True)
    statuses = await client.user_token.get_token_status("user-1", "webchat")
    assert [(each.connection_name, each.has_token) for each in statuses] == [
        (CONNECTION, False),
        ("other", True),
    ]


async def test_an_unknown_connection(client: Any, service: TokenService, users: UserTokens) -> None:
    """An unknown connection is a 404 for GetToken, as a missing token, and else a 400."""
    users.unknown_connections.add("other")
    user = client.user_token
    assert (await user.get_token("user-1", "other", "webchat")).token is None
    with pytest.raises(HttpOperationError):
        await client.bot_sign_in.get_sign_in_resource(state(connectionName="other"))
    with pytest.raises(HttpOperationError):
        await client.bot_sign_in.get_sign_in_url(state(connectionName="other"))
    with pytest.raises(ErrorResponseException):
        await user.sign_out("user-1", "other", "webchat")
    with pytest.raises(ErrorResponseException):
        await user.get_aad_tokens("user-1", "other", "webchat", [])
    answer = await user.exchange_async("user-1", "other", "webchat", token="x")
    assert "'other'" in answer.error.message
    assert [call.status for call in service.calls] == [404, 400, 400, 400, 400, 400]


OPERATIONS = [
    ("GET", "/api/usertoken/GetToken"),
    ("GET", "/api/usertoken/GetTokenOrSignInResource"),
    ("GET", "/api/usertoken/GetTokenStatus"),
    ("POST", "/api/usertoken/GetAadTokens"),
    ("POST", "/api/usertoken/exchange"),
    ("DELETE", "/api/usertoken/SignOut"),
    ("GET", "/api/botsignin/GetSignInUrl"),
    ("GET", "/api/botsignin/GetSignInResource"),
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_strangers(
    service: TokenService,
    users: UserTokens,
    issuer: TokenIssuer,
    http: aiohttp.ClientSession,
    method: str,
    path: str,
) -> None:
    """Each operation is a 401 without a token of this bot for the Bot Framework."""
    users.sign_in(TARGET, "Ada")
    query = {"userId": "user-1", "connectionName": CONNECTION, "channelId": "webchat"}
    query["state"] = state()
    refused = [
        {},
        {"Authorization": "Bearer x"},
        {"Authorization": f"Basic {issuer.sign(CLAIMS)}"},
        {"Authorization": f"Bearer {TokenIssuer().sign(CLAIMS)}"},
        {"Authorization": f"Bearer {issuer.sign({**CLAIMS, 'aud': 'https://vault.azure.net'})}"},
        {"Authorization": f"Bearer {issuer.sign({**CLAIMS, 'iss': 'https://sts.windows.net/x/'})}"},
        {"Authorization": f"Bearer {issuer.sign({**CLAIMS, 'exp': 1})}"},
        {"Authorization": f"Bearer {issuer.sign({**CLAIMS, 'appid': OTHER_APP})}"},
        {"Authorization": f"Bearer {issuer.sign({**CLAIMS, 'appid': ''})}"},
    ]
    for headers in refused:
        async with http.request(method, path, params=query, headers=headers) as response:
            assert response.status == 401, headers
            assert response.headers["WWW-Authenticate"] == "Bearer"
    assert users.has_token(TARGET)
    assert [call.status for call in service.calls] == [401] * len(refused)
    assert [call.appid for call in service.calls][-2:] == [OTHER_APP, ""]


async def test_calls_are_remembered(client: Any, service: TokenService) -> None:
    """Each call is recorded with method, path, status and app id."""
    await client.user_token.get_token("user-1", CONNECTION, "webchat")
    assert service.calls == [TokenCall("GET", "/api/usertoken/GetToken", 404, APP_ID)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "\u00e9",
        f"*{state()}",
        base64.b64encode(b"x").decode(),
        base64.b64encode(b"[]").decode(),
        state(msAppId=OTHER_APP),
        state(connectionName=None),
        state(connectionName=""),
        state(conversation=None),
        state(conversation={}),
        state(conversation={"user": {"id": "u"}, "channelId": "webchat"}),
        state(conversation={"user": {}, "channelId": "webchat", "conversation": {"id": "c"}}),
        state(conversation={"user": {"id": "u"}, "channelId": 1, "conversation": {"id": "c"}}),
    ],
)
async def test_a_malformed_state(client: Any, service: TokenService, text: str) -> None:
    """A state without user, connection or conversation is refused."""
    with pytest.raises(HttpOperationError):
        await client.bot_sign_in.get_sign_in_resource(text)
    assert service.calls[-1].status == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/usertoken/GetToken", None),
        ("GET", "/api/usertoken/GetToken?userId=user-1", None),
        ("GET", "/api/usertoken/GetTokenOrSignInResource", None),
        (
            "GET",
            f"/api/usertoken/GetTokenOrSignInResource?userId=u&connectionName={CONNECTION}",
            None,
        ),
        ("GET", "/api/usertoken/GetTokenStatus", None),
        ("DELETE", "/api/usertoken/SignOut", None),
        ("POST", f"/api/usertoken/exchange?userId=u&connectionName={CONNECTION}", "x"),
        ("POST", f"/api/usertoken/GetAadTokens?userId=u&connectionName={CONNECTION}", "{}"),
        (
            "POST",
            f"/api/usertoken/GetAadTokens?userId=u&connectionName={CONNECTION}",
            '{"resourceUrls": [1]}',
        ),
    ],
)
async def test_a_malformed_question(
    http: aiohttp.ClientSession, issuer: TokenIssuer, method: str, path: str, body: str | None
) -> None:
    """A request without a required part is refused in the service's error shape."""
    headers = {"Authorization": f"Bearer {issuer.sign(CLAIMS)}"}
    async with http.request(method, path, data=body, headers=headers) as response:
        assert response.status == 400
        assert set((await response.json())["error"]) == {"code", "message"}
