"""Authorization headers: the channel's tokens, and tokens with every kind of flaw."""

import base64
import json
from collections.abc import Callable
from typing import Any

from auth.inbound.bearer_token import MAX_HEADER_CHARACTERS
from tests.support.credentials.token_press import ISSUER, TokenPress

HOUR = 3600
CHANNEL_TENANT = "d6d49420-f39b-4df7-a1dc-d59a935871db"
FOREIGN_TENANT = "11111111-2222-3333-4444-555555555555"
EMULATOR_TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"

Forge = Callable[[TokenPress], str]
"""Makes an Authorization header."""


def header(text: str) -> Forge:
    """A header that holds no token of the channel."""
    return lambda _: text


def framed(template: str) -> Forge:
    """A good token in another frame."""
    return lambda press: template.format(press.token())


def with_claims(**changes: Any) -> Forge:
    """A token of the channel's key with these claims changed; None leaves a claim out."""
    return lambda press: f"Bearer {press.token(press.claims(**changes))}"


def with_times(**seconds: float) -> Forge:
    """A token of the channel's key with times that are so many seconds from now."""
    return lambda press: with_claims(
        **{name: press.now + value for name, value in seconds.items()}
    )(press)


def with_number(claim: str, number: str) -> Forge:
    """A token of the channel's key whose claim is this number, exactly as written."""

    def forge(press: TokenPress) -> str:
        payload = json.dumps(press.claims(**{claim: "NUMBER"})).replace('"NUMBER"', number)
        return f"Bearer {press.token_of(press.part(payload.encode()))}"

    return forge


def with_payload(payload: Any) -> Forge:
    """A token of the channel's key with this payload."""
    return lambda press: f"Bearer {press.token(payload)}"


def with_header(**changes: Any) -> Forge:
    """A token of the channel's key with another header."""
    return lambda press: f"Bearer {press.token(header=changes)}"


def with_other_key(**changes: Any) -> Forge:
    """A token of another key, with another header."""
    return lambda press: f"Bearer {press.token(header=changes, key=press.other_key)}"


def with_algorithm(name: str) -> Forge:
    """A token that the channel's key signed with another algorithm."""
    return lambda press: f"Bearer {press.standard(name)}"


def with_part(number: int, text: str) -> Forge:
    """A good token with its header (0) or payload (1) replaced."""

    def forge(press: TokenPress) -> str:
        parts = press.token().split(".")
        parts[number] = text
        return f"Bearer {'.'.join(parts)}"

    return forge


def with_signature(change: Callable[[str], str]) -> Forge:
    """A good token with its signature changed."""

    def forge(press: TokenPress) -> str:
        head, payload, signature = press.token().split(".")
        return f"Bearer {head}.{payload}.{change(signature)}"

    return forge


def signed_by_entra(issuer: str) -> Forge:
    """A token that Entra signed for this bot, as emulators and foreign tenants have them."""
    return lambda press: f"Bearer {press.cloud.entra.issuer.sign(press.claims(iss=issuer))}"


def base64url(raw: bytes) -> str:
    """Bytes in base64url."""
    return TokenPress.part(raw)


def other_payload(press: TokenPress) -> str:
    """Another payload under a good token's signature."""
    changed = press.json_part(press.claims(exp=press.now + 9 * HOUR))
    return with_part(1, changed)(press)


def plus_the_modulus(press: TokenPress) -> str:
    """A signature that is equal to the good one modulo the key's modulus."""
    head, payload, signature = press.token().split(".")
    number = int.from_bytes(base64.urlsafe_b64decode(f"{signature}=="))
    number += press.key.private_key.public_key().public_numbers().n
    return f"Bearer {head}.{payload}.{press.part(number.to_bytes(257))}"


def nested(press: TokenPress) -> str:
    """A good token as the payload of another one (RFC 7519, 5.2)."""
    return with_part(1, press.part(press.token().encode()))(press)


def foreign_jwk(press: TokenPress) -> str:
    """A token of another key, which its header brings along."""
    numbers = press.other_key.public_key().public_numbers()
    size = (numbers.n.bit_length() + 7) // 8
    jwk = {"kty": "RSA", "n": press.part(numbers.n.to_bytes(size)), "e": "AQAB"}
    return with_other_key(jwk=jwk)(press)


def outbound_token(press: TokenPress) -> str:
    """The bot's own outbound token, as a thief might have it."""
    cloud, registration = press.cloud, press.cloud.registration
    token, _ = cloud.entra.app_token(
        ISSUER, registration.app_id, cloud.reader, tenant_id=registration.tenant_id
    )
    return f"Bearer {token}"


ACCEPTED: dict[str, Forge] = {
    "valid": with_claims(),
    "scheme in lower case": framed("bearer {}"),
    "scheme in upper case": framed("BEARER {}"),
    "expired, within the skew": with_times(exp=-299),
    "early, within the skew": with_times(nbf=300),
    "dates with fractions": with_times(nbf=-0.5, exp=0.5),
    "more claims": with_claims(jti="1", ver="2.0", appid=[]),
    "no typ": with_header(typ=None),
}

