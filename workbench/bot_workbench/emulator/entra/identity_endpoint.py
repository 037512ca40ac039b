"""IdentityEndpoint: tokens of a Functions app's managed identities, as App Service issues them."""

import hmac
import secrets
import uuid
from collections.abc import Mapping

from aiohttp import web

from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.errors import EntraError
from bot_workbench.emulator.entra.resources import check_resource
from bot_workbench.emulator.server import Server

API_VERSION = "2019-08-01"
SYSTEM = "system"
"""Key of the system-assigned identity, which is used when a request names none."""
OTHER_NAMES = ("mi_res_id", "object_id", "principal_id")
"""Query parameters by which App Service finds an assigned identity too."""


class IdentityEndpoint:
    """Issues tokens of one app's managed identities to callers that send the app's secret.

    Follows App Service's REST reference for managed identities, version 2019-08-01.

    Args:
        entra: signs the tokens; its directory has the identities' ids in Azure.
        identities: those assigned to the app: principal ids (GUID) by client id (GUID), or by
            `system`.

    Attributes:
        identities: as given; may change at any time.
        secret: the value that `X-IDENTITY-HEADER` must have.
    """

    def __init__(self, entra: Entra, identities: Mapping[str, str]) -> None:
        self.entra = entra
        self.identities = dict(identities)
        self.secret = secrets.token_hex(16)
        self.server = Server("identity", [web.get("/msi/token", self._token)])

    def settings(self) -> dict[str, str]:
        """The app settings that App Service sets; known once the server listens."""
        return {
            "IDENTITY_ENDPOINT": f"{self.server.url}/msi/token",
            "IDENTITY_HEADER": self.secret,
        }

    async def _token(self, request: web.Request) -> web.Response:
        given = request.headers.get("X-IDENTITY-HEADER", "")
        if not hmac.compare_digest(given.encode(), self.secret.encode()):
            # The status is undocumented; the header refuses calls of other processes.
            return _refusal(403, "The X-IDENTITY-HEADER header is missing or wrong.")
        resource = request.query.get("resource", "")
        if request.query.get("api-version") != API_VERSION or not resource:
            return _refusal(400, f"The request needs resource and api-version={API_VERSION}.")
        client_id = self._requested(request)
        principal_id = self.identities.get(client_id)
        if principal_id is None:
            return _refusal(
                400,
                "No User Assigned or Delegated Managed Identity found for specified "
                "ClientId/ResourceId/PrincipalId.",
            )
        try:
            check_resource(resource, self.entra.directory.tenant_id)
        except EntraError:
            # Entra's reason is not passed on: a wrong resource looks like an outage.
            return _refusal(500, "An unexpected error occured while fetching the AAD Token.")
        return self._answer(resource, client_id, principal_id)

    def _requested(self, request: web.Request) -> str:
        """The client id of the identity that the request names; empty: it is not assigned."""
        given = [request.query[name] for name in OTHER_NAMES if name in request.query]
        if not given:
            return request.query.get("client_id", SYSTEM)
        if len(given) > 1 or "client_id" in request.query:
            return ""
        for client_id, principal_id in self.identities.items():
            known = self.entra.directory.identities.get(principal_id)
            resource_id = known.resource_id if known else ""
            if given[0].lower() in (principal_id.lower(), resource_id.lower()):
                return client_id
        return ""

    def _answer(self, resource: str, client_id: str, principal_id: str) -> web.Response:
        if client_id == SYSTEM:
            # Azure generates this id; here it only has to be stable.
            client_id = str(uuid.uuid5(uuid.NAMESPACE_OID, principal_id))
        token, expires_on = self.entra.app_token(
            resource, client_id, principal_id, tenant_id=self.entra.directory.tenant_id
        )
        return web.json_response(
            {
                "access_token": token,
                "expires_on": str(expires_on),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": client_id,
            }
        )


def _refusal(status: int, message: str) -> web.Response:
    body = {"statusCode": status, "message": message, "correlationId": str(uuid.uuid4())}
    return web.json_response(body, status=status)
