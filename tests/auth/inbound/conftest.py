"""The channel's tokens, and signing keys that are published over time."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.inbound.bearer_token import BearerTokens, SigningKeys
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.entra.token_issuer import IssuerKey
from tests.support.credentials.token_press import ISSUER, TokenPress
from tests.support.timing.clock import Clock
from tests.support.wire.key_publisher import METADATA_URL, KeyPublisher


@pytest.fixture(scope="module")
def press(platform_thread: CloudThread) -> TokenPress:
    """Makes the channel's tokens, at the time of `Clock()`."""
    activity = {"serviceUrl": "https://smba.trafficmanager.net/"}
    return TokenPress(platform_thread.cloud, activity, Clock())


@pytest.fixture
def channel(press: TokenPress) -> KeyPublisher:
    """Publishes the channel's key."""
    return KeyPublisher([press.key.jwk()])


@pytest.fixture
def tokens(channel: KeyPublisher) -> BearerTokens:
    """Reads tokens at the same time."""
    return BearerTokens({ISSUER: SigningKeys(METADATA_URL, channel)}, Clock())


@pytest.fixture(scope="module")
def old(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """The key that is published at first."""
    return IssuerKey("old", key, ("webchat", "msteams")).jwk()


@pytest.fixture(scope="module")
def new(other_key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """The key that the channel rolls to."""
    return IssuerKey("new", other_key, ("webchat",)).jwk()


@pytest.fixture
def clock() -> Clock:
    """The clock of `keys`."""
    return Clock(1000.0)


@pytest.fixture
def publisher(old: dict[str, Any]) -> KeyPublisher:
    """Publishes `old`."""
    return KeyPublisher([old])


@pytest.fixture
def keys(publisher: KeyPublisher, clock: Clock) -> SigningKeys:
    """Nothing is fetched yet."""
    return SigningKeys(METADATA_URL, publisher, clock=clock)


@pytest.fixture
async def warm(keys: SigningKeys) -> SigningKeys:
    """The published key is known."""
    assert await keys.find("old")
    return keys
