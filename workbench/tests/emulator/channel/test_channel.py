"""Channel: the SDK's own checks accept its tokens, and every delivery ends in an answer."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jwt
import pytest
from botframework.connector import Channels
from botframework.connector.auth import (
    ChannelValidation,
    ClaimsIdentity,
    JwtTokenExtractor,
    SimpleCredentialProvider,
)

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.channel.channel import CHANNEL_IDS, BotAnswer, Channel
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from tests.emulator.channel.direct_line_client import RecordingBot
from tests.emulator.registered_bot import APP_ID, TENANT

SERVICE_URL = "https://localhost:1/"
OTHER_URL = "https://localhost:2/"


def message(service_url: str = SERVICE_URL) -> dict[str, Any]:
    return {"type": "message", "text": "hello", "serviceUrl": service_url}


@pytest.fixture
async def channel(
    authority: CertificateAuthority, bot: RecordingBot, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Channel]:
    """Listening, with the test's bot as its endpoint, trusted by the SDK's client."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
    registration = Registration(APP_ID, TENANT, "UserAssignedMSI")
    keys = TokenIssuer(endorsements=["webchat", "msteams"])
    channel = Channel(registration, authority.server_context(), keys)
    await channel.server.start()
    channel.bot_endpoint = f"{bot.server.url}/api/messages"
    yield channel
    await channel.close()
    await channel.server.stop()


async def validated(
    channel: Channel, token: str, service_url: str, channel_id: str, monkeypatch: pytest.MonkeyPatch
) -> ClaimsIdentity:
    """The SDK's verdict; in a thread, because it fetches the keys without yielding."""
    url = f"{channel.server.url}/v1/.well-known/openidconfiguration"
    monkeypatch.setattr(ChannelValidation, "open_id_metadata_endpoint", url)
    monkeypatch.setattr(JwtTokenExtractor, "metadataCache", {})
    verdict = ChannelValidation.authenticate_channel_token_with_service_url(
        f"Bearer {token}", SimpleCredentialProvider(APP_ID, ""), service_url, channel_id
    )
    return await asyncio.to_thread(asyncio.run, verdict)


async def test_the_sdk_accepts_the_token(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    """BotBuilder accepts issuer, audience, keys, endorsements and service URL."""
    token = channel.token(SERVICE_URL)
    identity = await validated(channel, token, SERVICE_URL, "webchat", monkeypatch)
    assert identity.is_authenticated
    assert identity.claims["exp"] - identity.claims["iat"] == 3600


async def test_the_sdk_refuses_a_channel_that_is_not_endorsed(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys endorse only the channel ids that were given."""
    token = channel.token(SERVICE_URL)
    with pytest.raises(Exception, match="endorsement"):
        await validated(channel, token, SERVICE_URL, "slack", monkeypatch)


def test_the_channels_of_both_sdks() -> None:
    """Each channel id that an SDK knows is endorsed by the usual keys, and no other."""
    from microsoft_agents.activity import Channels as AgentsChannels

    # In activities, `msteams:COPILOT` is `msteams`, with the entity productInfo.
    of_agents = {each.value.partition(":")[0] for each in AgentsChannels}
    assert sorted(CHANNEL_IDS) == sorted({each.value for each in Channels} | of_agents)


async def test_the_token_is_bound_to_the_service_url(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token for one service URL is refused with an activity of another."""
    token = channel.token(SERVICE_URL)
    with pytest.raises(PermissionError, match="service_url"):
        await validated(channel, token, OTHER_URL, "webchat", monkeypatch)


async def test_the_configuration_is_a_valid_openid_document(
    channel: Channel, authority: CertificateAuthority
) -> None:
    """PyJWT's own key client finds the signing key by way of `jwks_uri`."""
    trusted = ssl.create_default_context(cafile=str(authority.path))
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted)) as session,
        session.get(f"{channel.server.url}/v1/.well-known/openidconfiguration") as response,
    ):
        configuration = await response.json()
    assert configuration["issuer"] == "https://api.botframework.com"
    assert configuration["id_token_signing_alg_values_supported"] == ["RS256"]
    client = jwt.PyJWKClient(configuration["jwks_uri"], ssl_context=trusted)
    token = channel.token(SERVICE_URL)
    key = await asyncio.to_thread(client.get_signing_key_from_jwt, token)
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=APP_ID)
    assert claims["serviceurl"] == SERVICE_URL


