"""BearerTokens: when a cached token's signature is verified again."""

from types import SimpleNamespace
from typing import Any

import pytest

from auth.errors import TokenRejected
from auth.inbound.bearer_token import (
    MAX_VERIFIED_TOKENS,
    REFRESH_AFTER_SECONDS,
    BearerTokens,
    SigningKeys,
)
from bot_workbench.emulator.entra.token_issuer import IssuerKey
from tests.support.credentials.forged_tokens import ACCEPTED, HOUR, REJECTED, with_claims
from tests.support.credentials.token_press import ISSUER, TokenPress
from tests.support.timing.clock import Clock
from tests.support.timing.loop_turns import settled
from tests.support.wire.key_publisher import METADATA_URL, KeyPublisher


class Watched:
    """Channel tokens with a settable clock, which count the signatures that they verify.

    Attributes:
        wall: the clock that token dates are compared with.
        monotonic: the clock that the keys' age is measured with.
        verified: signatures that were verified.
    """

    def __init__(self, channel: KeyPublisher) -> None:
        self.wall, self.monotonic = Clock(), Clock(1000.0)
        self.verified = 0
        self.keys = SigningKeys(METADATA_URL, channel, clock=self.monotonic)
        # The keys stand on the wire: between the channel and the class under test.
        self.tokens = BearerTokens({ISSUER: self}, self.wall)  # type: ignore[dict-item]
        self._counted: dict[int, Any] = {}

    async def find(self, kid: str) -> Any:
        """The channel's key, wrapped to count its verifications; one wrapper for each key."""
        key = await self.keys.find(kid)
        if key is None:
            return None
        counted = SimpleNamespace(public_key=self, endorsements=key.endorsements, key=key)
        return self._counted.setdefault(id(key), counted)

    def verify(self, *arguments: Any) -> None:
        """Count a verification, and do it with the channel's newest key."""
        self.verified += 1
        next(reversed(self._counted.values())).key.public_key.verify(*arguments)


@pytest.fixture
def watched(channel: KeyPublisher) -> Watched:
    """No token is cached."""
    return Watched(channel)


async def test_a_verified_token_is_cached(watched: Watched, press: TokenPress) -> None:
    """A repeated token's signature is not verified again, and its result is the same."""
    authorization = ACCEPTED["valid"](press)
    first = await watched.tokens.read(authorization)
    for _ in range(20):
        assert await watched.tokens.read(authorization) == first
    assert watched.verified == 1


async def test_a_rejected_token_is_not_cached(watched: Watched, press: TokenPress) -> None:
    """A rejected token is not cached: it is verified again each time."""
    authorization = REJECTED["another key"][0](press)
    for times in (1, 2, 3):
        with pytest.raises(TokenRejected, match="signature is wrong"):
            await watched.tokens.read(authorization)
        assert watched.verified == times


FORGERIES = ["signature cut short", "signature changed", "another payload", "another key"]


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forgery_of_a_cached_token(
    name: str, tokens: BearerTokens, press: TokenPress
) -> None:
    """A cached token does not make a forgery pass that shares most of its text."""
    assert await tokens.read(ACCEPTED["valid"](press))
    with pytest.raises(TokenRejected, match="signature is wrong"):
        await tokens.read(REJECTED[name][0](press))
    assert await tokens.read(ACCEPTED["valid"](press))


async def test_a_cached_token_expires(watched: Watched, press: TokenPress) -> None:
    """A cached token's expiry is checked on each use, with the skew; then it is dropped."""
    authorization = ACCEPTED["valid"](press)
    assert await watched.tokens.read(authorization)
    watched.wall.advance(HOUR + 299)
    assert await watched.tokens.read(authorization)
    watched.wall.advance(1)
    with pytest.raises(TokenRejected, match="has expired"):
        await watched.tokens.read(authorization)
    assert watched.verified == 1
    watched.wall.advance(-HOUR)
    assert await watched.tokens.read(authorization)
    assert watched.verified == 2


async def test_a_cached_token_that_is_not_valid_yet(watched: Watched, press: TokenPress) -> None:
    """A cached token is rejected if the clock is set back before its start."""
    authorization = ACCEPTED["valid"](press)
    assert await watched.tokens.read(authorization)
    watched.wall.advance(-301)
    with pytest.raises(TokenRejected, match="not valid yet"):
        await watched.tokens.read(authorization)


