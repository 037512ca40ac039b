"""UserTokenClient: the same calls of the token service as the SDK's own client."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from botbuilder.schema import (
    Activity,
    ChannelAccount,
    ConversationAccount,
    ErrorResponseException,
    TokenResponse,
)
from botframework.connector.auth import MicrosoftAppCredentials
from botframework.connector.auth._user_token_client_impl import _UserTokenClientImpl as SdkClient
from botframework.connector.token_api.models import (
    SignInUrlResponse,
    TokenExchangeRequest,
    TokenStatus,
)

from auth.bot_framework import BotCredentials
from bot_workbench.emulator.channel.user_tokens import CONNECTION as LOCAL_CONNECTION
from bot_workbench.emulator.channel.user_tokens import UserConnection
from cloud_adapter.codec import write_value
from cloud_adapter.connector.client import TURN_SECONDS, ConnectorSession, Service, UserTokenClient
from http_client.pool import HttpPool
from tests.support.bots.composed_app import ComposedApp
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.scripted_service import Reply, ScriptedService

USER, CONNECTION, CHANNEL = "29:1/\u00fc?&", "my connection", "msteams"
TOKEN = {
    "channelId": CHANNEL,
    "connectionName": CONNECTION,
    "token": "the user's",
    "expiration": "2026-01-01T10:00:00Z",
}
STATUS = {
    "channelId": CHANNEL,
    "connectionName": CONNECTION,
    "hasToken": True,
    "serviceProviderDisplayName": "Entra",
}
SIGN_IN = {
    "signInLink": "https://x/",
    "tokenExchangeResource": {"id": "1", "uri": "api://x", "providerId": "p"},
}

ACTIVITY = Activity(
    type="message",
    id="a1",
    channel_id=CHANNEL,
    service_url="https://smba.trafficmanager.net/amer/",
    from_property=ChannelAccount(id=USER, name="Ada"),
    recipient=ChannelAccount(id="28:bot", name="Bot"),
    conversation=ConversationAccount(id="c|1"),
)

Question = Callable[[Any], Awaitable[Any]]

QUESTIONS: dict[str, tuple[Question, Any]] = {
    "get_user_token": (lambda c: c.get_user_token(USER, CONNECTION, CHANNEL, "123456"), TOKEN),
    "get_user_token without code": (
        lambda c: c.get_user_token(USER, CONNECTION, CHANNEL, None),
        TOKEN,
    ),
    "get_sign_in_resource": (
        lambda c: c.get_sign_in_resource(CONNECTION, ACTIVITY, "https://x/?a=b"),
        SIGN_IN,
    ),
    "sign_out_user": (lambda c: c.sign_out_user(USER, CONNECTION, CHANNEL), None),
    "get_token_status": (lambda c: c.get_token_status(USER, CHANNEL, "a,b"), [STATUS]),
    "get_aad_tokens": (
        lambda c: c.get_aad_tokens(USER, CONNECTION, ["https://graph", "https://b"], CHANNEL),
        {"https://graph": TOKEN},
    ),
    "exchange_token": (
        lambda c: c.exchange_token(
            USER, CONNECTION, CHANNEL, TokenExchangeRequest(uri="api://x", token="offered")
        ),
        TOKEN,
    ),
}


def token_service(service: ScriptedService) -> Service:
    """The service as a turn that starts now calls it."""
    deadline = asyncio.get_running_loop().time() + TURN_SECONDS
    return Service(service.url, BotCredentials("", None, "x"), deadline)


@pytest.fixture
async def client(
    pool: HttpPool, service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> UserTokenClient:
    """A client without a token, in front of a service that takes any request."""
    session = ConnectorSession(pool, MovedClock(monkeypatch).sleep)
    return UserTokenClient(session, token_service(service))


@pytest.mark.parametrize("name", list(QUESTIONS))
async def test_questions_are_the_sdk_s(
    client: UserTokenClient, service: ScriptedService, name: str
) -> None:
    """Method, path, query, body and answer of each operation are those of the SDK's client."""
    ask, answer = QUESTIONS[name]
    service.otherwise = Reply(200, answer)
    theirs = SdkClient("", MicrosoftAppCredentials("", ""), service.url)
    answers = [await ask(theirs), await ask(client)]
    sdk, own = service.seen
    assert own.method == sdk.method
    # The SDK for Python alone names a version there; the one for JavaScript does not.
    assert {**own.query, "api-version": "token"} == {**sdk.query, "api-version": "token"}
    assert (own.path, own.json) == (sdk.path, sdk.json)
    if name != "sign_out_user":
        assert write_value(answers[1]) == write_value(answers[0])


async def test_the_sign_in_state(client: UserTokenClient, service: ScriptedService) -> None:
    """The state names the connection and the conversation, to which the sign-in returns."""
    service.otherwise = Reply(200, SIGN_IN)
    resource = await client.get_sign_in_resource(CONNECTION, ACTIVITY, None)
    assert isinstance(resource, SignInUrlResponse)
    assert resource.token_exchange_resource.uri == "api://x"
    assert "finalRedirect" not in service.seen[0].query
    state = json.loads(base64.b64decode(service.seen[0].query["state"]))
    assert state["connectionName"] == CONNECTION
    assert state["conversation"]["conversation"] == {"id": "c|1"}