async def test_a_delivery_brings_the_activity_and_returns_the_answer(
    channel: Channel, bot: RecordingBot
) -> None:
    """The bot gets the JSON and a token; the caller gets the bot's status, headers and body."""
    bot.status, bot.body = 202, {"seen": True}
    answer = await channel.deliver(message())
    assert bot.activities == [message()]
    assert (answer.status, answer.ok, answer.reached) == (202, True, True)
    assert answer.headers["x-bot"] == "yes"
    assert answer.body == b'{"seen": true}'


async def test_tokens_are_reused_for_the_same_service_url(
    channel: Channel, bot: RecordingBot
) -> None:
    """One token is used for all deliveries with the same service URL, and no others."""
    for url in (SERVICE_URL, SERVICE_URL, OTHER_URL):
        await channel.deliver(message(url))
    first, again, other = bot.tokens
    assert first == again
    assert jwt.decode(other, options={"verify_signature": False})["serviceurl"] == OTHER_URL


async def test_an_old_token_is_not_reused(
    channel: Channel, bot: RecordingBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the time for reuse is over, a new token is made."""
    tokens = iter(["token-1", "token-2"])
    monkeypatch.setattr(channel, "token", lambda _: next(tokens))
    channel.token_reuse = -1.0
    await channel.deliver(message())
    await channel.deliver(message())
    assert bot.tokens == ["token-1", "token-2"]


async def test_a_rollover_drops_the_reused_tokens(channel: Channel, bot: RecordingBot) -> None:
    """The first delivery after a rollover is signed with the new key."""
    await channel.deliver(message())
    key = channel.issuer.roll()
    await channel.deliver(message())
    kids = [jwt.get_unverified_header(token)["kid"] for token in bot.tokens]
    assert kids[1] == key.kid != kids[0]


async def test_deliveries_share_one_connection(channel: Channel, bot: RecordingBot) -> None:
    """Several deliveries use one connection to the bot."""
    for _ in range(5):
        await channel.deliver(message())
    assert bot.server.connections == 1


async def test_an_unreachable_bot_is_a_502(channel: Channel, bot: RecordingBot) -> None:
    """A refused connection is a BotAnswer, not an exception."""
    await bot.server.stop()
    answer = await channel.deliver(message())
    assert (answer.status, answer.ok, answer.reached) == (502, False, False)


async def test_a_silent_bot_is_a_504(channel: Channel, bot: RecordingBot) -> None:
    """A bot that takes longer than the timeout is a 504."""
    bot.server.faults.set(silent=True)
    channel.timeout = 0.05
    answer = await channel.deliver(message())
    assert (answer.status, answer.reached) == (504, False)


async def test_deliveries_work_again_after_close(channel: Channel) -> None:
    """A delivery after `close` opens a new connection."""
    await channel.deliver(message())
    await channel.close()
    assert (await channel.deliver(message())).ok


DEEP = b"[" * 100_000

CONTENTS = {
    b"": None,
    b'{"status": 200}': {"status": 200},
    b"no JSON": "no JSON",
    b"\xff": "\ufffd",
    DEEP: DEEP.decode(),
}


@pytest.mark.parametrize("body", CONTENTS, ids=["empty", "JSON", "text", "binary", "deep"])
def test_what_an_answer_contains(body: bytes) -> None:
    """JSON if it is some; else the text, whatever the bot has sent."""
    assert BotAnswer(200, body=body).content == CONTENTS[body]
