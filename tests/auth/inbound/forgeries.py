"""Authorization headers: the channel's tokens, and tokens with every kind of flaw."""

import base64
from collections.abc import Callable
from typing import Any

from auth.inbound.channel_token import MAX_HEADER_CHARACTERS
from tests.support.credentials.token_press import TokenPress

ISSUER = "https://api.botframework.com"

NOW = 1_800_000_000

HOUR = 3600

Forge = Callable[[TokenPress], str]
"""Makes an Authorization header."""


def claims(press: TokenPress, **changes: Any) -> dict[str, Any]:
    """Good claims, valid for an hour from NOW; a change to None leaves the claim out."""
    return press.claims(**{"nbf": NOW, "exp": NOW + HOUR, **changes})


def header(text: str) -> Forge:
    """A header that holds no token of the channel."""
    return lambda _: text


def with_claims(**changes: Any) -> Forge:
    """A token of the channel's key with these claims changed."""
    return lambda press: f"Bearer {press.token(claims(press, **changes))}"


def with_payload(payload: Any) -> Forge:
    """A token of the channel's key with this payload."""
    return lambda press: f"Bearer {press.token(payload)}"


def with_header(**changes: Any) -> Forge:
    """A token of the channel's key with another header."""
    return lambda press: f"Bearer {press.token(claims(press), changes)}"


def framed(template: str) -> Forge:
    """A good token in another frame."""
    return lambda press: template.format(press.token(claims(press)))


def signed(change: Callable[[str], str]) -> Forge:
    """A good token with its signature changed."""

    def forge(press: TokenPress) -> str:
        head, payload, signature = press.token(claims(press)).split(".")
        return f"Bearer {head}.{payload}.{change(signature)}"

    return forge


def other_payload(press: TokenPress) -> str:
    """Another payload under a good token's signature."""
    head, payload, signature = press.token(claims(press)).split(".")
    changed = press.json_part(claims(press, exp=NOW + 9 * HOUR))
    assert changed != payload
    return f"Bearer {head}.{changed}.{signature}"


def not_alphabetical(press: TokenPress) -> str:
    """Characters between those of base64url, which a tolerant decoder passes over."""
    return f"Bearer {press.token(claims(press)).replace('.', '.!', 1)}"


INFINITE_EXP = f'{{"iss": "{ISSUER}", "nbf": {NOW}, "exp": 1e999}}'

ACCEPTED: dict[str, Forge] = {
    "valid": with_claims(),
    "scheme in lower case": framed("bearer {}"),
    "scheme in upper case": framed("BEARER {}"),
    "expired, within the skew": with_claims(exp=NOW - 299),
    "early, within the skew": with_claims(nbf=NOW + 300),
    "dates with fractions": with_claims(nbf=NOW - 0.5, exp=NOW + 0.5),
    "more claims": with_claims(jti="1", ver="2.0", appid=[]),
    "no typ": with_header(typ=None),
}

