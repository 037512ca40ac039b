"""KeptTokens: one token for each audience, however many clients ask for it."""

import time
from typing import Any

from azure.core.credentials import AccessToken, TokenCredential

from bot_workbench.admin.azure.http.claims import claims_of

MIN_SECONDS = 60
"""The time for which a token must still be valid to be given out again."""


class KeptTokens:
    """Keeps the tokens of a credential while the process runs, and never on disk.

    The command lines behind azure-identity's credentials take seconds for each token.

    Args:
        credential: has the tokens.
    """

    def __init__(self, credential: TokenCredential) -> None:
        self._credential = credential
        self._kept: dict[tuple[str, ...], AccessToken] = {}

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: Any,
    ) -> AccessToken:
        """A token for the scopes; a new one if the service asks for further claims.

        Raises:
            ClientAuthenticationError: there is none.
        """
        kept = self._kept.get(scopes)
        if kept is not None and claims is None and _expires(kept) - time.time() > MIN_SECONDS:
            return kept
        found = self._credential.get_token(
            *scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae
        )
        self._kept[scopes] = found
        return found


def _expires(token: AccessToken) -> float:
    """Seconds since 1970, as the token itself says: azure-identity reads azd's time, which is UTC,
    as the machine's local time."""
    return float(claims_of(token.token).get("exp") or token.expires_on)
