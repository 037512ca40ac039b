"""VerifiedTokens: each token is verified once, until it expires or keys or issuer change."""

from collections.abc import Iterable

import jwt
import pytest

from bot_workbench.emulator.entra.registration import CHANNEL_TENANT, Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.entra.verified_tokens import VerifiedTokens
from tests.emulator.registered_bot import APP_ID, CLAIMS, TENANT
from tests.support.timing.clock import Clock

AUDIENCE = "https://api.botframework.com"


class CountingIssuer(TokenIssuer):
    """Counts the verifications, which stay real."""

    verifications = 0

    def verify(self, token: str, audience: str | Iterable[str], issuer: str) -> dict[str, object]:
        self.verifications += 1
        return super().verify(token, audience, issuer)


@pytest.fixture
def issuer() -> CountingIssuer:
    return CountingIssuer()


@pytest.fixture
def registration() -> Registration:
    return Registration(APP_ID, TENANT, "SingleTenant")


@pytest.fixture
def tokens(issuer: CountingIssuer, registration: Registration) -> VerifiedTokens:
    return VerifiedTokens(issuer, registration, AUDIENCE)


def test_a_token_is_verified_once(issuer: CountingIssuer, tokens: VerifiedTokens) -> None:
    """A repeated token is not verified again, another one is."""
    token = issuer.sign(CLAIMS)
    assert [tokens.app_id(token) for _ in range(3)] == [APP_ID] * 3
    assert issuer.verifications == 1
    assert tokens.app_id(issuer.sign({**CLAIMS, "appid": "other"})) == "other"
    assert issuer.verifications == 2


def test_new_keys(issuer: CountingIssuer, tokens: VerifiedTokens) -> None:
    """After a key roll every token is verified again."""
    token = issuer.sign(CLAIMS)
    tokens.app_id(token)
    issuer.roll(keep_old=True)
    tokens.app_id(token)
    assert issuer.verifications == 2


def test_another_tenant(
    issuer: CountingIssuer, tokens: VerifiedTokens, registration: Registration
) -> None:
    """A change of the registration's tenant takes effect at once."""
    token = issuer.sign({**CLAIMS, "iss": f"https://sts.windows.net/{CHANNEL_TENANT}/"})
    registration.app_type = "MultiTenant"
    tokens.app_id(token)
    registration.app_type = "SingleTenant"
    with pytest.raises(jwt.InvalidIssuerError):
        tokens.app_id(token)


def test_an_expired_token_is_verified_again(
    issuer: CountingIssuer, registration: Registration
) -> None:
    """A result is remembered no longer than the token is valid."""
    token = issuer.sign(CLAIMS, lifetime=60)
    end = jwt.decode(token, options={"verify_signature": False})["exp"]
    clock = Clock(end - 60)
    tokens = VerifiedTokens(issuer, registration, AUDIENCE, clock=clock)
    tokens.app_id(token)
    clock.advance(58)
    tokens.app_id(token)
    assert issuer.verifications == 1
    clock.advance(2)
    tokens.app_id(token)
    assert issuer.verifications == 2


def test_the_token_itself_is_not_remembered(issuer: CountingIssuer, tokens: VerifiedTokens) -> None:
    """Only the token's digest is stored."""
    token = issuer.sign(CLAIMS)
    tokens.app_id(token)
    assert token not in repr(vars(tokens))


def test_the_number_of_results_is_limited(
    issuer: CountingIssuer, registration: Registration
) -> None:
    """The oldest of many tokens, as a long benchmark sends them, is verified again."""
    tokens = VerifiedTokens(issuer, registration, AUDIENCE, max_remembered=2)
    sent = [issuer.sign({**CLAIMS, "jti": str(number)}) for number in range(3)]
    for token in (*sent, sent[2], sent[0]):
        tokens.app_id(token)
    assert issuer.verifications == 4
