"""BotCallers: which tokens of other bots are accepted, and at which endpoints."""

from dataclasses import replace

import pytest

from auth.errors import CallerForbidden, ServiceUrlRefused, TokenRejected
from auth.inbound.bearer_token import BearerTokens, SigningKeys
from auth.inbound.caller import ActivityOrigin, BotCallers, CallerCheck, ServiceUrls
from bot_testing.cloud.cloud_thread import CloudThread
from tests.support.credentials.bot_token_press import CALLER, BotTokenPress
from tests.support.credentials.forged_bot_tokens import FORBIDDEN_BOTS, GOOD, INVALID
from tests.support.credentials.forged_tokens import FOREIGN_TENANT, REJECTED, with_claims
from tests.support.credentials.token_press import ISSUER, TokenPress
from tests.support.timing.clock import Clock
from tests.support.wire.key_publisher import METADATA_URL, KeyPublisher

ANSWERED_403 = {"the bot's own outbound token"}
"""Tokens that are Entra's, and valid, but not for this bot."""


@pytest.fixture(scope="module")
def bot_press(platform_thread: CloudThread) -> BotTokenPress:
    """Makes another bot's tokens, at the time of `Clock()`."""
    return BotTokenPress(platform_thread.cloud, Clock())


@pytest.fixture
def entra(bot_press: BotTokenPress) -> KeyPublisher:
    """Publishes Entra's key."""
    return KeyPublisher([bot_press.key.jwk()])


def caller_check(
    channel: KeyPublisher,
    entra: KeyPublisher,
    press: BotTokenPress,
    allowed: str = CALLER,
    tenants: frozenset[str] = frozenset(),
) -> CallerCheck:
    """The check of a bot that this caller may call, or nobody."""
    versions = {press.claims()["iss"]: "1.0", press.second_version()["iss"]: "2.0"}
    keys = {ISSUER: SigningKeys(METADATA_URL, channel)}
    if allowed:
        keys |= dict.fromkeys(versions, SigningKeys(METADATA_URL, entra))
    return CallerCheck(
        BearerTokens(keys, Clock()),
        press.cloud.registration.app_id,
        ServiceUrls(("smba.trafficmanager.net",)),
        BotCallers(frozenset({allowed} - {""}), versions),
        tenants,
    )


@pytest.fixture
def check(channel: KeyPublisher, entra: KeyPublisher, bot_press: BotTokenPress) -> CallerCheck:
    """The check of a bot that CALLER may call."""
    return caller_check(channel, entra, bot_press)


@pytest.mark.parametrize("name", GOOD)
async def test_good(name: str, check: CallerCheck, bot_press: BotTokenPress) -> None:
    """Tokens of both versions are accepted for messages and for a skill's replies."""
    for authenticate in (check.authenticate, check.authenticate_bot):
        token = await authenticate(GOOD[name](bot_press))
        assert token.claims["aud"] == bot_press.cloud.registration.app_id


@pytest.mark.parametrize("name", INVALID)
async def test_invalid(name: str, check: CallerCheck, bot_press: BotTokenPress) -> None:
    """Another issuer, tenant, version or key is rejected: 401."""
    with pytest.raises(TokenRejected):
        await check.authenticate(INVALID[name](bot_press))


@pytest.mark.parametrize("name", sorted(REJECTED.keys() - ANSWERED_403))
async def test_rejected(name: str, check: CallerCheck, bot_press: BotTokenPress) -> None:
    """What is wrong with a channel's token is wrong with a bot's: algorithm, signature, dates."""
    with pytest.raises(TokenRejected):
        await check.authenticate(REJECTED[name][0](bot_press))


@pytest.mark.parametrize("name", FORBIDDEN_BOTS)
async def test_forbidden(name: str, check: CallerCheck, bot_press: BotTokenPress) -> None:
    """A valid token of another caller, for another bot, or for a user is not enough: 403."""
    with pytest.raises(CallerForbidden):
        await check.authenticate(FORBIDDEN_BOTS[name](bot_press))


async def test_no_caller_allowed(
    channel: KeyPublisher, entra: KeyPublisher, bot_press: BotTokenPress
) -> None:
    """Without AllowedCallers every bot's token is invalid, and Entra's keys are not fetched."""
    check = caller_check(channel, entra, bot_press, allowed="")
    for forge in GOOD.values():
        with pytest.raises(TokenRejected, match="issuer"):
            await check.authenticate(forge(bot_press))
    assert entra.fetches == 0


async def test_the_channel_is_no_bot(check: CallerCheck, press: TokenPress) -> None:
    """The channel's token is accepted for messages only."""
    header = with_claims()(press)
    await check.authenticate(header)
    with pytest.raises(TokenRejected, match="the channel's"):
        await check.authenticate_bot(header)


async def test_a_made_up_key_fetches_the_callers_keys_only(
    check: CallerCheck, channel: KeyPublisher, entra: KeyPublisher, bot_press: BotTokenPress
) -> None:
    """A flood of bots' tokens does not use up the fetches of the channel's keys."""
    with pytest.raises(TokenRejected):
        await check.authenticate(f"Bearer {bot_press.token(header={'kid': 'made up'})}")
    assert (channel.fetches, entra.fetches) == (0, 1)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://parent.example/api/skills", True),
        ("https://parent.example:8443/", True),
        ("http://parent.example/api/skills", False),
        ("http://localhost:7071/api/skills", False),
        ("https://user@parent.example/", False),
        ("https://parent.example/?x=1", False),
        ("ftp://parent.example/", False),
        ("", False),
    ],
)
async def test_the_callers_service_url(
    url: str, allowed: bool, check: CallerCheck, bot_press: BotTokenPress
) -> None:
    """It may be any plain https URL: the token for it is valid for that bot only."""
    token = await check.authenticate(GOOD["version 1.0"](bot_press))
    origin = ActivityOrigin("msteams", url, frozenset())
    if allowed:
        check.authorize(token, origin)
    else:
        with pytest.raises(ServiceUrlRefused):
            check.authorize(token, origin)


async def test_the_users_tenant(
    channel: KeyPublisher, entra: KeyPublisher, bot_press: BotTokenPress
) -> None:
    """AllowedTenants holds for users of another bot, too."""
    tenants = frozenset({FOREIGN_TENANT})
    check = caller_check(channel, entra, bot_press, tenants=tenants)
    token = await check.authenticate(GOOD["version 1.0"](bot_press))
    origin = ActivityOrigin("msteams", "https://parent.example/", tenants)
    check.authorize(token, origin)
    with pytest.raises(CallerForbidden, match="AllowedTenants"):
        check.authorize(token, replace(origin, tenant_ids=frozenset()))
