"""Callers: who sends a request to Graph, and what the caller may do."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jwt

from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import Registration, issuer_of
from bot_workbench.emulator.graph.errors import GraphError, bad_token, denied

AUDIENCES = frozenset(
    {
        "https://graph.microsoft.com",
        "https://graph.microsoft.com/",
        "00000003-0000-0000-c000-000000000000",
    }
)
"""The `aud` claims of tokens for Graph in the public cloud."""

WRITE_ALL = "Application.ReadWrite.All"
WRITE_OWNED = "Application.ReadWrite.OwnedBy"
READ_REPORTS = "AuditLog.Read.All"
READERS = frozenset(
    {
        "Application.Read.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
        WRITE_ALL,
        WRITE_OWNED,
    }
)
"""App roles, each of which lets a principal read applications (permissions reference)."""


class Caller(NamedTuple):
    """Who sends a request.

    Attributes:
        object_id: GUID of the user or service principal.
        app_id: GUID of the client.
        is_user: whether the token is a user's.
        roles: app roles; a user has all of them.
    """

    object_id: str
    app_id: str
    is_user: bool
    roles: frozenset[str]

    def has(self, role: str) -> bool:
        """Whether the caller has an app role."""
        return self.is_user or role in self.roles

    def check_read(self) -> None:
        """Pass when the caller may read the directory.

        Raises:
            GraphError: it may not.
        """
        if not self.is_user and not self.roles & READERS:
            raise denied()

    def check_create(self) -> None:
        """Pass when the caller may create applications.

        Raises:
            GraphError: it may not.
        """
        if not self.has(WRITE_ALL) and not self.has(WRITE_OWNED):
            raise denied()

    def check_write(self, registration: Registration | None) -> None:
        """Pass when the caller may change an application, or its service principal.

        Args:
            registration: the application; None: a managed identity, which nobody owns.

        Raises:
            GraphError: it may not.
        """
        if self.has(WRITE_ALL):
            return
        owners = registration.owners if registration else ()
        if not self.has(WRITE_OWNED) or self.object_id not in owners:
            raise denied()

    def check_reports(self) -> None:
        """Pass when the caller may read reports of sign-ins.

        Raises:
            GraphError: it may not.
        """
        if not self.has(READ_REPORTS):
            raise GraphError(
                403,
                "Authentication_MSGraphPermissionMissing",
                f"Calling principal does not have required MSGraph permissions {READ_REPORTS}",
            )


def caller_of(
    authorization: str, entra: Entra, app_roles: Mapping[str, frozenset[str] | set[str]]
) -> Caller:
    """The caller that a bearer token was issued to.

    Args:
        authorization: the header.
        entra: must have signed the token.
        app_roles: the app roles of service principals, by object id (GUID).

    Raises:
        GraphError: the token is missing or not valid for Graph.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise bad_token("Access token is empty.")
    claims = _claims(token, entra)
    object_id = str(claims["oid"])
    return Caller(
        object_id,
        str(claims.get("appid", "")),
        claims.get("idtyp") == "user",
        frozenset(app_roles.get(object_id, ())),
    )


def _claims(token: str, entra: Entra) -> dict[str, Any]:
    try:
        return entra.issuer.verify(token, AUDIENCES, issuer_of(entra.directory.tenant_id))
    except jwt.InvalidAudienceError as error:
        raise bad_token("Access token validation failure. Invalid audience.") from error
    except jwt.ExpiredSignatureError as error:
        raise bad_token("Lifetime validation failed, the token is expired.") from error
    except jwt.InvalidTokenError as error:
        raise bad_token("Access token validation failure.") from error
