"""UserSignIns: the device code flow and refresh tokens, by which `az login` signs a user in."""

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from bot_workbench.emulator.certificates import base64url
from bot_workbench.emulator.entra.authority import Authority
from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.errors import EntraError
from bot_workbench.emulator.entra.resources import check_resource
from bot_workbench.emulator.entra.sign_in.token_request import DEFAULT_SCOPE, parameter
from bot_workbench.emulator.entra.token_issuer import TokenIssuer

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
REFRESH_TOKEN = "refresh_token"  # noqa: S105  # a grant type
GRANT_TYPES = (DEVICE_CODE, REFRESH_TOKEN)

CODE_SECONDS = 900

UserToken = Callable[[str, str], str]
"""Signs an access token of the directory's user, for a resource (URL) and a client (GUID)."""


class UserSignIns:
    """Signs in the directory's one user, who needs no password and enters every code at once.

    Args:
        directory: has the user.
        issuer: signs the id tokens.
        authority: names the issuer.
        token: signs the access tokens.
    """

    def __init__(
        self, directory: Directory, issuer: TokenIssuer, authority: Authority, token: UserToken
    ) -> None:
        self._directory = directory
        self._issuer = issuer
        self._authority = authority
        self._token = token
        self._device_codes: dict[str, tuple[str, str]] = {}
        self._refresh_tokens: dict[str, str] = {}

    def start(self, form: Mapping[str, Any]) -> Mapping[str, object]:
        """The answer of the device authorization endpoint (RFC 8628, section 3.2).

        Raises:
            EntraError: a parameter is missing.
        """
        code = secrets.token_urlsafe(32)
        self._device_codes[code] = parameter(form, "client_id"), parameter(form, "scope")
        return {
            "device_code": code,
            "user_code": "LOCAL0000",
            "verification_uri": f"{self._authority.url}/device",
            "expires_in": CODE_SECONDS,
            "interval": 1,
            "message": "The local cloud signs its user in without a code.",
        }

    def grant(self, form: Mapping[str, Any], lifetime: int) -> Mapping[str, object]:
        """The answer of the token endpoint to one of GRANT_TYPES.

        Args:
            form: the body.
            lifetime: seconds until an access token expires.

        Raises:
            EntraError: the code or refresh token is not the client's, a parameter is missing, or
                the tenant does not know the resource.
        """
        client_id = parameter(form, "client_id")
        resource, scope = _asked(self._scope(form, client_id))
        check_resource(resource, self._directory.tenant_id)
        refresh_token = secrets.token_urlsafe(32)
        self._refresh_tokens[refresh_token] = client_id
        who = {"uid": self._directory.user.object_id, "utid": self._directory.tenant_id}
        return {
            "token_type": "Bearer",
            "scope": scope,
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": self._token(resource, client_id),
            "refresh_token": refresh_token,
            "id_token": self._id_token(client_id),
            "client_info": base64url(json.dumps(who).encode()),
        }

    def _scope(self, form: Mapping[str, Any], client_id: str) -> str:
        """The scopes that the client asks for now, or that it gave when it asked for the code."""
        if form.get("grant_type") == REFRESH_TOKEN:
            owner = self._refresh_tokens.get(parameter(form, REFRESH_TOKEN))
            scope = parameter(form, "scope")
        else:
            code = parameter(form, "device_code")
            owner, scope = self._device_codes.pop(code, ("", ""))
        if owner != client_id:
            raise EntraError(
                70000, "invalid_grant", "Provided grant is invalid, expired or of another client."
            )
        return scope

    def _id_token(self, client_id: str) -> str:
        user, tenant_id = self._directory.user, self._directory.tenant_id
        claims = {
            "aud": client_id,
            "iss": self._authority.issuer(tenant_id),
            "name": user.name,
            "oid": user.object_id,
            "preferred_username": user.name,
            "sub": user.object_id,
            "tid": tenant_id,
            "ver": "2.0",
        }
        return self._issuer.sign(claims)


def _asked(scope: str) -> tuple[str, str]:
    """The resource that a user's scopes name, and what is granted of it."""
    wanted = [each for each in scope.split() if "://" in each]
    if len(wanted) != 1:
        raise EntraError(
            70011, "invalid_scope", f"The provided value for scope {scope} is not valid."
        )
    resource, _, permission = wanted[0].rpartition("/")
    granted = "user_impersonation" if f"/{permission}" == DEFAULT_SCOPE else permission
    return resource, f"{resource}/{granted} {wanted[0]}"
