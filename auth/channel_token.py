"""The channel's bearer token: the checks that need nothing but the token.

Sources: Bot Connector authentication reference ("Connector to bot"), RFC 7515 and RFC 7519.
"""

import base64
import binascii
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeIs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from auth.errors import TokenRejected
from auth.signing_keys import SigningKeys

CLOCK_SKEW = 300
"""Seconds that the channel's clock and ours may differ."""

LONGEST_HEADER = 16 * 1024
"""Characters of an Authorization header; the channel's have about 1,500."""

ALGORITHM = "RS256"
"""The only one: a list would let the token choose how it is checked (RFC 8725, 3.1)."""

_BEARER = re.compile(
    r"bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.IGNORECASE | re.ASCII
)
_PKCS1 = padding.PKCS1v15()
_SHA256 = hashes.SHA256()


@dataclass(frozen=True)
class ChannelToken:
    """A token whose signature, issuer and dates are right.

    Attributes:
        claims: the payload.
        endorsements: the channel ids that the signing key may speak for.
    """

    claims: dict[str, Any]
    endorsements: frozenset[str]


class ChannelTokens:
    """Reads and checks the channel's tokens.

    Args:
        keys: the channel's signing keys.
        issuer: the `iss` that tokens must have.
        clock: seconds since the epoch.
    """

    def __init__(
        self, keys: SigningKeys, issuer: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._clock = clock

    async def read(self, authorization: str) -> ChannelToken:
        """The token in an Authorization header.

        Raises:
            TokenRejected: there is none, or it is not valid.
            KeysUnavailable: no signing keys are known, and none can be had.
        """
        if len(authorization) > LONGEST_HEADER:
            raise TokenRejected("the Authorization header is too long")
        match = _BEARER.fullmatch(authorization)
        if match is None:
            raise TokenRejected("there is no bearer token" if not authorization else "not a JWT")
        signed, signature = match[1], _base64url(match[2])
        header, claims = (_json_object(part) for part in signed.split("."))
        kid = self._check_header(header)
        self._check_claims(claims)
        key = await self._keys.find(kid)
        if key is None:
            raise TokenRejected(f"the channel has no signing key {kid!r:.80}")
        try:
            key.public_key.verify(signature, signed.encode(), _PKCS1, _SHA256)
        except InvalidSignature as error:
            raise TokenRejected("the signature is wrong") from error
        return ChannelToken(claims, key.endorsements)

    def _check_header(self, header: dict[str, Any]) -> str:
        if header.get("alg") != ALGORITHM:
            raise TokenRejected(f"the algorithm is not {ALGORITHM}")
        if "crit" in header:
            raise TokenRejected("the header asks for an extension")  # RFC 7515, 4.1.11
        kid = header.get("kid")
        if not isinstance(kid, str) or not kid:
            raise TokenRejected("the header names no key")
        return kid

    def _check_claims(self, claims: dict[str, Any]) -> None:
        # Before the signature: what fails here must not cost a fetch of keys.
        if claims.get("iss") != self._issuer:
            raise TokenRejected(f"the issuer is not {self._issuer}")
        now = self._clock()
        expires, starts = claims.get("exp"), claims.get("nbf")
        if not _is_number(expires) or not _is_number(starts):
            raise TokenRejected("exp or nbf is missing")
        if now >= expires + CLOCK_SKEW:
            raise TokenRejected("the token has expired")
        if now < starts - CLOCK_SKEW:
            raise TokenRejected("the token is not valid yet")


def _is_number(value: object) -> TypeIs[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _json_object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(_base64url(part), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise TokenRejected("not a JWT") from error
    if not isinstance(value, dict):
        raise TokenRejected("not a JWT")
    return value


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _base64url(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise TokenRejected("not a JWT") from error
