"""VerifiedTokens: which app a bearer token speaks for, checked as the connector checks it."""

import hashlib
import time

from emulator.entra.registration import Registration
from emulator.entra.token_issuer import TokenIssuer

MOST_REMEMBERED = 1000


class VerifiedTokens:
    """Verifies each distinct token once and remembers the outcome until the token expires.

    The tokens themselves are not kept, only their SHA-256. What is remembered is dropped when the
    authority's keys or the expected issuer change.

    Args:
        authority: Entra, whose signature is demanded.
        registration: the bot; its sign-in tenant gives the expected issuer.
        audience: the `aud` that is demanded.
    """

    def __init__(self, authority: TokenIssuer, registration: Registration, audience: str) -> None:
        self._authority = authority
        self._registration = registration
        self._audience = audience
        self._apps: dict[bytes, tuple[str, float]] = {}
        self._basis: tuple[str, ...] = ()

    def app_id(self, token: str) -> str:
        """The token's `appid` claim (GUID), empty when it has none.

        Raises:
            jwt.InvalidTokenError: the token is not valid.
        """
        self._forget_if_basis_changed()
        digest = hashlib.sha256(token.encode()).digest()
        app_id, expires_at = self._apps.get(digest, ("", 0.0))
        if expires_at > time.time():
            return app_id
        claims = self._authority.verify(
            token, audience=self._audience, issuer=self._registration.token_issuer
        )
        app_id = str(claims.get("appid", ""))
        if len(self._apps) >= MOST_REMEMBERED:
            self._apps.clear()
        self._apps[digest] = (app_id, float(claims["exp"]))
        return app_id

    def _forget_if_basis_changed(self) -> None:
        keys = (key.kid for key in self._authority.keys)
        basis = (self._registration.token_issuer, *keys)
        if basis != self._basis:
            self._basis = basis
            self._apps.clear()
