"""TokenPress: makes channel tokens, good ones and every kind of bad one."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bot_workbench.emulator.cloud import Cloud

ISSUER = "https://api.botframework.com"


class TokenPress:
    """Presses tokens for one activity of a local cloud's channel.

    Args:
        cloud: whose channel's key is used, and whose bot is the audience.
        activity: the activity that the good token is for.
        clock: seconds since the epoch.
    """

    def __init__(
        self, cloud: Cloud, activity: dict[str, Any], clock: Callable[[], float] = time.time
    ) -> None:
        self.cloud = cloud
        self.activity = activity
        self._clock = clock
        self.key = cloud.channel.issuer.keys[-1]
        self.other_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def now(self) -> int:
        """The time, in seconds since the epoch."""
        return int(self._clock())

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The good claims with changes; a change to None leaves the claim out."""
        claims = {
            "iss": ISSUER,
            "aud": self.cloud.registration.app_id,
            "serviceurl": self.activity["serviceUrl"],
            "nbf": self.now,
            "exp": self.now + 3600,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self,
        claims: Any = None,
        header: dict[str, Any] | None = None,
        key: rsa.RSAPrivateKey | None = None,
    ) -> str:
        """A token signed RS256 whatever its header says; a header entry None is left out."""
        full = {"alg": "RS256", "typ": "JWT", "kid": self.key.kid, **(header or {})}
        signed = self.unsigned(
            {name: value for name, value in full.items() if value is not None},
            self.claims() if claims is None else claims,
        )
        return self._signed(signed, key or self.key.private_key)

    def token_of(self, payload: str) -> str:
        """A token with this payload (base64url) and a valid header and signature."""
        head = self.json_part({"alg": "RS256", "typ": "JWT", "kid": self.key.kid})
        return self._signed(f"{head}.{payload}", self.key.private_key)

    def standard(self, algorithm: str, key: Any = None) -> str:
        """A token as PyJWT makes it with another algorithm."""
        headers = {"kid": self.key.kid}
        return jwt.encode(self.claims(), key or self.key.private_key, algorithm, headers=headers)

    def hmac_with_public_key(self) -> str:
        """HS256 with the published key as the secret (RFC 8725, 2.1)."""
        pem = self.key.private_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        # PyJWT refuses such a secret, so the signature is made here.
        signed = self.unsigned({"alg": "HS256", "kid": self.key.kid}, self.claims())
        signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
            signed.encode(), pem
        )
        return f"{signed}.{self.part(signature)}"

    def unsigned(self, header: Any, claims: Any) -> str:
        """The part of a token that is signed."""
        return f"{self.json_part(header)}.{self.json_part(claims)}"

    def json_part(self, value: Any) -> str:
        """JSON in base64url."""
        return self.part(json.dumps(value).encode())

    def _signed(self, signed: str, key: rsa.RSAPrivateKey) -> str:
        signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{self.part(signature)}"

    @staticmethod
    def part(raw: bytes) -> str:
        """Bytes in base64url."""
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
