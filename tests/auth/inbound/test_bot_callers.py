"""BotCallers: which tokens of other bots are accepted, and at which endpoints."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from auth.errors import CallerForbidden, ServiceUrlRefused, TokenRejected
from auth.inbound.bearer_token import BearerTokens, SigningKeys
from auth.inbound.caller import ActivityOrigin, BotCallers, CallerCheck, ServiceUrls
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.entra.registration import CHANNEL_TENANT, issuer_of
from tests.support.credentials.bot_token_press import CALLER, BotTokenPress
from tests.support.credentials.forged_tokens import FOREIGN_TENANT, REJECTED, with_claims
from tests.support.credentials.token_press import ISSUER, TokenPress
from tests.support.timing.clock import Clock
from tests.support.wire.key_publisher import METADATA_URL, KeyPublisher

BotForge = Callable[[BotTokenPress], str]
"""Makes an Authorization header."""


def with_second_version(**changes: Any) -> BotForge:
    """A token of version 2.0 with these claims changed; None leaves a claim out."""
    return lambda press: f"Bearer {press.token(press.second_version(**changes))}"


def of_second_issuer(**changes: Any) -> BotForge:
    """A token of version 1.0, but for the issuer."""

    def forge(press: BotTokenPress) -> str:
        claims = press.claims(**{"iss": press.second_version()["iss"], **changes})
        return f"Bearer {press.token(claims)}"

    return forge


def channel_key(press: BotTokenPress) -> str:
    """A token that the channel has signed in Entra's name."""
    key = press.cloud.channel.issuer.keys[-1]
    return f"Bearer {press.token(header={'kid': key.kid}, key=key.private_key)}"


def second_issuer_of(tenant: str) -> BotForge:
    """A token of version 2.0 of another tenant."""
    return lambda press: with_second_version(iss=press.cloud.entra.authority.issuer(tenant))(press)


GOOD: dict[str, BotForge] = {
    "version 1.0": with_claims(),
    "version 2.0": with_second_version(),
    "app id in capitals": with_claims(appid=CALLER.upper()),
    "more claims": with_claims(roles=["x"], idtyp="app", azp="x"),
}

INVALID: dict[str, BotForge] = {
    "the channel's key": channel_key,
    "version 1.0 of a foreign tenant": with_claims(iss=issuer_of(FOREIGN_TENANT)),
    "version 2.0 of a foreign tenant": second_issuer_of(FOREIGN_TENANT),
    "version 1.0 of the channels' tenant": with_claims(iss=issuer_of(CHANNEL_TENANT)),
    "version 2.0 of the channels' tenant": second_issuer_of(CHANNEL_TENANT),
    "version 1.0 of common": with_claims(iss=issuer_of("common")),
    "version 2.0 of organizations": second_issuer_of("organizations"),
    "version 2.0 with a slash": lambda press: with_second_version(
        iss=f"{press.second_version()['iss']}/"
    )(press),
    "version 1.0 without a slash": lambda press: with_claims(iss=press.claims()["iss"].rstrip("/"))(
        press
    ),
    "version 1.0 says 2.0": with_claims(ver="2.0", azp=CALLER),
    "version 2.0 says 1.0": with_second_version(ver="1.0", appid=CALLER),
    "version 1.0 of the other issuer": of_second_issuer(),
    "no version": with_claims(ver=None),
    "version a number": with_claims(ver=1.0),
    "version a list": with_claims(ver=["1.0"]),
}
"""Tokens that are answered 401."""

FORBIDDEN_BOTS: dict[str, BotForge] = {
    "another caller": with_claims(appid=FOREIGN_TENANT),
    "another caller, version 2.0": with_second_version(azp=FOREIGN_TENANT),
    "the bot itself": lambda press: with_claims(appid=press.cloud.registration.app_id)(press),
    "no caller": with_claims(appid=None),
    "an empty caller": with_claims(appid=""),
    "a list of callers": with_claims(appid=[CALLER]),
    "the caller in the claim of the other version": with_claims(appid=None, azp=CALLER),
    "the same for version 2.0": with_second_version(azp=None, appid=CALLER),
    "for a user": with_claims(scp="access_as_user"),
    "for a user, without a scope": with_claims(scp=""),
    "for the channel": with_claims(aud="https://api.botframework.com"),
    "for another bot": with_claims(aud=CALLER),
    "for the bot's URI": lambda press: with_claims(aud=f"api://{press.cloud.registration.app_id}")(
        press
    ),
    "for several": lambda press: with_claims(aud=[press.cloud.registration.app_id])(press),
    "for nobody": with_claims(aud=None),
}
"""Tokens that are answered 403."""

ONE_OF_EACH = {reason: forge for forge, reason in reversed(REJECTED.values())}
"""A flaw of the channel's tokens for each reason; `test_bearer_token.py` tries them all."""


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


@pytest.mark.parametrize("reason", ONE_OF_EACH)
async def test_rejected(reason: str, check: CallerCheck, bot_press: BotTokenPress) -> None:
    """What is wrong with a channel's token is wrong with a bot's: algorithm, signature, dates."""
    with pytest.raises(TokenRejected, match=reason):
        await check.authenticate(ONE_OF_EACH[reason](bot_press))


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
