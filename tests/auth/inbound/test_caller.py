"""CallerCheck: a good token, and an activity that it stands for."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from auth.errors import BotError, CallerForbidden, ServiceUrlRefused, TokenRejected
from auth.inbound.bearer_token import BearerTokens, SigningKeys
from auth.inbound.caller import ActivityOrigin, BotCallers, CallerCheck, ServiceUrls
from bot_testing.cloud.cloud_thread import CloudThread
from tests.support.credentials.forged_tokens import Forge, with_claims
from tests.support.credentials.token_press import TokenPress
from tests.support.wire.key_publisher import METADATA_URL, KeyPublisher

SERVICE_URL = "https://smba.trafficmanager.net/amer/"
HOME = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"
GUEST = "9c2b7b0a-33a5-4f0e-8f61-3d1f0a9b5e33"
STRANGER = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"

DELIVERY = ActivityOrigin("msteams", SERVICE_URL, frozenset())


@pytest.fixture(scope="module")
def press(platform_thread: CloudThread) -> TokenPress:
    """Makes the channel's tokens."""
    return TokenPress(platform_thread.cloud, {"serviceUrl": SERVICE_URL})


@pytest.fixture
def publisher(press: TokenPress) -> KeyPublisher:
    """Publishes the channel's key."""
    return KeyPublisher([press.key.jwk()])


@pytest.fixture
def tokens(publisher: KeyPublisher) -> BearerTokens:
    return BearerTokens({"https://api.botframework.com": SigningKeys(METADATA_URL, publisher)})


def caller_check(
    tokens: BearerTokens, press: TokenPress, allowed_tenants: frozenset[str] = frozenset()
) -> CallerCheck:
    """The check of the platform's bot, in development for rows with loopback."""
    urls = ServiceUrls(("smba.trafficmanager.net",), loopback=True)
    bots = BotCallers(frozenset(), {})
    return CallerCheck(tokens, press.cloud.registration.app_id, urls, bots, allowed_tenants)


async def check(
    tokens: BearerTokens, press: TokenPress, delivery: ActivityOrigin, forge: Forge
) -> Mapping[str, Any]:
    """Authenticate and authorize a token; returns its claims."""
    check = caller_check(tokens, press)
    token = await check.authenticate(forge(press))
    check.authorize(token, delivery)
    return token.claims


@pytest.mark.parametrize(
    "delivery",
    [
        DELIVERY,
        replace(DELIVERY, channel_id="webchat"),
        replace(DELIVERY, tenant_ids=frozenset({STRANGER})),
    ],
    ids=str,
)
async def test_the_channel(
    tokens: BearerTokens, press: TokenPress, delivery: ActivityOrigin
) -> None:
    """The channel may deliver what its token covers; the token has its claims."""
    found = await check(tokens, press, delivery, with_claims())
    assert found["aud"] == press.cloud.registration.app_id
    assert found["serviceurl"] == SERVICE_URL


OTHER_URL = "https://smba.trafficmanager.net/emea/"
FOREIGN_URL = "https://example.com/"


def of_app_id(audience: Callable[[str], Any]) -> Forge:
    """A token whose audience is made of the bot's app id."""
    return lambda press: with_claims(aud=audience(press.cloud.registration.app_id))(press)


AUDIENCE, URL, CHANNEL = "for another bot", "for another service URL", "does not endorse channel"

FORGED_CLAIMS: dict[str, tuple[Forge, str]] = {
    "another bot": (with_claims(aud=GUEST), AUDIENCE),
    "no audience": (with_claims(aud=None), AUDIENCE),
    "an empty audience": (with_claims(aud=""), AUDIENCE),
    "the channel as audience": (with_claims(aud="https://api.botframework.com"), AUDIENCE),
    "audience a list": (of_app_id(lambda app_id: [app_id]), AUDIENCE),
    "audience a list of two": (of_app_id(lambda app_id: ["x", app_id]), AUDIENCE),
    "a list of another audience": (with_claims(aud=[GUEST]), AUDIENCE),
    "audience with a blank": (of_app_id(lambda app_id: f"{app_id} "), AUDIENCE),
    "audience in capitals": (of_app_id(str.upper), AUDIENCE),
    "another service URL": (with_claims(serviceurl=OTHER_URL), URL),
    "no service URL": (with_claims(serviceurl=None), URL),
    "service URL a list": (with_claims(serviceurl=[SERVICE_URL]), URL),
    "service URL in capitals": (with_claims(serviceurl=SERVICE_URL.upper()), URL),
    "service URL with one more segment": (with_claims(serviceurl=f"{SERVICE_URL}x/"), URL),
    "service URL without its slash": (with_claims(serviceurl=SERVICE_URL[:-1]), URL),
    "the claim in another case": (with_claims(serviceurl=None, serviceUrl=SERVICE_URL), URL),
}
"""Tokens of the channel's key that do not cover DELIVERY, and the reason."""