REJECTED: dict[str, tuple[Forge, str]] = {
    "nothing": (header(""), "no bearer token"),
    "blank": (header(" "), "not a JWT"),
    "scheme alone": (header("Bearer"), "not a JWT"),
    "scheme and a blank": (header("Bearer "), "not a JWT"),
    "dots": (header("Bearer .."), "not a JWT"),
    "garbage": (header("Bearer garbage"), "not a JWT"),
    "garbage in three parts": (header("Bearer a.b.c"), "not a JWT"),
    "too long": (header("Bearer " + "A" * MAX_HEADER_CHARACTERS), "too long"),
    "deep": (
        header(f"Bearer {base64.urlsafe_b64encode(b'[' * 12000).decode()}.AA.AA"),
        "not a JWT",
    ),
    "like a letter": (header("Bearer AAAA.AAAA.\u212aAAA"), "not a JWT"),
    "no scheme": (framed("{}"), "not a JWT"),
    "another scheme": (framed("Basic {}"), "not a JWT"),
    "two blanks": (framed("Bearer  {}"), "not a JWT"),
    "blank before": (framed(" Bearer {}"), "not a JWT"),
    "blank after": (framed("Bearer {} "), "not a JWT"),
    "line end": (framed("Bearer {}\n"), "not a JWT"),
    "two tokens": (framed("Bearer {0} {0}"), "not a JWT"),
    "a list": (framed("Bearer {0}, Bearer {0}"), "not a JWT"),
    "four parts": (framed("Bearer {}.AAAA"), "not a JWT"),
    "padding": (framed("Bearer {}=="), "not a JWT"),
    "scheme not ASCII": (framed("Bea\u0280er {}"), "not a JWT"),
    "not base64url": (not_alphabetical, "not a JWT"),
    "standard base64": (
        signed(lambda text: text.replace("-", "+").replace("_", "/")),
        "not a JWT",
    ),
    "signature with other trailing bits": (
        signed(lambda text: text[:-1] + chr(ord(text[-1]) + 1)),
        "not a JWT",
    ),
    "two parts": (
        lambda press: f"Bearer {press.unsigned({'alg': 'RS256'}, claims(press))}",
        "not a JWT",
    ),
    "no signature": (signed(lambda _: ""), "not a JWT"),
    "signature cut to no bytes": (signed(lambda text: text[:1]), "not a JWT"),
    "signature cut short": (signed(lambda text: text[:-2]), "signature is wrong"),
    "signature changed": (
        signed(lambda text: ("B" if text[0] == "A" else "A") + text[1:]),
        "signature is wrong",
    ),
    "another payload": (other_payload, "signature is wrong"),
    "another key": (
        lambda press: f"Bearer {press.token(claims(press), key=press.other_key)}",
        "signature is wrong",
    ),
    "header a list": (
        lambda press: f"Bearer {press.json_part([])}.{press.json_part({})}.AAAA",
        "not a JWT",
    ),
    "header not JSON": (header("Bearer AAAA.AAAA.AAAA"), "not a JWT"),
    "header not UTF-8": (header("Bearer _w.AAAA.AAAA"), "not a JWT"),
    "payload a list": (with_payload(["iss"]), "not a JWT"),
    "payload a string": (with_payload("iss"), "not a JWT"),
    "payload null": (
        lambda press: f"Bearer {press.unsigned({'alg': 'RS256', 'kid': 'x'}, None)}.AAAA",
        "not a JWT",
    ),
    "payload not JSON": (
        lambda press: f"Bearer {press.json_part({'alg': 'RS256', 'kid': 'x'})}.AAAA.AAAA",
        "not a JWT",
    ),
    "payload empty": (with_payload({}), "issuer"),
    "alg none": (with_header(alg="none"), "algorithm"),
    "alg missing": (with_header(alg=None), "algorithm"),
    "alg a list": (with_header(alg=["RS256"]), "algorithm"),
    "alg in lower case": (with_header(alg="rs256"), "algorithm"),
    "RS512": (lambda press: f"Bearer {press.standard('RS512')}", "algorithm"),
    "PS256": (lambda press: f"Bearer {press.standard('PS256')}", "algorithm"),
    "HS256 with the public key": (
        lambda press: f"Bearer {press.hmac_with_public_key()}",
        "algorithm",
    ),
    "crit": (with_header(crit=["exp"]), "extension"),
    "kid missing": (with_header(kid=None), "names no key"),
    "kid empty": (with_header(kid=""), "names no key"),
    "kid a number": (with_header(kid=1), "names no key"),
    "kid a list": (with_header(kid=[]), "names no key"),
    "kid unknown": (with_header(kid="made up"), "no signing key 'made up'"),
    "kid a path": (with_header(kid="../../dev/null"), "no signing key"),
    "own key in the header": (
        lambda press: f"Bearer {press.token(claims(press), {'kid': 'x', 'jwk': press.key.jwk()})}",
        "no signing key",
    ),
    "iss missing": (with_claims(iss=None), "issuer"),
    "iss another": (with_claims(iss="https://api.botframework.us"), "issuer"),
    "iss with a slash": (with_claims(iss=f"{ISSUER}/"), "issuer"),
    "iss in upper case": (with_claims(iss=ISSUER.upper()), "issuer"),
    "iss a list": (with_claims(iss=[ISSUER]), "issuer"),
    "iss of Entra": (with_claims(iss="https://sts.windows.net/botframework.com/"), "issuer"),
    "exp missing": (with_claims(exp=None), "exp or nbf is missing"),
    "exp a string": (with_claims(exp=str(NOW + HOUR)), "exp or nbf is missing"),
    "exp true": (with_claims(exp=True), "exp or nbf is missing"),
    "exp a list": (with_claims(exp=[NOW + HOUR]), "exp or nbf is missing"),
    "exp not a number": (with_claims(exp=float("nan")), "not a JWT"),
    "exp infinite": (with_claims(exp=float("inf")), "not a JWT"),
    "exp too large for a float": (
        lambda press: f"Bearer {press.token_of(press.part(INFINITE_EXP.encode()))}",
        "exp or nbf is missing",
    ),
    "expired": (with_claims(exp=NOW - 300), "has expired"),
    "expired for long": (with_claims(nbf=0, exp=1), "has expired"),
    "nbf missing": (with_claims(nbf=None), "exp or nbf is missing"),
    "nbf a string": (with_claims(nbf=str(NOW)), "exp or nbf is missing"),
    "early": (with_claims(nbf=NOW + 301), "not valid yet"),
}
