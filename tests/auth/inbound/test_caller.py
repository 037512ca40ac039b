"""CallerCheck: a good token, and an activity that it stands for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from auth.errors import BotError, CallerForbidden, ServiceUrlRefused, TokenRejected
from auth.inbound.bearer_token import BearerTokens, SigningKeys
from auth.inbound.caller import ActivityOrigin, BotCallers, CallerCheck, ServiceUrls
from bot_testing.cloud.cloud_thread import CloudThread
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
    tokens: BearerTokens, press: TokenPress, delivery: ActivityOrigin, **changes: Any
) -> Mapping[str, Any]:
    """Authenticate and authorize a token with changed claims; returns the claims."""
    check = caller_check(tokens, press)
    token = await check.authenticate(f"Bearer {press.token(press.claims(**changes))}")
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
    found = await check(tokens, press, delivery)
    assert found["aud"] == press.cloud.registration.app_id
    assert found["serviceurl"] == SERVICE_URL


OTHER_URL = "https://smba.trafficmanager.net/emea/"
FORBIDDEN: dict[str, tuple[dict[str, Any], ActivityOrigin, type[BotError], str]] = {
    "another bot": ({"aud": GUEST}, DELIVERY, CallerForbidden, "another bot"),
    "no audience": ({"aud": None}, DELIVERY, CallerForbidden, "another bot"),
    "several audiences": ({"aud": [GUEST]}, DELIVERY, CallerForbidden, "another bot"),
    "another service URL": (
        {"serviceurl": OTHER_URL},
        DELIVERY,
        CallerForbidden,
        "another service URL",
    ),
    "another activity": (
        {},
        replace(DELIVERY, service_url=OTHER_URL),
        CallerForbidden,
        "another service URL",
    ),
    "service URL without its slash": (
        {},
        replace(DELIVERY, service_url=SERVICE_URL[:-1]),
        CallerForbidden,
        "another service URL",
    ),
    "no service URL in the token": (
        {"serviceurl": None},
        DELIVERY,
        CallerForbidden,
        "another service URL",
    ),
    "no service URL at all": (
        {"serviceurl": None},
        replace(DELIVERY, service_url=""),
        CallerForbidden,
        "another service URL",
    ),
    "an empty service URL": (
        {"serviceurl": ""},
        replace(DELIVERY, service_url=""),
        ServiceUrlRefused,
        "not a plain",
    ),
    "claim in another case": (
        {"serviceurl": None, "serviceUrl": SERVICE_URL},
        DELIVERY,
        CallerForbidden,
        "another service URL",
    ),
    "channel not endorsed": (
        {},
        replace(DELIVERY, channel_id="sms"),
        CallerForbidden,
        "does not endorse channel 'sms'",
    ),
    "channel in another case": (
        {},
        replace(DELIVERY, channel_id="MSTeams"),
        CallerForbidden,
        "does not endorse",
    ),
    "no channel": ({}, replace(DELIVERY, channel_id=""), CallerForbidden, "does not endorse"),
    "a foreign host that the token confirms": (
        {"serviceurl": "https://example.com/"},
        replace(DELIVERY, service_url="https://example.com/"),
        ServiceUrlRefused,
        "AllowedServiceHosts",
    ),
}


@pytest.mark.parametrize("name", FORBIDDEN)
async def test_forbidden(name: str, tokens: BearerTokens, press: TokenPress) -> None:
    """A valid token does not entitle to anything else."""
    changes, delivery, error, reason = FORBIDDEN[name]
    with pytest.raises(error, match=reason) as caught:
        await check(tokens, press, delivery, **changes)
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
