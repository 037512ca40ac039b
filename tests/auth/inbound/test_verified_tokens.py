"""ChannelTokens caches verified tokens: when a signature is verified again."""

from types import SimpleNamespace
from typing import Any

import pytest

from auth.errors import TokenRejected
from auth.inbound.channel_token import MAX_VERIFIED_TOKENS, ChannelTokens
from auth.inbound.signing_keys import REFRESH_AFTER_SECONDS, SigningKeys
from emulator.entra.token_issuer import IssuerKey
from tests.auth.inbound.forgeries import ACCEPTED, HOUR, ISSUER, NOW, REJECTED, with_claims
from tests.support.credentials.token_press import TokenPress
from tests.support.timing.clock import Clock
from tests.support.timing.loop_turns import settled
from tests.support.wire.key_publisher import METADATA_URL, KeyPublisher


class Watched:
    """Tokens whose clocks a test moves, and whose checks of signatures are counted.

    Attributes:
        wall: the clock of dates.
        monotonic: the clock of the keys' age.
        checked: signatures that were checked.
    """

    def __init__(self, channel: KeyPublisher) -> None:
        self.wall, self.monotonic = Clock(NOW), Clock(1000.0)
        self.checked = 0
        self.keys = SigningKeys(METADATA_URL, channel, clock=self.monotonic)
        # The keys are the wire here: they stand between the channel and the class under test.
        self.tokens = ChannelTokens(self, ISSUER, self.wall)  # type: ignore[arg-type]
        self._counted: dict[int, Any] = {}

    async def find(self, kid: str) -> Any:
        """The key, which counts its checks; the same for as long as the channel's is the same."""
        key = await self.keys.find(kid)
        if key is None:
            return None
        counted = SimpleNamespace(public_key=self, endorsements=key.endorsements, key=key)
        return self._counted.setdefault(id(key), counted)

    def verify(self, *arguments: Any) -> None:
        """One check, by the channel's newest key."""
        self.checked += 1
        next(reversed(self._counted.values())).key.public_key.verify(*arguments)


@pytest.fixture
def watched(channel: KeyPublisher) -> Watched:
    """It is NOW, and no token was seen yet."""
    return Watched(channel)


async def test_a_verified_token_is_remembered(watched: Watched, press: TokenPress) -> None:
    """A repeated token's signature is not verified again, and its result is the same."""
    authorization = ACCEPTED["usual"](press)
    first = await watched.tokens.read(authorization)
    for _ in range(20):
        assert await watched.tokens.read(authorization) == first
    assert watched.checked == 1


async def test_a_refused_token_is_not(watched: Watched, press: TokenPress) -> None:
    """What was refused once leaves nothing behind, and is checked again each time."""
    authorization = REJECTED["another key"][0](press)
    for times in (1, 2, 3):
        with pytest.raises(TokenRejected, match="signature is wrong"):
            await watched.tokens.read(authorization)
        assert watched.checked == times


FORGERIES = ["signature cut short", "signature changed", "another payload", "another key"]


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forgery_of_a_remembered_token(
    name: str, tokens: ChannelTokens, press: TokenPress
) -> None:
    """A remembered token vouches for no other, however much of it they share."""
    assert await tokens.read(ACCEPTED["usual"](press))
    with pytest.raises(TokenRejected, match="signature is wrong"):
        await tokens.read(REJECTED[name][0](press))
    assert await tokens.read(ACCEPTED["usual"](press))


async def test_a_remembered_token_expires(watched: Watched, press: TokenPress) -> None:
    """Its dates count each time, with the skew; once expired, it is forgotten."""
    authorization = ACCEPTED["usual"](press)
    assert await watched.tokens.read(authorization)
    watched.wall.now = NOW + HOUR + 299
    assert await watched.tokens.read(authorization)
    watched.wall.now = NOW + HOUR + 300
    with pytest.raises(TokenRejected, match="has expired"):
        await watched.tokens.read(authorization)
    assert watched.checked == 1
    watched.wall.now = NOW
    assert await watched.tokens.read(authorization)
    assert watched.checked == 2


