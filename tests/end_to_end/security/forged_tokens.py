"""Forged and broken tokens, and service URLs and channels that a good token does not open."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

from tests.support.credentials.token_press import TokenPress

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
