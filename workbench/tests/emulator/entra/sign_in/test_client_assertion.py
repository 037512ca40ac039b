"""CertificateAssertions: each broken assertion is refused with Entra's code."""

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.emulator.certificates import self_signed
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.errors import CLOCK_SKEW
from tests.emulator.entra.assertions import Broken, assertion, refusal
from tests.emulator.registered_bot import TENANT, UNKNOWN

pytestmark = pytest.mark.usefixtures("trust")

BROKEN = {
    "key not on the registration": Broken(700027, "The key was not found.", of="stranger"),
    "SHA-256 thumbprint in x5t": Broken(
        700027, "The key was not found.", algorithm="RS256", header={"x5t": "A" * 43}
    ),
    "thumbprint that is no base64url": Broken(
        700027, "Thumbprint of key used by client: 'A'", header={"x5t#S256": "A"}
    ),
    "signed with another key": Broken(700027, "verify the signature failed", signer="other_key"),
    "certificate expired": Broken(700027, "The key used is expired.", of="expired"),
    "certificate not valid yet": Broken(700027, "not valid yet", of="early"),
    "no thumbprint": Broken(5002723, header={"x5t#S256": None}),
    "RS256 without x5t": Broken(5002723, algorithm="RS256", header={"x5t": None}),
    "thumbprint is a number": Broken(5002723, header={"x5t#S256": 7}),
    "RS512": Broken(5002738, "'RS512' is not a supported", algorithm="RS512"),
    "HS256": Broken(5002738, "'HS256' is not a supported", algorithm="HS256", signer="text"),
    "audience of another server": Broken(
        700023, claims={"aud": f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"}
    ),
    "audience is a list": Broken(50027, claims={"aud": ["{base}/oauth2/v2.0/token"]}),
    "no audience": Broken(50027, claims={"aud": None}),
    "issuer is another app": Broken(700021, claims={"iss": UNKNOWN, "sub": UNKNOWN}),
    "no issuer": Broken(50027, claims={"iss": None}),
    "subject is another app": Broken(50048, claims={"sub": UNKNOWN}),
    "no subject": Broken(50027, claims={"sub": None}),
    "expired": Broken(700024, claims={"iat": -700, "nbf": -700, "exp": -100}),
    "not valid yet": Broken(700024, claims={"iat": None, "nbf": 300}),
    "issued in the future": Broken(700024, claims={"iat": 300, "nbf": None}),
    "no expiry": Broken(50027, claims={"exp": None}),
    "no id": Broken(50027, claims={"jti": None}),
    "id is a number": Broken(50027, claims={"jti": 5}),
}


@pytest.fixture(scope="module")
def stranger(other_key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed("stranger", other_key)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_a_broken_assertion_is_refused(
    entra: Entra, http: aiohttp.ClientSession, request: pytest.FixtureRequest, broken: Broken
) -> None:
    """Each fault of an assertion is refused as invalid_client with its AADSTS code."""
    token = assertion(entra, request, broken)
    status, answer = await refusal(http, entra, {"client_assertion": token})
    assert (status, answer["error"], answer["error_codes"]) == (
        401,
        "invalid_client",
        [broken.code],
    )
    assert broken.text in answer["error_description"]
    assert entra.tokens_issued == 0


@pytest.mark.parametrize("text", ["no-jwt", "a.b.c", "", "é.é.é"])
async def test_what_is_no_jwt_is_refused(
    entra: Entra, http: aiohttp.ClientSession, text: str
) -> None:
    """An assertion that is not a JWT is AADSTS50027, an empty one AADSTS7000216."""
    _, answer = await refusal(http, entra, {"client_assertion": text})
    assert answer["error_codes"] == [50027 if text else 7000216]


GOOD: dict[str, Broken] = {
    "PS256": Broken(0),
    "RS256": Broken(0, algorithm="RS256"),
    "audience is the tenant's issuer": Broken(0, claims={"aud": "{base}/v2.0"}),
    "no nbf and iat": Broken(0, claims={"iat": None, "nbf": None}),
    "a clock that is ahead": Broken(0, claims={"iat": CLOCK_SKEW, "nbf": CLOCK_SKEW}),
    "a clock that is behind": Broken(0, claims={"exp": -1}),
    "valid for thirty minutes, as azure-identity asks": Broken(0, claims={"exp": 1800}),
}


@pytest.mark.parametrize("good", GOOD.values(), ids=GOOD)
async def test_a_sound_assertion_is_accepted(
    entra: Entra,
    http: aiohttp.ClientSession,
    request: pytest.FixtureRequest,
    good: Broken,
) -> None:
    """The same assertions without the fault get a token, so the table tests the fault."""
    token = assertion(entra, request, good)
    status, answer = await refusal(http, entra, {"client_assertion": token})
    assert status == 200, answer
