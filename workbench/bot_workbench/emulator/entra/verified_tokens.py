"""VerifiedTokens: the app that a bearer token was issued to, verified as the connector does."""

import hashlib
import time
from collections.abc import Callable

from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer

MAX_REMEMBERED = 1000


class VerifiedTokens:
    """Verifies each distinct token once and remembers the result until the token expires.

    Only the SHA-256 of a token is stored. The results are dropped when the authority's keys or the
    expected issuer change.

    Args:
        authority: Entra, which must have signed the token.
        registration: the bot's; its sign-in tenant gives the expected issuer.
        audience: the expected `aud`.
        max_remembered: results stored at the same time.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        authority: TokenIssuer,
        registration: Registration,
        audience: str,
        max_remembered: int = MAX_REMEMBERED,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._authority = authority
        self._registration = registration
        self._audience = audience
        self._max_remembered = max_remembered
        self._clock = clock
        self._apps: dict[bytes, tuple[str, float]] = {}
        self._verified_against: tuple[str, ...] = ()

    def app_id(self, token: str) -> str:
        """The token's `appid` claim (GUID), empty when it has none.

        Raises:
            jwt.InvalidTokenError: the token is not valid.
        """
        self._drop_outdated()
        digest = hashlib.sha256(token.encode()).digest()
        app_id, expires_at = self._apps.get(digest, ("", 0.0))
        if expires_at > self._clock():
            return app_id
        claims = self._authority.verify(
            token, audience=self._audience, issuer=self._registration.token_issuer
        )
        app_id = str(claims.get("appid", ""))
        if len(self._apps) >= self._max_remembered:
            self._apps.clear()
        self._apps[digest] = (app_id, float(claims["exp"]))
        return app_id

    def _drop_outdated(self) -> None:
        keys = (key.kid for key in self._authority.keys)
        current = (self._registration.token_issuer, *keys)
        if current != self._verified_against:
            self._verified_against = current
            self._apps.clear()
