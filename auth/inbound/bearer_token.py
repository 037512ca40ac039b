"""BearerTokens: verifies the bearer tokens of callers, which are the channel and other bots.

Sources: Bot Connector authentication reference ("Connector to bot"), RFC 7515 and RFC 7519.
"""

import binascii
import functools
import json
import math
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeIs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from auth.errors import TokenRejected
from auth.inbound.signing_keys import SigningKey, SigningKeys

CLOCK_SKEW_SECONDS = 300
"""How far an issuer's clock and ours may differ."""

MAX_HEADER_CHARACTERS = 16 * 1024
"""The length limit of an Authorization header; the channel's have about 1,500 characters."""

MAX_VERIFIED_TOKENS = 256
"""The number of cached tokens, a few MiB at most. The channel uses each token for hours."""

ALGORITHM = "RS256"
"""The only algorithm accepted: with several, the token would choose how it is verified (RFC 8725,
3.1)."""

JWS_PARTS = 3
"""Header, payload and signature (RFC 7515, 3.1)."""

_TO_BASE64 = bytes.maketrans(b"-_+/=", b"+/!!!")
"""Maps base64url without padding (RFC 7515, 2) to base64. The three characters of base64 that
base64url lacks become `!`, which the decoder rejects."""
_CANONICAL_ENDS = {2: "AQgw", 3: "AEIMQUYcgkosw048"}
"""The allowed last characters by the text's length modulo 4: those whose unused bits are zero.
Otherwise one signature would have several encodings (RFC 4648, 3.5)."""
_SCALARS = frozenset({str, int, float, bool, type(None)})
_PKCS1 = padding.PKCS1v15()
_SHA256 = hashes.SHA256()


class BearerToken(NamedTuple):
    """A token whose signature, issuer and dates are valid.

    Attributes:
        claims: the payload, read-only because turns share it.
        endorsements: the channel ids that the signing key may sign for; empty for a bot's token.
    """

    claims: Mapping[str, Any]
    endorsements: frozenset[str]


class _Jwt(NamedTuple):
    """The parts of a token that has not been verified yet.

    Attributes:
        kid: id of the signing key.
        claims: the payload, read-only.
        signed: header and payload as sent.
        signature: the signature of `signed`.
    """

    kid: str
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


class BearerTokens:
    """Verifies the tokens of callers.

    A verified token is cached with the key that verified it. Its signature is not verified again
    until the keys have been fetched again, but its dates are checked each time, and a token that
    fails leaves the cache. Tokens are compared in full.

    Args:
        keys: the signing keys by issuer: the accepted values of `iss`.
        clock: seconds since the epoch.
    """

    def __init__(
        self, keys: Mapping[str, SigningKeys], clock: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._verified: dict[str, tuple[_Jwt, SigningKey]] = {}
        """The verified tokens by Authorization header, the most recently used last."""

    async def read(self, authorization: str) -> BearerToken:
        """The verified token of an Authorization header.

        Raises:
            TokenRejected: there is no token, or the token is not valid.
            KeysUnavailable: the signing key is unknown, and keys cannot be fetched now.
        """
        # Taken out of the cache, and put back only after all checks: a token that fails is gone.
        jwt, verified_by = self._verified.pop(authorization, (None, None))
        if jwt is None:
            jwt = self._parsed(authorization)
        # Checked before the signature: an expired token must not cost a fetch of keys.
        self._check_dates(jwt.claims)
        key = await self._keys[jwt.claims["iss"]].find(jwt.kid)
        if key is None:
            raise TokenRejected(f"the issuer has no signing key {jwt.kid!r:.80}")
        # Compared by identity, not equality: each fetch creates new key objects.
        if key is not verified_by:
            _verify(jwt, key)
        self._remember(authorization, jwt, key)
        return BearerToken(jwt.claims, key.endorsements)

    def _parsed(self, authorization: str) -> _Jwt:
        if len(authorization) > MAX_HEADER_CHARACTERS:
            raise TokenRejected("the Authorization header is too long")
        if not authorization:
            raise TokenRejected("there is no bearer token")
        scheme, _, token = authorization.partition(" ")
        parts = token.split(".", JWS_PARTS)  # a fourth part, if there is one, must be noticed
        if scheme.lower() != "bearer" or len(parts) != JWS_PARTS:
            raise TokenRejected("not a JWT")
        header, payload, signature = parts
        kid, claims = _kid(header), _json_object(payload)
        issuer = claims.get("iss")
        if not isinstance(issuer, str) or issuer not in self._keys:
            raise TokenRejected(f"the issuer is not {' or '.join(self._keys)}")
        signed = f"{header}.{payload}".encode()
        return _Jwt(kid, MappingProxyType(claims), signed, _base64url(signature))

    def _check_dates(self, claims: Mapping[str, Any]) -> None:
        now = self._clock()
        expires, starts = claims.get("exp"), claims.get("nbf")
        if not _is_number(expires) or not _is_number(starts):
            raise TokenRejected("exp or nbf is missing")
        if now >= expires + CLOCK_SKEW_SECONDS:
            raise TokenRejected("the token has expired")
        if now < starts - CLOCK_SKEW_SECONDS:
            raise TokenRejected("the token is not valid yet")

    def _remember(self, authorization: str, jwt: _Jwt, key: SigningKey) -> None:
        # Turns share the claims: a list in them could be changed by one turn for the next.
        if not _SCALARS.issuperset(map(type, jwt.claims.values())):
            return
        if len(self._verified) >= MAX_VERIFIED_TOKENS:
            del self._verified[next(iter(self._verified))]
        self._verified[authorization] = jwt, key


@functools.lru_cache(maxsize=64)  # all tokens of one key have the same header
def _kid(part: str) -> str:
    header = _json_object(part)
    if header.get("alg") != ALGORITHM:
        raise TokenRejected(f"the algorithm is not {ALGORITHM}")
    if "crit" in header:
        raise TokenRejected("the header asks for an extension")  # RFC 7515, 4.1.11
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise TokenRejected("the header names no key")
    return kid


def _verify(jwt: _Jwt, key: SigningKey) -> None:
    try:
        key.public_key.verify(jwt.signature, jwt.signed, _PKCS1, _SHA256)
    except InvalidSignature as error:
        raise TokenRejected("the signature is wrong") from error


def _is_number(value: object) -> TypeIs[int | float]:
    # 1e999 is valid JSON, and Python reads it as infinity.
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _json_object(part: str) -> dict[str, Any]:
    try:
        value = _JSON.decode(_base64url(part).decode())
    except (ValueError, RecursionError) as error:
        raise TokenRejected("not a JWT") from error
    if not isinstance(value, dict):
        raise TokenRejected("not a JWT")
    return value


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


_JSON = json.JSONDecoder(parse_constant=_no_constant)


def _base64url(text: str) -> bytes:
    remainder = len(text) % 4
    try:
        padded = text.encode("ascii").translate(_TO_BASE64) + b"=" * (-remainder % 4)
        decoded = binascii.a2b_base64(padded, strict_mode=True)
    except ValueError as error:
        raise TokenRejected("not a JWT") from error
    if not decoded or (remainder and text[-1] not in _CANONICAL_ENDS[remainder]):
        raise TokenRejected("not a JWT")
    return decoded
