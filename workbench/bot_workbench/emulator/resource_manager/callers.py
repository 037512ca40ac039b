"""ArmCallers: who calls, by the bearer token that Entra signed for Resource Manager."""

from collections.abc import Mapping, Sequence
from typing import Any

import jwt

from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import issuer_of
from bot_workbench.emulator.resource_manager.access import ArmCaller
from bot_workbench.emulator.resource_manager.errors import ArmError, error

AUDIENCES = (
    "https://management.core.windows.net/",
    "https://management.core.windows.net",
    "https://management.azure.com/",
    "https://management.azure.com",
)
"""The `aud` claims of tokens for Resource Manager of the public cloud."""


class ArmCallers:
    """Verifies bearer tokens.

    Args:
        entra: signs them.
        tenant_id: GUID of the tenant that the subscriptions trust.
        audiences: the `aud` claims of its tokens.
    """

    def __init__(self, entra: Entra, tenant_id: str, audiences: Sequence[str] = AUDIENCES) -> None:
        self._entra = entra
        self._tenant_id = tenant_id
        self._audiences = audiences

    def caller(self, headers: Mapping[str, str]) -> ArmCaller:
        """Who sent a request with these headers.

        Raises:
            ArmError: 401, the token is missing or not valid here.
        """
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise self._unauthenticated("AuthenticationFailed")
        claims = self._verified(token.strip())
        object_id = str(claims.get("oid", ""))
        if not object_id:
            raise self._unauthenticated("InvalidAuthenticationToken: object id")
        name = claims.get("upn") or claims.get("appid") or claims.get("azp") or object_id
        return ArmCaller(object_id, str(name))

    def _verified(self, token: str) -> dict[str, Any]:
        try:
            unverified = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError as invalid:
            raise self._unauthenticated("InvalidAuthenticationToken") from invalid
        audience, issuer = str(unverified.get("aud")), unverified.get("iss")
        if audience not in self._audiences:
            allowed = ",".join(f"'{each}'" for each in self._audiences)
            raise self._unauthenticated(
                "InvalidAuthenticationTokenAudience", audience=audience, allowed=allowed
            )
        own = issuer_of(self._tenant_id)
        if issuer != own:
            raise self._unauthenticated("InvalidAuthenticationTokenTenant", issuer=issuer, own=own)
        try:
            return self._entra.issuer.verify(token, audience, issuer)
        except jwt.ExpiredSignatureError as expired:
            raise self._unauthenticated("ExpiredAuthenticationToken") from expired
        except jwt.InvalidTokenError as invalid:
            raise self._unauthenticated("InvalidAuthenticationToken: signature") from invalid

    def _unauthenticated(self, key: str, **values: object) -> ArmError:
        """A 401 of the table of errors, with its challenge."""
        refusal = error(key, **values)
        refusal.headers["WWW-Authenticate"] = (
            f'Bearer authorization_uri="https://login.windows.net/{self._tenant_id}", '
            f'error="invalid_token", error_description="{refusal}"'
        )
        return refusal
