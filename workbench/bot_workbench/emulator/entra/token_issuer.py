"""TokenIssuer: signs the tokens of one authority and publishes its keys."""

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.emulator.certificates import base64url

RSA_BITS = 2048


@dataclass(frozen=True)
class IssuerKey:
    """One key pair with its id (`kid`) and, for channels, the endorsements published with it."""

    kid: str
    private_key: rsa.RSAPrivateKey
    endorsements: tuple[str, ...] = ()

    def jwk(self) -> dict[str, Any]:
        """The public half as a JSON Web Key (RFC 7517), with the Bot Connector's `endorsements`."""
        numbers = self.private_key.public_key().public_numbers()
        key: dict[str, Any] = {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "n": _base64url_number(numbers.n),
            "e": _base64url_number(numbers.e),
        }
        if self.endorsements:
            key["endorsements"] = list(self.endorsements)
        return key


@dataclass
class TokenIssuer:
    """An authority's signing keys: the last one signs, all are published.

    Attributes:
        endorsements: channel ids published with each key; empty for Entra.
    """

    endorsements: Sequence[str] = ()
    keys: list[IssuerKey] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.roll()

    def roll(self, keep_old: bool = False) -> IssuerKey:
        """Make a new signing key; the old ones are removed unless `keep_old`."""
        key = IssuerKey(
            kid=uuid.uuid4().hex,
            private_key=rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS),
            endorsements=tuple(self.endorsements),
        )
        self.keys = [*self.keys, key] if keep_old else [key]
        return key

    def jwks(self) -> dict[str, Any]:
        """The published key set."""
        return {"keys": [key.jwk() for key in self.keys]}

    def sign(self, claims: Mapping[str, Any], lifetime: int = 3600) -> str:
        """A token with these claims, signed with RS256; missing `iat`, `nbf`, `exp` are added.

        Args:
            claims: the payload (RFC 7519).
            lifetime: seconds from now to `exp`.
        """
        now = int(time.time())
        timed = {"iat": now, "nbf": now, "exp": now + lifetime, **claims}
        key = self.keys[-1]
        return jwt.encode(timed, key.private_key, algorithm="RS256", headers={"kid": key.kid})

    def verify(self, token: str, audience: str | Iterable[str], issuer: str) -> dict[str, Any]:
        """The claims of a token that this authority signed.

        Args:
            token: JWT.
            audience: the `aud` claim, or those of which it may be one.
            issuer: the `iss` claim.

        Raises:
            jwt.InvalidTokenError: it did not sign it, or the token is expired or malformed.
        """
        kid = jwt.get_unverified_header(token).get("kid")
        key = next((key for key in self.keys if key.kid == kid), None)
        if key is None:
            raise jwt.InvalidTokenError("the token is signed with a key that is not published")
        claims: dict[str, Any] = jwt.decode(
            token,
            key.private_key.public_key(),
            algorithms=["RS256"],
            audience=audience,
            issuer=issuer,
            options={"require": ["exp", "nbf", "iat"]},
        )
        return claims


def _base64url_number(number: int) -> str:
    return base64url(number.to_bytes((number.bit_length() + 7) // 8))
