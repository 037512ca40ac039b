"""BotConnector: refuses strangers and malformed requests, and records every call."""

import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.channel.connector import BotConnector
from bot_workbench.emulator.channel.conversations import Conversation
from bot_workbench.emulator.entra.registration import CHANNEL_TENANT
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from tests.emulator.channel.direct_line_client import BOT, MEMBER
from tests.emulator.registered_bot import CLAIMS, OTHER_APP


@pytest.fixture(scope="module")
def stranger() -> TokenIssuer:
    return TokenIssuer()


@pytest.fixture
async def http(
    connector: BotConnector, authority: CertificateAuthority
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client for requests that the SDK's client never sends."""
    trusted = ssl.create_default_context(cafile=str(authority.path))
    async with aiohttp.ClientSession(
        connector.server.url, connector=aiohttp.TCPConnector(ssl=trusted)
    ) as session:
        yield session


@dataclass
class RestCaller:
    """Calls the connector over HTTP, in one conversation."""

    http: aiohttp.ClientSession
    issuer: TokenIssuer
    connector: BotConnector
    conversation: Conversation

    async def status(self, token: str, scheme: str = "Bearer") -> int:
        """The status of a message with this token."""
        headers = {"Authorization": f"{scheme} {token}"}
        url = f"/v3/conversations/{self.conversation.id}/activities"
        async with self.http.post(url, json={"type": "message"}, headers=headers) as response:
            return response.status


@pytest.fixture
def caller(http: aiohttp.ClientSession, issuer: TokenIssuer, connector: BotConnector) -> RestCaller:
    """A caller in a conversation of a user and the bot."""
    return RestCaller(http, issuer, connector, connector.conversations.create([MEMBER, BOT]))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"text": "no type"}, "no 'type'"),
        ({"type": ""}, "no 'type'"),
        ({"type": "message", "conversation": {"conversationType": None}}, "conversationType"),
        ({"type": "message", "from": "me"}, "'from'"),
        (["a", "list"], "not a JSON object"),
        ("not JSON", "not JSON"),
    ],
)
async def test_a_malformed_activity_is_a_400(caller: RestCaller, body: Any, reason: str) -> None:
    """It is not stored, and the response says why."""
    headers = {"Authorization": f"Bearer {caller.issuer.sign(CLAIMS)}"}
    sent = {"data": body} if isinstance(body, str) else {"json": body}
    url = f"/v3/conversations/{caller.conversation.id}/activities"
    async with caller.http.post(url, headers=headers, **sent) as response:
        assert response.status == 400
        assert reason in (await response.json())["error"]["message"]
    assert caller.conversation.activities == []
    assert caller.connector.calls[-1].status == 400


@pytest.mark.parametrize("name", ["originalBase64", "thumbnailBase64"])
@pytest.mark.parametrize("content", ["x", "*", "\u00e9"])
async def test_a_malformed_attachment_is_a_400(caller: RestCaller, name: str, content: str) -> None:
    """Content that is not base64 is refused."""
    headers = {"Authorization": f"Bearer {caller.issuer.sign(CLAIMS)}"}
    url = f"/v3/conversations/{caller.conversation.id}/attachments"
    async with caller.http.post(url, headers=headers, json={name: content}) as response:
        assert response.status == 400
        assert "not base64" in (await response.json())["error"]["message"]


OPERATIONS = [
    ("GET", "/v3/conversations"),
    ("POST", "/v3/conversations"),
    ("POST", "/v3/conversations/{id}/activities"),
    ("POST", "/v3/conversations/{id}/activities/history"),
    ("POST", "/v3/conversations/{id}/activities/a"),
    ("PUT", "/v3/conversations/{id}/activities/a"),
    ("DELETE", "/v3/conversations/{id}/activities/a"),
    ("GET", "/v3/conversations/{id}/activities/a/members"),
    ("GET", "/v3/conversations/{id}/members"),
    ("GET", "/v3/conversations/{id}/pagedmembers"),
    ("GET", "/v3/conversations/{id}/members/m"),
    ("DELETE", "/v3/conversations/{id}/members/m"),
    ("POST", "/v3/conversations/{id}/attachments"),
    ("GET", "/v3/attachments/a"),
    ("GET", "/v3/attachments/a/views/original"),
]


