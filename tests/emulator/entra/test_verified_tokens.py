"""VerifiedTokens: each token is verified once, and the memory does not outlive its basis."""

import jwt
import pytest

from emulator.entra.registration import CHANNEL_TENANT, Registration
from emulator.entra.token_issuer import TokenIssuer
from emulator.entra.verified_tokens import VerifiedTokens

APP_ID = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"
TENANT = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"
AUDIENCE = "https://api.botframework.com"
CLAIMS = {"aud": AUDIENCE, "iss": f"https://sts.windows.net/{TENANT}/", "appid": APP_ID}


class CountingIssuer(TokenIssuer):
    """Counts the verifications, which stay real."""

    verifications = 0

    def verify(self, token: str, audience: str, issuer: str) -> dict[str, object]:
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
    """The same token again costs no signature check, another one does."""
    token = issuer.sign(CLAIMS)
    assert [tokens.app_id(token) for _ in range(3)] == [APP_ID] * 3
    assert issuer.verifications == 1
    assert tokens.app_id(issuer.sign({**CLAIMS, "appid": "other"})) == "other"
    assert issuer.verifications == 2


def test_new_keys_end_the_memory(issuer: CountingIssuer, tokens: VerifiedTokens) -> None:
    """After a rollover every token is verified again, also one that is still valid."""
    token = issuer.sign(CLAIMS)
    tokens.app_id(token)
    issuer.roll(keep_old=True)
    tokens.app_id(token)
    assert issuer.verifications == 2


def test_another_tenant_ends_the_memory(
    issuer: CountingIssuer, tokens: VerifiedTokens, registration: Registration
) -> None:
    """The expected issuer follows the registration at once."""
    token = issuer.sign({**CLAIMS, "iss": f"https://sts.windows.net/{CHANNEL_TENANT}/"})
    registration.app_type = "MultiTenant"
    tokens.app_id(token)
    registration.app_type = "SingleTenant"
    with pytest.raises(jwt.InvalidIssuerError):
        tokens.app_id(token)


def test_an_expired_token_is_verified_again(
    issuer: CountingIssuer, tokens: VerifiedTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is remembered ends with the token's own time."""
    token = issuer.sign(CLAIMS, lifetime=60)
    tokens.app_id(token)
    monkeypatch.setattr("emulator.entra.verified_tokens.time.time", lambda: 1e12)
    tokens.app_id(token)
    assert issuer.verifications == 2


def test_the_token_itself_is_not_remembered(issuer: CountingIssuer, tokens: VerifiedTokens) -> None:
    """Only its digest is."""
    token = issuer.sign(CLAIMS)
    tokens.app_id(token)
    assert token not in repr(vars(tokens))


def test_the_memory_is_bounded(
    issuer: CountingIssuer, tokens: VerifiedTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many tokens, as a long bench makes them, do not grow it without end."""
    monkeypatch.setattr("emulator.entra.verified_tokens.MOST_REMEMBERED", 2)
    for number in range(5):
        tokens.app_id(issuer.sign({**CLAIMS, "jti": str(number)}))
    assert len(tokens._apps) <= 2
