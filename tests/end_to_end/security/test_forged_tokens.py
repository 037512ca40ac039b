"""Nobody but the channel gets in: forged and broken tokens, sent to the running bot."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from emulator.cloud import Cloud
from tests.support.credentials.token_press import TokenPress
from tests.support.wire.http_post import Caller

Forge = Callable[[TokenPress], str | None]

HOUR = 3600
CHANNEL_TENANT = "d6d49420-f39b-4df7-a1dc-d59a935871db"
FOREIGN_TENANT = "11111111-2222-3333-4444-555555555555"
EMULATOR_TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"


def bearer(token: str) -> str:
    """The header for a token."""
    return f"Bearer {token}"


def header(text: str | None) -> Forge:
    """A header that holds no token of the channel."""
    return lambda _: text


def with_claims(**changes: Any) -> Forge:
    """A token of the channel's own key with other claims."""
    return lambda press: bearer(press.token(press.claims(**changes)))


def with_header(**changes: Any) -> Forge:
    """A token of the channel's own key with another header."""
    return lambda press: bearer(press.token(header=changes))


def with_payload(payload: Any) -> Forge:
    """A token of the channel's own key with another payload."""
    return lambda press: bearer(press.token(payload))


def with_signature(change: Callable[[str], str]) -> Forge:
    """A good token with its signature changed."""

    def forge(press: TokenPress) -> str:
        head, payload, signature = press.token().split(".")
        return bearer(f"{head}.{payload}.{change(signature)}")

    return forge


def with_number(claim: str, number: str) -> Forge:
    """A token that the channel's key signed, whose claim is this number, exactly as written."""

    def forge(press: TokenPress) -> str:
        payload = json.dumps(press.claims(**{claim: "NUMBER"})).replace('"NUMBER"', number)
        return bearer(press.token_of(press.part(payload.encode())))

    return forge


def with_trailing_bits(signature: str) -> str:
    """Another encoding of the same bytes: the last character has four unused bits."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(signature[-1]) + 1]
    changed = f"{signature[:-1]}{other}"
    assert base64.urlsafe_b64decode(f"{changed}==") == base64.urlsafe_b64decode(f"{signature}==")
    return changed


def plus_the_modulus(press: TokenPress) -> str:
    """A signature that is equal to the good one modulo the key's modulus."""
    head, payload, signature = press.token().split(".")
    number = int.from_bytes(base64.urlsafe_b64decode(f"{signature}=="))
    number += press.key.private_key.public_key().public_numbers().n
    return bearer(f"{head}.{payload}.{press.part(number.to_bytes(257))}")


def nested(press: TokenPress) -> str:
    """A good token as the payload of another one (RFC 7519, 5.2)."""
    outer = press.unsigned({"alg": "RS256", "kid": press.key.kid, "cty": "JWT"}, {})
    head = outer.split(".")[0]
    return bearer(f"{head}.{press.part(press.token().encode())}.{press.token().split('.')[2]}")


def tampered(press: TokenPress) -> str:
    """Another payload under a good token's signature."""
    head, _, signature = press.token().split(".")
    return bearer(f"{head}.{press.json_part(press.claims(exp=time.time() + 9 * HOUR))}.{signature}")


def foreign_jwk(press: TokenPress) -> str:
    """A token that brings its own key along."""
    numbers = press.other_key.public_key().public_numbers()
    size = (numbers.n.bit_length() + 7) // 8
    jwk = {"kty": "RSA", "n": press.part(numbers.n.to_bytes(size)), "e": "AQAB"}
    return bearer(press.token(header={"jwk": jwk}, key=press.other_key))


def entra_token(press: TokenPress) -> str:
    """The bot's own outbound token, as a thief might have it."""
    cloud, registration = press.cloud, press.cloud.registration
    token, _ = cloud.entra.app_token(
        "https://api.botframework.com",
        registration.app_id,
        cloud.reader,
        tenant_id=registration.tenant_id,
    )
    return bearer(token)


def signed_by_entra(issuer: str) -> Forge:
    """A token that Entra signed for this bot, as emulators and foreign tenants have them."""

    def forge(press: TokenPress) -> str:
        return bearer(press.cloud.entra.issuer.sign(press.claims(iss=issuer)))

    return forge