async def test_no_operation_works_without_a_token(caller: RestCaller) -> None:
    """Each operation responds with 401 and a challenge, and the call is recorded."""
    for method, path in OPERATIONS:
        url = path.format(id=caller.conversation.id)
        async with caller.http.request(method, url, json={"type": "message"}) as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"] == "Bearer"
            assert (await response.json())["error"]["code"] == "Unauthorized"
    assert [(call.status, call.verified) for call in caller.connector.calls] == [(401, False)] * 15
    assert caller.conversation.activities == []


DAY = 24 * 60 * 60
"""Seconds; more than a run of all tests takes, which collects them first."""

WRONG_TOKENS = {
    "audience": {"aud": "https://graph.microsoft.com"},
    "foreign tenant": {"iss": "https://sts.windows.net/9c2b7b0a-33a5-4f0e-8f61-3d1f0a9b5e33/"},
    "channel tenant": {"iss": f"https://sts.windows.net/{CHANNEL_TENANT}/"},
    "expired": {"exp": int(time.time()) - 60},
    "not yet valid": {"nbf": int(time.time()) + DAY},
}


@pytest.mark.parametrize("claims", WRONG_TOKENS.values(), ids=WRONG_TOKENS.keys())
async def test_a_wrong_token_is_a_401(caller: RestCaller, claims: dict[str, Any]) -> None:
    """A token with a wrong audience, issuer or validity is refused."""
    assert await caller.status(caller.issuer.sign({**CLAIMS, **claims})) == 401
    assert not caller.connector.calls[-1].verified


async def test_a_forged_token_is_a_401(caller: RestCaller, stranger: TokenIssuer) -> None:
    """A foreign signature, text that is no token, and another scheme are refused."""
    assert await caller.status(stranger.sign(CLAIMS)) == 401
    assert await caller.status("rubbish") == 401
    assert await caller.status(caller.issuer.sign(CLAIMS), scheme="Basic") == 401


@pytest.mark.parametrize("app_id", [OTHER_APP, None])
async def test_the_token_of_another_app_is_a_403(caller: RestCaller, app_id: str | None) -> None:
    """A valid token that is not this bot's is recorded as verified, and refused."""
    token = caller.issuer.sign({**CLAIMS, "appid": app_id or ""})
    assert await caller.status(token) == 403
    call = caller.connector.calls[-1]
    assert (call.status, call.appid, call.verified) == (403, app_id or "", True)


async def test_a_multitenant_bot_signs_in_at_the_channels_tenant(caller: RestCaller) -> None:
    """Tokens of the channels' tenant are accepted, those of the home tenant refused."""
    home, channels = CLAIMS, {**CLAIMS, "iss": f"https://sts.windows.net/{CHANNEL_TENANT}/"}
    token = caller.issuer.sign(home)
    assert await caller.status(token) == 201
    caller.connector.registration.app_type = "MultiTenant"
    assert await caller.status(token) == 401
    assert await caller.status(caller.issuer.sign(channels)) == 201


async def test_withdrawn_keys_end_what_was_accepted(caller: RestCaller) -> None:
    """A token accepted before is refused once Entra's key is gone, and accepted when it is back."""
    token = caller.issuer.sign(CLAIMS)
    assert await caller.status(token) == 201
    keys = caller.issuer.keys
    caller.issuer.roll()
    assert await caller.status(token) == 401
    caller.issuer.keys = keys
    assert await caller.status(token) == 201


async def test_tokens_are_not_kept(caller: RestCaller) -> None:
    """The record of a call has the token's app id, not the token."""
    token = caller.issuer.sign(CLAIMS)
    assert await caller.status(token) == 201
    assert token not in repr(caller.connector.calls)


async def test_the_demand_for_a_token_can_be_lifted(caller: RestCaller) -> None:
    """With `require_token` off a call without a token is accepted, and recorded as unverified."""
    caller.connector.require_token = False
    assert await caller.status("") == 201
    assert not caller.connector.calls[-1].verified