async def renew(watched: Watched, authorization: str) -> None:
    """Let an hour pass, so that the next read fetches the keys, and wait for the fetch."""
    watched.monotonic.advance(REFRESH_AFTER_SECONDS)
    await watched.tokens.read(authorization)
    await settled()


async def test_a_refresh_of_the_keys(watched: Watched, press: TokenPress) -> None:
    """After a refresh of the keys a cached token is verified once more, even by the same key."""
    authorization = ACCEPTED["valid"](press)
    await renew(watched, authorization)
    await renew(watched, authorization)
    verified = watched.verified
    for _ in range(5):
        assert await watched.tokens.read(authorization)
    assert watched.verified == verified + 1


async def test_a_key_that_was_removed(
    watched: Watched, channel: KeyPublisher, press: TokenPress
) -> None:
    """A cached token is rejected when its key is no longer published."""
    authorization = ACCEPTED["valid"](press)
    assert await watched.tokens.read(authorization)
    channel.publish({**press.key.jwk(), "kid": "new"})
    await renew(watched, authorization)
    with pytest.raises(TokenRejected, match="no signing key"):
        await watched.tokens.read(authorization)


async def test_a_key_that_was_replaced(
    watched: Watched, channel: KeyPublisher, press: TokenPress
) -> None:
    """Another key with the same id invalidates the cached tokens of the first."""
    authorization = ACCEPTED["valid"](press)
    assert await watched.tokens.read(authorization)
    other = IssuerKey(press.key.kid, press.other_key, press.key.endorsements)
    channel.publish(other.jwk())
    await renew(watched, authorization)
    with pytest.raises(TokenRejected, match="signature is wrong"):
        await watched.tokens.read(authorization)


async def test_endorsements_that_changed(
    watched: Watched, channel: KeyPublisher, press: TokenPress
) -> None:
    """A cached token has the endorsements that its key has now."""
    authorization = ACCEPTED["valid"](press)
    assert (await watched.tokens.read(authorization)).endorsements == set(press.key.endorsements)
    channel.publish({**press.key.jwk(), "endorsements": ["webchat"]})
    await renew(watched, authorization)
    assert (await watched.tokens.read(authorization)).endorsements == {"webchat"}


async def test_the_keys_of_a_cached_token_are_refreshed(
    watched: Watched, channel: KeyPublisher, press: TokenPress
) -> None:
    """Cached tokens do not stop the hourly refresh of the keys."""
    authorization = ACCEPTED["valid"](press)
    assert await watched.tokens.read(authorization)
    before = channel.fetches
    await renew(watched, authorization)
    assert channel.fetches == before + 1


async def test_a_flood_of_tokens(watched: Watched, press: TokenPress) -> None:
    """The cache holds a limited number of tokens, and keeps those that are in use."""
    in_use = ACCEPTED["valid"](press)
    await watched.tokens.read(in_use)
    for number in range(MAX_VERIFIED_TOKENS + 50):
        await watched.tokens.read(with_claims(jti=str(number))(press))
        await watched.tokens.read(in_use)
    assert watched.verified == 1 + MAX_VERIFIED_TOKENS + 50
    await watched.tokens.read(with_claims(jti="51")(press))
    assert watched.verified == 1 + MAX_VERIFIED_TOKENS + 50
    await watched.tokens.read(with_claims(jti="50")(press))
    assert watched.verified == 2 + MAX_VERIFIED_TOKENS + 50


async def test_claims_are_read_only(tokens: BearerTokens, press: TokenPress) -> None:
    """A turn cannot change the claims that the next turn gets."""
    token = await tokens.read(ACCEPTED["valid"](press))
    with pytest.raises(TypeError):
        token.claims["aud"] = "another"  # type: ignore[index]  # the misuse under test


@pytest.mark.parametrize("value", [[], {}, ["a"], {"a": 1}], ids=str)
async def test_claims_that_can_be_changed(value: Any, watched: Watched, press: TokenPress) -> None:
    """A token with a mutable claim is not cached."""
    authorization = with_claims(more=value)(press)
    first, second = [await watched.tokens.read(authorization) for _ in range(2)]
    assert first.claims["more"] == second.claims["more"] == value
    assert first.claims["more"] is not second.claims["more"]
    assert watched.verified == 2