REFUSED_401: dict[str, Forge] = {
    "no header": header(None),
    "empty header": header(""),
    "scheme alone": header("Bearer"),
    "scheme and a blank": header("Bearer "),
    "another scheme": lambda press: "Basic " + press.token(),
    "no scheme": lambda press: press.token(),
    "two blanks": lambda press: "Bearer  " + press.token(),
    "a tab": lambda press: "Bearer\t" + press.token(),
    "a colon": lambda press: "Bearer: " + press.token(),
    "in quotes": lambda press: f'Bearer "{press.token()}"',
    "a parameter": lambda press: "Bearer token=" + press.token(),
    "scheme in full width": lambda press: "\uff22earer " + press.token(),
    "in lower case": lambda press: bearer(press.token().lower()),
    "two schemes": lambda press: "Bearer Bearer " + press.token(),
    "two tokens": lambda press: f"Bearer {press.token()} {press.token()}",
    "two tokens in a list": lambda press: f"Bearer {press.token()},Bearer {press.token()}",
    "a good and a bad one": lambda press: f"Bearer {press.token()}, Bearer x.y.z",
    "garbage": header("Bearer garbage"),
    "three empty parts": header("Bearer .."),
    "two parts": lambda press: bearer(press.token().rpartition(".")[0]),
    "four parts": lambda press: bearer(press.token() + ".AAAA"),
    "five parts, as encrypted ones": header("Bearer a.b.c.d.e"),
    "not ASCII": lambda press: bearer(press.token() + "é"),
    "not base64url": lambda press: bearer(press.token().replace("_", "/") + "+/="),
    "padding": lambda press: bearer(press.token() + "=="),
    "100 kB": with_claims(filler="x" * 100_000),
    "header not an object": lambda press: bearer(press.json_part([]) + "." + press.token()[-700:]),
    "header nested deeply": lambda press: bearer(
        f"{press.part(b'[' * 9000)}.{press.token().partition('.')[2]}"
    ),
    "header with a byte order mark": lambda press: bearer(
        f"{press.part(b'\xef\xbb\xbf{}')}.{press.token().partition('.')[2]}"
    ),
    "a token in a token": nested,
    "payload a list": with_payload(["aud"]),
    "payload a string": with_payload("aud"),
    "payload empty": with_payload({}),
    "payload not JSON": lambda press: bearer(f"{press.token().split('.')[0]}.AAAA.AAAA"),
    "alg none": lambda press: bearer(
        press.unsigned({"alg": "none", "kid": press.key.kid}, press.claims()) + "."
    ),
    "alg none, with a signature": with_header(alg="none"),
    "alg nOnE": with_header(alg="nOnE"),
    "alg missing": with_header(alg=None),
    "alg a list": with_header(alg=["RS256"]),
    "alg in small letters": with_header(alg="rs256"),
    "HS256 with the public key": lambda press: bearer(press.hmac_with_public_key()),
    "RS384": lambda press: bearer(press.standard("RS384")),
    "RS512": lambda press: bearer(press.standard("RS512")),
    "PS256": lambda press: bearer(press.standard("PS256")),
    "RS512 in the header only": with_header(alg="RS512"),
    "no kid": with_header(kid=None),
    "empty kid": with_header(kid=""),
    "kid a number": with_header(kid=1),
    "kid a list": with_header(kid=["a"]),
    "crit": with_header(crit=["exp"]),
    "another key under the channel's kid": lambda press: bearer(press.token(key=press.other_key)),
    "its own key in the header": foreign_jwk,
    "its own key set in the header": lambda press: bearer(
        press.token(header={"jku": "https://localhost:1/keys"}, key=press.other_key)
    ),
    "tampered payload": tampered,
    "no signature": with_signature(lambda _: ""),
    "short signature": with_signature(lambda signature: signature[:-8]),
    "long signature": with_signature(lambda signature: signature + "AAAA"),
    "signature with other trailing bits": with_signature(with_trailing_bits),
    "signature plus the modulus": plus_the_modulus,
    "one bit": with_signature(
        lambda signature: ("B" if signature[0] != "B" else "C") + signature[1:]
    ),
    "zeros for a signature": with_signature(lambda signature: "A" * len(signature)),
    "no issuer": with_claims(iss=None),
    "another issuer": with_claims(iss="https://evil.example"),
    "issuer a list": with_claims(iss=["https://api.botframework.com"]),
    "issuer with a slash": with_claims(iss="https://api.botframework.com/"),
    "issuer in capitals": with_claims(iss="HTTPS://API.BOTFRAMEWORK.COM"),
    "issuer with a blank": with_claims(iss="https://api.botframework.com "),
    "US Gov's issuer": with_claims(iss="https://api.botframework.us"),
    "emulator's issuer, v1": signed_by_entra(f"https://sts.windows.net/{CHANNEL_TENANT}/"),
    "emulator's issuer, v2": signed_by_entra(
        f"https://login.microsoftonline.com/{CHANNEL_TENANT}/v2.0"
    ),
    "emulator's old issuer": signed_by_entra(f"https://sts.windows.net/{EMULATOR_TENANT}/"),
    "emulator's issuer, channel's key": with_claims(
        iss=f"https://sts.windows.net/{CHANNEL_TENANT}/"
    ),
    "foreign tenant": signed_by_entra(f"https://sts.windows.net/{FOREIGN_TENANT}/"),
    "channel's issuer, Entra's key": signed_by_entra("https://api.botframework.com"),
    "the bot's own outbound token": entra_token,
    "expired": with_claims(exp=int(time.time()) - 301, nbf=int(time.time()) - HOUR),
    "no exp": with_claims(exp=None),
    "exp a string": with_claims(exp=str(int(time.time()) + HOUR)),
    "exp a list": with_claims(exp=[int(time.time()) + HOUR]),
    "exp negative": with_claims(exp=-1),
    "exp too small for a float": with_number("exp", "-1e999"),
    "exp too large for a float": with_number("exp", "1e999"),
    "exp with more digits than Python reads": with_number("exp", "9" * 5000),
    "exp infinite": with_number("exp", "Infinity"),
    "exp true": with_claims(exp=True),
    "exp NaN": with_claims(exp=float("nan")),
    "no nbf": with_claims(nbf=None),
    "nbf a string": with_claims(nbf=str(int(time.time()))),
    "nbf of a thousand digits": with_number("nbf", "9" * 1000),
    "nbf too small for a float": with_number("nbf", "-1e999"),
    "nbf true": with_claims(nbf=True),
    "not valid yet": with_claims(nbf=int(time.time()) + 2 * HOUR),
}

