"""ArmCallers: who calls, by the bearer token that Entra signed for Resource Manager."""

from collections.abc import Mapping, Sequence
from typing import Any

import jwt

from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import issuer_of
from bot_workbench.emulator.resource_manager.core.arm_error import ArmError
from bot_workbench.emulator.resource_manager.core.arm_request import ArmCaller

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
            raise self._unauthenticated(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
            )
        claims = self._verified(token.strip())
        object_id = str(claims.get("oid", ""))
        if not object_id:
            raise self._unauthenticated(
                "InvalidAuthenticationToken",
                "The received access token is not valid: at least one of the claims 'puid' or "
                "'altsecid' or 'oid' should be present.",
            )
        name = claims.get("upn") or claims.get("appid") or claims.get("azp") or object_id
        return ArmCaller(object_id, str(name))

    def _verified(self, token: str) -> dict[str, Any]:
        try:
            unverified = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError as error:
            raise self._unauthenticated(
                "InvalidAuthenticationToken", "The access token is invalid."
            ) from error
        audience, issuer = str(unverified.get("aud")), unverified.get("iss")
        if audience not in self._audiences:
            allowed = ",".join(f"'{each}'" for each in self._audiences)
            raise self._unauthenticated(
                "InvalidAuthenticationTokenAudience",
                "The access token has been obtained for wrong audience or resource "
                f"'{audience}'. It should exactly match with one of the allowed audiences "
                f"{allowed}.",
            )
        own = issuer_of(self._tenant_id)
        if issuer != own:
            raise self._unauthenticated(
                "InvalidAuthenticationTokenTenant",
                f"The access token is from the wrong issuer '{issuer}'. It must match the tenant "
                f"'{own}' associated with this subscription.",
            )
        try:
            return self._entra.issuer.verify(token, audience, issuer)
        except jwt.ExpiredSignatureError as error:
            raise self._unauthenticated(
                "ExpiredAuthenticationToken", "The access token is expired."
            ) from error
        except jwt.InvalidTokenError as error:
            raise self._unauthenticated(
                "InvalidAuthenticationToken",
                "The access token is invalid: its signature could not be verified.",
            ) from error

    def _unauthenticated(self, code: str, message: str) -> ArmError:
        authority = f"https://login.windows.net/{self._tenant_id}"
        challenge = (
            f'Bearer authorization_uri="{authority}", error="invalid_token", '
            f'error_description="{message}"'
        )
        return ArmError(401, code, message, headers={"WWW-Authenticate": challenge})