async def test_a_user_s_token(client: UserTokenClient, service: ScriptedService) -> None:
    """A user who has signed in has a token, with its expiry."""
    service.otherwise = Reply(200, TOKEN)
    token = await client.get_user_token(USER, CONNECTION, CHANNEL, None)
    assert isinstance(token, TokenResponse)
    assert (token.token, token.connection_name) == ("the user's", CONNECTION)


@pytest.mark.parametrize(
    "answer",
    [
        Reply(404),
        Reply(404, {"error": {"code": "NotFound", "message": "x"}}),
        Reply(200, {}),
        Reply(200, {"token": None}),
        Reply(200, {"token": ""}),
        Reply(204),
    ],
)
async def test_a_user_without_a_token(
    client: UserTokenClient, service: ScriptedService, answer: Reply
) -> None:
    """A user who has not signed in has none, which is not an error."""
    service.otherwise = answer
    assert await client.get_user_token(USER, CONNECTION, CHANNEL, None) is None


@pytest.mark.parametrize("name", list(QUESTIONS))
async def test_a_refusal(client: UserTokenClient, service: ScriptedService, name: str) -> None:
    """What the service refuses raises the SDK's exception."""
    service.otherwise = Reply(403, {"error": {"code": "No", "message": "x"}})
    with pytest.raises(ErrorResponseException) as caught:
        await QUESTIONS[name][0](client)
    assert caught.value.response.status_code == 403
    assert len(service.seen) == 1


async def test_an_exchange_is_not_repeated(
    client: UserTokenClient, service: ScriptedService
) -> None:
    """A POST that the service may have done is sent once; a GET is sent again."""
    service.otherwise = Reply(503)
    with pytest.raises(ErrorResponseException):
        await QUESTIONS["exchange_token"][0](client)
    assert len(service.seen) == 1
    service.script = [Reply(503)]
    service.otherwise = Reply(200, TOKEN)
    assert await QUESTIONS["get_user_token"][0](client)


async def test_a_busy_service(client: UserTokenClient, service: ScriptedService) -> None:
    """A pause is waited for within the turn's time, and not beyond it."""
    service.script = [
        Reply(429, None, {"Retry-After": "8"}),
        Reply(429, None, {"Retry-After": "8"}),
    ]
    with pytest.raises(ErrorResponseException):
        await QUESTIONS["get_user_token"][0](client)
    assert len(service.seen) == 2


async def test_the_deadline_is_the_turn_s(
    pool: HttpPool, service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time starts when the client is made, not with its first call."""
    clock = MovedClock(monkeypatch)
    session = ConnectorSession(pool, clock.sleep)
    client = UserTokenClient(session, token_service(service))
    clock.move(TURN_SECONDS - 1)
    service.otherwise = Reply(429, None, {"Retry-After": "2"})
    with pytest.raises(ErrorResponseException):
        await QUESTIONS["get_user_token"][0](client)
    assert (len(service.seen), clock.pauses) == (1, [])


async def test_the_state_of_sign_ins(client: UserTokenClient, service: ScriptedService) -> None:
    """Each connection has its status; no answer is an empty list."""
    service.script = [Reply(200, [STATUS])]
    (status,) = await client.get_token_status(USER, CHANNEL, None)
    assert isinstance(status, TokenStatus)
    assert status.has_token
    assert service.seen[0].query == {"userId": USER, "channelId": CHANNEL}
    assert await client.get_token_status(USER, CHANNEL, None) == []


async def test_tokens_for_resources(client: UserTokenClient, service: ScriptedService) -> None:
    """They come by resource; no answer is an empty dict."""
    service.script = [Reply(200, {"https://graph": TOKEN})]
    tokens = await client.get_aad_tokens(USER, CONNECTION, ["https://graph"], CHANNEL)
    assert {name: type(token) for name, token in tokens.items()} == {"https://graph": TokenResponse}
    assert await client.get_aad_tokens(USER, CONNECTION, [], CHANNEL) == {}


async def test_a_user_s_whole_stay(app: ComposedApp) -> None:
    """Against the local cloud, as the bot: link, code, status, tokens, exchange, sign-out."""
    users = app.cloud.user_tokens
    authentication = app.parts.adapter.bot_framework_authentication
    client = await authentication.create_user_token_client(None)
    place = USER, LOCAL_CONNECTION, CHANNEL
    assert await client.get_user_token(*place, None) is None
    resource = await client.get_sign_in_resource(LOCAL_CONNECTION, ACTIVITY, None)
    begun = users.find_sign_in(resource.sign_in_link.partition("signin=")[2])
    assert begun is not None
    assert begun.target == UserConnection(*place)
    assert await client.get_user_token(*place, "x") is None
    assert (await client.get_user_token(*place, users.confirm(begun))).token
    (status,) = await client.get_token_status(USER, CHANNEL, LOCAL_CONNECTION)
    assert status.has_token
    tokens = await client.get_aad_tokens(USER, LOCAL_CONNECTION, ["https://graph"], CHANNEL)
    assert tokens["https://graph"].token
    await client.sign_out_user(*place)
    assert await client.get_user_token(*place, None) is None
    offered = users.exchangeable_token(resource.token_exchange_resource.uri, USER, "Ada")
    assert (await client.exchange_token(*place, TokenExchangeRequest(token=offered))).token
    assert (await client.get_user_token(*place, None)).connection_name == LOCAL_CONNECTION
    await client.sign_out_user(*place)  # other tests share the cloud