UNKNOWN_KIDS = {
    "made up": "unknown",
    "a path": "../../../../dev/null",
    "a query": "x' OR '1'='1",
    "a URL": "https://localhost:1/keys",
    "long": "k" * 8000,
    "other scripts": "ключ\u202e\U0001f511",
    "lone surrogate": "\ud800",
    "NUL": "\0",
    "line breaks": "x\r\nAnswered 200",
}
"""Key ids that the channel does not have."""

REFUSED_403: dict[str, Forge] = {
    "another bot": with_claims(aud=FOREIGN_TENANT),
    "audience a list": lambda press: bearer(
        press.token(press.claims(aud=[press.cloud.registration.app_id]))
    ),
    "audience a list of two": lambda press: bearer(
        press.token(press.claims(aud=["x", press.cloud.registration.app_id]))
    ),
    "no audience": with_claims(aud=None),
    "empty audience": with_claims(aud=""),
    "audience with a blank": lambda press: bearer(
        press.token(press.claims(aud=press.cloud.registration.app_id + " "))
    ),
    "the channel as audience": with_claims(aud="https://api.botframework.com"),
    "no serviceurl claim": with_claims(serviceurl=None),
    "another serviceurl claim": with_claims(serviceurl="https://smba.trafficmanager.net/teams/"),
    "serviceurl claim a list": lambda press: bearer(
        press.token(press.claims(serviceurl=[press.activity["serviceUrl"]]))
    ),
    "serviceUrl in place of serviceurl": lambda press: bearer(
        press.token(press.claims(serviceurl=None, serviceUrl=press.activity["serviceUrl"]))
    ),
    "serviceurl claim in capitals": lambda press: bearer(
        press.token(press.claims(serviceurl=press.activity["serviceUrl"].upper()))
    ),
    "serviceurl claim with one more segment": lambda press: bearer(
        press.token(press.claims(serviceurl=press.activity["serviceUrl"] + "amer/"))
    ),
    "audience in capitals": lambda press: bearer(
        press.token(press.claims(aud=press.cloud.registration.app_id.upper()))
    ),
    "serviceurl claim without the slash": lambda press: bearer(
        press.token(press.claims(serviceurl=press.activity["serviceUrl"].rstrip("/")))
    ),
}

# With a token of the channel whose serviceurl claim says the same.
REFUSED_SERVICE_URLS = [
    "https://evil.example/",
    "http://smba.trafficmanager.net/teams/",
    "https://smba.trafficmanager.net.evil.example/",
    "https://evilbotframework.com/",
    "https://smba.trafficmanager.net@evil.example/",
    "https://evil.example\\@smba.trafficmanager.net/",
    "https://evil.example#.botframework.com/",
    "https://evil.example?.botframework.com/",
    "https://169.254.169.254/",
    "https:smba.trafficmanager.net/",
    "//smba.trafficmanager.net/",
    "file:///etc/passwd",
    "https://smba.trafficmanager.net\u3002evil.example/",
    "ftp://smba.trafficmanager.net/",
    "not a URL",
]