async def test_a_remembered_token_before_its_time(watched: Watched, press: TokenPress) -> None:
    """A clock that was set back counts too."""
    authorization = ACCEPTED["usual"](press)
    assert await watched.tokens.read(authorization)
    watched.wall.now = NOW - 301
    with pytest.raises(TokenRejected, match="not valid yet"):
        await watched.tokens.read(authorization)


async def renew(watched: Watched, authorization: str) -> None:
    """Let an hour pass, so that the next read has the keys fetched, and wait for them."""
    watched.monotonic.advance(REFRESH_AFTER_SECONDS)
    await watched.tokens.read(authorization)
    await settled()


async def test_new_keys_check_anew(watched: Watched, press: TokenPress) -> None:
    """After a renewal every token is checked once more, although the same keys came."""
    authorization = ACCEPTED["usual"](press)
    await renew(watched, authorization)
    await renew(watched, authorization)
    checked = watched.checked
    for _ in range(5):
        assert await watched.tokens.read(authorization)
    assert watched.checked == checked + 1


async def test_a_key_that_was_removed(
    watched: Watched, channel: KeyPublisher, press: TokenPress
) -> None:
    """A token is refused, remembered or not, when its key is no longer published."""
    authorization = ACCEPTED["usual"](press)
    assert await watched.tokens.read(authorization)
    channel.publish({**press.key.jwk(), "kid": "new"})
    await renew(watched, authorization)
    with pytest.raises(TokenRejected, match="no signing key"):
        await watched.tokens.read(authorization)


async def test_a_key_that_was_replaced(
    watched: Watched, channel: KeyPublisher, press: TokenPress
) -> None:
    """Another key with the same id invalidates the cached tokens of the first."""
    authorization = ACCEPTED["usual"](press)
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
    authorization = ACCEPTED["usual"](press)
    assert (await watched.tokens.read(authorization)).endorsements == set(press.key.endorsements)
    channel.publish({**press.key.jwk(), "endorsements": ["webchat"]})
    await renew(watched, authorization)
    assert (await watched.tokens.read(authorization)).endorsements == {"webchat"}


async def test_a_remembered_token_keeps_the_keys_fresh(
    watched: Watched, channel: KeyPublisher, press: TokenPress
) -> None:
    """Cached tokens do not stop the hourly refresh of the keys."""
    authorization = ACCEPTED["usual"](press)
    assert await watched.tokens.read(authorization)
    before = channel.fetches
    await renew(watched, authorization)
    assert channel.fetches == before + 1


async def test_a_flood_of_tokens(watched: Watched, press: TokenPress) -> None:
    """However many tokens come, few are remembered; one that is in use is among them."""
    in_use = ACCEPTED["usual"](press)
    await watched.tokens.read(in_use)
    for number in range(MAX_VERIFIED_TOKENS + 50):
        await watched.tokens.read(with_claims(jti=str(number))(press))
        await watched.tokens.read(in_use)
    assert watched.checked == 1 + MAX_VERIFIED_TOKENS + 50
    await watched.tokens.read(with_claims(jti="51")(press))
    assert watched.checked == 1 + MAX_VERIFIED_TOKENS + 50
    await watched.tokens.read(with_claims(jti="50")(press))
    assert watched.checked == 2 + MAX_VERIFIED_TOKENS + 50


async def test_claims_are_read_only(tokens: ChannelTokens, press: TokenPress) -> None:
    """No turn can change the claims that the next one gets."""
    token = await tokens.read(ACCEPTED["usual"](press))
    with pytest.raises(TypeError):
        token.claims["aud"] = "another"  # type: ignore[index]  # what must not be done


@pytest.mark.parametrize("value", [[], {}, ["a"], {"a": 1}], ids=str)
async def test_claims_that_can_be_changed(value: Any, watched: Watched, press: TokenPress) -> None:
    """A token with a mutable claim is not cached."""
    authorization = with_claims(more=value)(press)
    first, second = [await watched.tokens.read(authorization) for _ in range(2)]
    assert first.claims["more"] == second.claims["more"] == value
    assert first.claims["more"] is not second.claims["more"]
    assert watched.checked == 2
