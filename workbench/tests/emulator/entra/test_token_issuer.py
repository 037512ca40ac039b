"""TokenIssuer: its published keys verify its tokens, and nobody else's."""

from typing import Any

import jwt
import pytest

from bot_workbench.emulator.entra.token_issuer import TokenIssuer

AUDIENCE = "https://api.botframework.com"
ISSUER = "https://sts.windows.net/5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22/"


@pytest.fixture(scope="module")
def issuer() -> TokenIssuer:
    return TokenIssuer(["msteams", "webchat"])


def test_a_published_key_verifies_a_token(issuer: TokenIssuer) -> None:
    """PyJWT verifies a token with the published keys; missing times are added."""
    token = issuer.sign({"aud": AUDIENCE, "iss": ISSUER}, lifetime=90)
    published = jwt.PyJWKSet.from_dict(issuer.jwks())
    key = published[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)
    assert claims["exp"] - claims["iat"] == 90
    assert claims["nbf"] == claims["iat"]
    assert claims == issuer.verify(token, AUDIENCE, ISSUER)


def test_endorsements_are_published_with_each_key(issuer: TokenIssuer) -> None:
    """A channel's keys are published with their endorsements, and without private parts."""
    (published,) = issuer.jwks()["keys"]
    assert published["endorsements"] == ["msteams", "webchat"]
    assert published.keys() == {"kty", "use", "kid", "n", "e", "endorsements"}


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"iss": "another"},
        {"exp": 1},
        {"nbf": 2**33},
    ],
)
def test_a_token_must_be_for_the_audience_and_in_its_time(
    issuer: TokenIssuer, changes: dict[str, Any]
) -> None:
    """`verify` checks audience, issuer and times."""
    token = issuer.sign({"aud": AUDIENCE, "iss": ISSUER, **changes})
    with pytest.raises(jwt.InvalidTokenError):
        issuer.verify(token, AUDIENCE, ISSUER)


@pytest.mark.parametrize("missing", ["", "aud", "iss", "exp", "nbf", "iat"])
def test_a_token_must_have_each_claim(issuer: TokenIssuer, missing: str) -> None:
    """`verify` refuses a token that leaves out audience, issuer or a time."""
    claims = {"aud": AUDIENCE, "iss": ISSUER, "iat": 1, "nbf": 1, "exp": 2**33}
    claims.pop(missing, None)
    key = issuer.keys[-1]
    token = jwt.encode(claims, key.private_key, algorithm="RS256", headers={"kid": key.kid})
    if not missing:
        assert issuer.verify(token, AUDIENCE, ISSUER) == claims
        return
    with pytest.raises(jwt.MissingRequiredClaimError):
        issuer.verify(token, AUDIENCE, ISSUER)


def test_a_rolled_key_is_withdrawn_or_kept() -> None:
    """After a roll the new key signs; tokens of the old one stay valid only with `keep_old`."""
    issuer = TokenIssuer()
    claims = {"aud": AUDIENCE, "iss": ISSUER}
    first = issuer.sign(claims)
    issuer.roll(keep_old=True)
    second = issuer.sign(claims)
    assert jwt.get_unverified_header(first)["kid"] != jwt.get_unverified_header(second)["kid"]
    assert issuer.verify(first, AUDIENCE, ISSUER)
    assert issuer.verify(second, AUDIENCE, ISSUER)
    issuer.roll()
    for withdrawn in (first, second):
        with pytest.raises(jwt.InvalidTokenError):
            issuer.verify(withdrawn, AUDIENCE, ISSUER)
    assert "endorsements" not in issuer.jwks()["keys"][0]


def test_another_issuers_token_is_refused(issuer: TokenIssuer) -> None:
    """A foreign signature is refused, even with the right key id."""
    foreign = TokenIssuer()
    header = {"kid": issuer.keys[-1].kid}
    claims = {"aud": AUDIENCE, "iss": ISSUER, "iat": 1, "nbf": 1, "exp": 2**33}
    token = jwt.encode(claims, foreign.keys[-1].private_key, algorithm="RS256", headers=header)
    with pytest.raises(jwt.InvalidSignatureError):
        issuer.verify(token, AUDIENCE, ISSUER)
    with pytest.raises(jwt.InvalidTokenError):
        issuer.verify("no-jwt", AUDIENCE, ISSUER)