REFUSED_CHANNELS = ["carrier-pigeon", "WebChat", "webchat ", "*"]


@pytest.fixture
def press(cloud: Cloud, message: dict[str, Any]) -> TokenPress:
    """What presses tokens for the test's message."""
    return TokenPress(cloud, message)


class Witness:
    """Sees whether a turn ran: the bot answers each message, and would need a token for it.

    Args:
        cloud: that the bot would call.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._before = self._outbound()

    def _outbound(self) -> tuple[int, ...]:
        cloud = self._cloud
        parts = (cloud.connector, cloud.entra, cloud.identity, cloud.vault)
        return tuple(part.server.requests.total() for part in parts)

    def assert_nothing_ran(self) -> None:
        """No outbound call was made since the witness came."""
        assert self._outbound() == self._before


def assert_refused(
    cloud: Cloud, caller: Caller, activity: Any, authorization: str | None, *statuses: int
) -> None:
    """The bot refuses in one generic line, and nothing runs."""
    witness = Witness(cloud)
    reply = caller.deliver(activity, authorization)
    assert reply.status in statuses
    assert set(reply.json()) == {"error"}
    assert len(reply.json()["error"]) < 60
    witness.assert_nothing_ran()


def test_good_token(press: TokenPress, caller: Caller, cloud: Cloud) -> None:
    """The control: the untouched token runs a turn, whose reply reaches the connector."""
    before = len(cloud.connector.calls)
    assert caller.deliver(press.activity, bearer(press.token())).status == 200
    assert [call.verified for call in cloud.connector.calls[before:]] == [True]


def test_small_scheme_and_skew(press: TokenPress, caller: Caller) -> None:
    """The scheme's case does not matter, and clocks may differ by five minutes."""
    now = int(time.time())
    claims = press.claims(exp=now - 240, nbf=now - HOUR)
    assert caller.deliver(press.activity, f"bearer {press.token(claims)}").status == 200
    assert caller.deliver(press.activity, f"BEARER {press.token(claims)}").status == 200
    claims = press.claims(nbf=now + 240)
    assert caller.deliver(press.activity, bearer(press.token(claims))).status == 200


@pytest.mark.parametrize("name", REFUSED_401)
def test_invalid_token(name: str, press: TokenPress, caller: Caller, cloud: Cloud) -> None:
    """A token that is not the channel's valid one is answered 401, and nothing runs."""
    assert_refused(cloud, caller, press.activity, REFUSED_401[name](press), 401)


@pytest.mark.parametrize("name", UNKNOWN_KIDS)
def test_unknown_key(name: str, press: TokenPress, caller: Caller, cloud: Cloud) -> None:
    """An unknown key id is answered 401, or 503 until the keys may be fetched again."""
    authorization = bearer(press.token(header={"kid": UNKNOWN_KIDS[name]}))
    assert_refused(cloud, caller, press.activity, authorization, 401, 503)


@pytest.mark.parametrize("name", REFUSED_403)
def test_token_for_something_else(
    name: str, press: TokenPress, caller: Caller, cloud: Cloud
) -> None:
    """A valid token for another bot or another address is answered 403, and nothing runs."""
    assert_refused(cloud, caller, press.activity, REFUSED_403[name](press), 403)


@pytest.mark.parametrize("service_url", REFUSED_SERVICE_URLS)
def test_service_url_of_nobody(
    service_url: str, press: TokenPress, caller: Caller, cloud: Cloud
) -> None:
    """A service URL that is no channel's is answered 403, even when the token names it."""
    token = press.token(press.claims(serviceurl=service_url))
    activity = {**press.activity, "serviceUrl": service_url}
    assert_refused(cloud, caller, activity, bearer(token), 403)


@pytest.mark.parametrize("channel_id", REFUSED_CHANNELS)
def test_channel_without_endorsement(
    channel_id: str, press: TokenPress, caller: Caller, cloud: Cloud
) -> None:
    """A channel that the signing key does not endorse is answered 403."""
    activity = {**press.activity, "channelId": channel_id}
    assert_refused(cloud, caller, activity, bearer(press.token()), 403)


def test_two_authorization_headers(press: TokenPress, caller: Caller, cloud: Cloud) -> None:
    """Two Authorization headers are answered 401: nobody can say which one counts."""
    witness = Witness(cloud)
    headers = [
        ("Content-Type", "application/json"),
        ("Authorization", bearer(press.token())),
        ("Authorization", bearer(press.token())),
    ]
    body = str(press.activity).replace("'", '"').encode()
    assert caller.send("POST", "/api/messages", headers, body).status == 401
    witness.assert_nothing_ran()