NO_JWT, BAD_SIGNATURE, UNKNOWN_KEY = "not a JWT", "signature is wrong", "no signing key"
BAD_DATES = "exp or nbf is missing"

REJECTED: dict[str, tuple[Forge, str]] = {
    "nothing": (header(""), "no bearer token"),
    "blank": (header(" "), NO_JWT),
    "scheme alone": (header("Bearer"), NO_JWT),
    "scheme and a blank": (header("Bearer "), NO_JWT),
    "dots": (header("Bearer .."), NO_JWT),
    "garbage": (header("Bearer garbage"), NO_JWT),
    "garbage in three parts": (header("Bearer a.b.c"), NO_JWT),
    "five parts, as encrypted ones": (header("Bearer a.b.c.d.e"), NO_JWT),
    "too long": (header("Bearer " + "A" * MAX_HEADER_CHARACTERS), "too long"),
    "much too long": (with_claims(filler="x" * 100_000), "too long"),
    "like a letter": (header("Bearer AAAA.AAAA.\u212aAAA"), NO_JWT),
    "no scheme": (framed("{}"), NO_JWT),
    "another scheme": (framed("Basic {}"), NO_JWT),
    "scheme not ASCII": (framed("Bea\u0280er {}"), NO_JWT),
    "scheme in full width": (framed("\uff22earer {}"), NO_JWT),
    "two schemes": (framed("Bearer Bearer {}"), NO_JWT),
    "two blanks": (framed("Bearer  {}"), NO_JWT),
    "a tab": (framed("Bearer\t{}"), NO_JWT),
    "a colon": (framed("Bearer: {}"), NO_JWT),
    "in quotes": (framed('Bearer "{}"'), NO_JWT),
    "a parameter": (framed("Bearer token={}"), NO_JWT),
    "blank before": (framed(" Bearer {}"), NO_JWT),
    "blank after": (framed("Bearer {} "), NO_JWT),
    "line end": (framed("Bearer {}\n"), NO_JWT),
    "two tokens": (framed("Bearer {0} {0}"), NO_JWT),
    "a list": (framed("Bearer {0},Bearer {0}"), NO_JWT),
    "a good and a bad one": (framed("Bearer {}, Bearer x.y.z"), NO_JWT),
    "in lower case": (lambda press: f"Bearer {press.token().lower()}", NO_JWT),
    "two parts": (lambda press: f"Bearer {press.token().rpartition('.')[0]}", NO_JWT),
    "four parts": (framed("Bearer {}.AAAA"), NO_JWT),
    "padding": (framed("Bearer {}=="), NO_JWT),
    "not ASCII": (framed("Bearer {}é"), NO_JWT),
    # A tolerant decoder passes over characters that are not of base64url.
    "not base64url": (lambda press: f"Bearer {press.token().replace('.', '.!', 1)}", NO_JWT),
    "standard base64": (
        with_signature(lambda text: text.replace("-", "+").replace("_", "/")),
        NO_JWT,
    ),
    "header a list": (with_part(0, base64url(b"[]")), NO_JWT),
    "header nested deeply": (with_part(0, base64url(b"[" * 9000)), NO_JWT),
    "header with a byte order mark": (with_part(0, base64url(b"\xef\xbb\xbf{}")), NO_JWT),
    "header not JSON": (with_part(0, "AAAA"), NO_JWT),
    "header not UTF-8": (with_part(0, "_w"), NO_JWT),
    "payload not JSON": (with_part(1, "AAAA"), NO_JWT),
    "payload a list": (with_payload(["iss"]), NO_JWT),
    "payload a string": (with_payload("iss"), NO_JWT),
    "payload null": (with_part(1, base64url(b"null")), NO_JWT),
    "payload empty": (with_payload({}), "issuer"),
    "a token in a token": (nested, NO_JWT),
    "another payload": (other_payload, BAD_SIGNATURE),
    "no signature": (with_signature(lambda _: ""), NO_JWT),
    "signature cut to no bytes": (with_signature(lambda text: text[:1]), NO_JWT),
    "signature with other trailing bits": (
        with_signature(lambda text: text[:-1] + chr(ord(text[-1]) + 1)),
        NO_JWT,
    ),
    "signature cut short": (with_signature(lambda text: text[:-2]), BAD_SIGNATURE),
    "signature too long": (with_signature(lambda text: text + "AAAA"), BAD_SIGNATURE),
    "signature changed": (
        with_signature(lambda text: ("B" if text[0] == "A" else "A") + text[1:]),
        BAD_SIGNATURE,
    ),
    "signature plus the modulus": (plus_the_modulus, BAD_SIGNATURE),
    "signature of zeros": (with_signature(lambda text: "A" * len(text)), BAD_SIGNATURE),
    "another key": (with_other_key(), BAD_SIGNATURE),
    "own key in the header": (foreign_jwk, BAD_SIGNATURE),
    "own key set in the header": (with_other_key(jku="https://localhost:1/keys"), BAD_SIGNATURE),
    "alg none, unsigned": (
        lambda press: f"Bearer {press.unsigned({'alg': 'none', 'kid': 'x'}, press.claims())}.",
        "algorithm",
    ),
    "alg none": (with_header(alg="none"), "algorithm"),
    "alg nOnE": (with_header(alg="nOnE"), "algorithm"),
    "alg missing": (with_header(alg=None), "algorithm"),
    "alg a list": (with_header(alg=["RS256"]), "algorithm"),
    "alg in lower case": (with_header(alg="rs256"), "algorithm"),
    "alg RS512 in the header only": (with_header(alg="RS512"), "algorithm"),
    "RS384": (with_algorithm("RS384"), "algorithm"),
    "RS512": (with_algorithm("RS512"), "algorithm"),
    "PS256": (with_algorithm("PS256"), "algorithm"),
    "HS256 with the public key": (
        lambda press: f"Bearer {press.hmac_with_public_key()}",
        "algorithm",
    ),
    "crit": (with_header(crit=["exp"]), "extension"),
    "kid missing": (with_header(kid=None), "names no key"),
    "kid empty": (with_header(kid=""), "names no key"),
    "kid a number": (with_header(kid=1), "names no key"),
    "kid a list": (with_header(kid=[]), "names no key"),
    "kid unknown": (with_header(kid="made up"), f"{UNKNOWN_KEY} 'made up'"),
    "kid a path": (with_header(kid="../../../../dev/null"), UNKNOWN_KEY),
    "kid a query": (with_header(kid="x' OR '1'='1"), UNKNOWN_KEY),
    "kid a URL": (with_header(kid="https://localhost:1/keys"), UNKNOWN_KEY),
    "kid long": (with_header(kid="k" * 8000), UNKNOWN_KEY),
    "kid in other scripts": (with_header(kid="ключ\u202e\U0001f511"), UNKNOWN_KEY),
    "kid a lone surrogate": (with_header(kid="\ud800"), UNKNOWN_KEY),
    "kid NUL": (with_header(kid="\0"), UNKNOWN_KEY),
    "kid with line breaks": (with_header(kid="x\r\nAnswered 200"), UNKNOWN_KEY),
    "iss missing": (with_claims(iss=None), "issuer"),
    "iss foreign": (with_claims(iss="https://evil.example"), "issuer"),
    "iss of US Government": (with_claims(iss="https://api.botframework.us"), "issuer"),
    "iss with a slash": (with_claims(iss=f"{ISSUER}/"), "issuer"),
    "iss with a blank": (with_claims(iss=f"{ISSUER} "), "issuer"),
    "iss in upper case": (with_claims(iss=ISSUER.upper()), "issuer"),
    "iss a list": (with_claims(iss=[ISSUER]), "issuer"),
    "iss of Entra": (with_claims(iss="https://sts.windows.net/botframework.com/"), "issuer"),
    "iss of emulators, the channel's key": (
        with_claims(iss=f"https://sts.windows.net/{CHANNEL_TENANT}/"),
        "issuer",
    ),
    "of emulators, v1": (
        signed_by_entra(f"https://sts.windows.net/{CHANNEL_TENANT}/"),
        "issuer",
    ),
    "of emulators, v2": (
        signed_by_entra(f"https://login.microsoftonline.com/{CHANNEL_TENANT}/v2.0"),
        "issuer",
    ),
    "of old emulators": (
        signed_by_entra(f"https://sts.windows.net/{EMULATOR_TENANT}/"),
        "issuer",
    ),
    "of a foreign tenant": (
        signed_by_entra(f"https://sts.windows.net/{FOREIGN_TENANT}/"),
        "issuer",
    ),
    "the channel's issuer, Entra's key": (signed_by_entra(ISSUER), UNKNOWN_KEY),
    "the bot's own outbound token": (outbound_token, "issuer"),
    "exp missing": (with_claims(exp=None), BAD_DATES),
    "exp a string": (lambda press: with_claims(exp=str(press.now + HOUR))(press), BAD_DATES),
    "exp a list": (lambda press: with_claims(exp=[press.now + HOUR])(press), BAD_DATES),
    "exp true": (with_claims(exp=True), BAD_DATES),
    "exp not a number": (with_claims(exp=float("nan")), NO_JWT),
    "exp infinite": (with_claims(exp=float("inf")), NO_JWT),
    "exp too large for a float": (with_number("exp", "1e999"), BAD_DATES),
    "exp too small for a float": (with_number("exp", "-1e999"), BAD_DATES),
    "exp with more digits than Python reads": (with_number("exp", "9" * 5000), NO_JWT),
    "exp negative": (with_claims(exp=-1), "has expired"),
    "expired": (with_times(exp=-300), "has expired"),
    "expired for long": (with_claims(nbf=0, exp=1), "has expired"),
    "nbf missing": (with_claims(nbf=None), BAD_DATES),
    "nbf a string": (lambda press: with_claims(nbf=str(press.now))(press), BAD_DATES),
    "nbf true": (with_claims(nbf=True), BAD_DATES),
    "nbf too small for a float": (with_number("nbf", "-1e999"), BAD_DATES),
    "nbf of a thousand digits": (with_number("nbf", "9" * 1000), "not valid yet"),
    "early": (with_times(nbf=360), "not valid yet"),
}
"""Tokens that are answered 401: how each is made, and the reason."""