@pytest.mark.parametrize("name", FORGED_CLAIMS)
async def test_a_token_for_something_else(
    name: str, tokens: BearerTokens, press: TokenPress
) -> None:
    """A valid token does not entitle to anything else."""
    forge, reason = FORGED_CLAIMS[name]
    with pytest.raises(CallerForbidden, match=reason) as caught:
        await check(tokens, press, DELIVERY, forge)
    assert type(caught.value) is CallerForbidden


FORGED_ACTIVITIES: dict[str, tuple[Forge, ActivityOrigin, type[BotError], str]] = {
    "another service URL": (
        with_claims(),
        replace(DELIVERY, service_url=OTHER_URL),
        CallerForbidden,
        URL,
    ),
    "service URL without its slash": (
        with_claims(),
        replace(DELIVERY, service_url=SERVICE_URL[:-1]),
        CallerForbidden,
        URL,
    ),
    "no service URL, in the token neither": (
        with_claims(serviceurl=None),
        replace(DELIVERY, service_url=""),
        CallerForbidden,
        URL,
    ),
    "an empty service URL, in the token too": (
        with_claims(serviceurl=""),
        replace(DELIVERY, service_url=""),
        ServiceUrlRefused,
        "not a plain",
    ),
    "a foreign host, in the token too": (
        with_claims(serviceurl=FOREIGN_URL),
        replace(DELIVERY, service_url=FOREIGN_URL),
        ServiceUrlRefused,
        "AllowedServiceHosts",
    ),
    **{
        f"channel {channel!r}": (
            with_claims(),
            replace(DELIVERY, channel_id=channel),
            CallerForbidden,
            CHANNEL,
        )
        for channel in ("carrier-pigeon", "MSTeams", "WebChat", "webchat ", "*", "")
    },
}
"""Activities that a token of the channel's key does not cover: with the error, and its reason."""


@pytest.mark.parametrize("name", FORGED_ACTIVITIES)
async def test_a_forged_activity(name: str, tokens: BearerTokens, press: TokenPress) -> None:
    """A valid token does not make another activity pass, nor a service URL that no channel has."""
    forge, delivery, error, reason = FORGED_ACTIVITIES[name]
    with pytest.raises(error, match=reason) as caught:
        await check(tokens, press, delivery, forge)
    assert type(caught.value) is error


@pytest.mark.parametrize("changes", [{"aud": None}, {"aud": GUEST, "serviceurl": OTHER_URL}])
async def test_not_authentic_comes_first(
    changes: dict[str, Any], tokens: BearerTokens, press: TokenPress
) -> None:
    """A token that is not the channel's is rejected whatever it claims."""
    forged = press.token(press.claims(**changes), key=press.other_key)
    with pytest.raises(TokenRejected):
        await caller_check(tokens, press).authenticate(f"Bearer {forged}")


@pytest.mark.parametrize(
    ("found", "allowed"),
    [
        ({HOME}, True),
        ({HOME, GUEST}, True),
        ({STRANGER}, False),
        ({HOME, STRANGER}, False),
        ({HOME.upper()}, False),
        (set(), False),
    ],
)
async def test_tenants(
    found: set[str], allowed: bool, tokens: BearerTokens, press: TokenPress
) -> None:
    """With AllowedTenants, every tenant that an activity names must be one of them, and one named.

    Ids are compared in lower case; whoever makes a Delivery sees to that.
    """
    check = caller_check(tokens, press, frozenset({HOME, GUEST}))
    delivery = replace(DELIVERY, tenant_ids=frozenset(found))
    token = await check.authenticate(f"Bearer {press.token()}")
    if allowed:
        check.authorize(token, delivery)
        check.check_reach(delivery)
        return
    with pytest.raises(CallerForbidden, match="AllowedTenants"):
        check.authorize(token, delivery)
    with pytest.raises(CallerForbidden, match="AllowedTenants"):
        check.check_reach(delivery)


@pytest.mark.parametrize(
    ("service_url", "allowed"),
    [
        (SERVICE_URL, True),
        ("http://localhost:5000/", True),
        ("http://smba.trafficmanager.net/", False),
        ("https://example.com/", False),
        ("", False),
    ],
)
def test_reach_without_a_token(
    service_url: str, allowed: bool, tokens: BearerTokens, press: TokenPress
) -> None:
    """Without authentication, replies still go to channels and loopback only."""
    check = caller_check(tokens, press)
    delivery = replace(DELIVERY, service_url=service_url)
    if allowed:
        check.check_reach(delivery)
    else:
        with pytest.raises(ServiceUrlRefused):
            check.check_reach(delivery)
