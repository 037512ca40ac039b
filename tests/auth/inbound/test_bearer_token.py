"""BearerTokens: a token with any flaw is rejected, and every valid one accepted."""

import pytest

from auth.errors import KeysUnavailable, TokenRejected
from auth.inbound.bearer_token import MAX_HEADER_CHARACTERS, BearerTokens
from tests.support.credentials.forged_tokens import (
    ACCEPTED,
    BAD_SIGNATURE,
    REJECTED,
    UNKNOWN_KEY,
    with_claims,
    with_header,
)
from tests.support.credentials.token_press import TokenPress
from tests.support.wire.key_publisher import KeyPublisher


@pytest.mark.parametrize("name", ACCEPTED)
async def test_accepted(name: str, tokens: BearerTokens, press: TokenPress) -> None:
    """A token of the channel is read: its claims, and what its key endorses."""
    token = await tokens.read(ACCEPTED[name](press))
    assert token.claims["aud"] == press.cloud.registration.app_id
    assert token.endorsements == set(press.key.endorsements)


@pytest.mark.parametrize("name", REJECTED)
async def test_rejected(name: str, tokens: BearerTokens, press: TokenPress) -> None:
    """Everything else is rejected with the one error that means 401, and the reason."""
    forge, reason = REJECTED[name]
    with pytest.raises(TokenRejected, match=reason) as caught:
        await tokens.read(forge(press))
    assert type(caught.value) is TokenRejected


async def test_the_longest_header(tokens: BearerTokens, press: TokenPress) -> None:
    """A header as long as allowed is read."""
    short = len(with_claims(filler="")(press))
    # Base64 makes four characters of three.
    filler = "x" * ((MAX_HEADER_CHARACTERS - short) * 3 // 4)
    authorization = with_claims(filler=filler)(press)
    assert MAX_HEADER_CHARACTERS - 3 < len(authorization) <= MAX_HEADER_CHARACTERS
    assert (await tokens.read(authorization)).claims["filler"] == filler


async def test_an_invalid_token_fetches_no_keys(
    tokens: BearerTokens, channel: KeyPublisher, press: TokenPress
) -> None:
    """A token that is invalid whatever the key causes no fetch of keys."""
    for forge, reason in REJECTED.values():
        if not reason.startswith((BAD_SIGNATURE, UNKNOWN_KEY)):
            with pytest.raises(TokenRejected):
                await tokens.read(forge(press))
    assert channel.fetches == 0


async def test_no_keys(tokens: BearerTokens, channel: KeyPublisher, press: TokenPress) -> None:
    """Without keys a valid token is not rejected: the channel may send it again."""
    channel.failure = ConnectionError("refused")
    with pytest.raises(KeysUnavailable):
        await tokens.read(ACCEPTED["valid"](press))
    with pytest.raises(TokenRejected):
        await tokens.read(REJECTED["expired"][0](press))


async def test_a_rollover(tokens: BearerTokens, channel: KeyPublisher, press: TokenPress) -> None:
    """The first token of a new key is accepted; those of the withdrawn key no longer are."""
    old = ACCEPTED["valid"](press)
    assert await tokens.read(old)
    channel.publish({**press.key.jwk(), "kid": "new"})
    assert await tokens.read(with_header(kid="new")(press))
    with pytest.raises(TokenRejected):
        await tokens.read(old)
