"""Caller: the account that is signed in, as the token for Azure Resource Manager names it."""

from dataclasses import dataclass

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError

from bot_workbench.admin.azure.errors import NotSignedIn
from bot_workbench.admin.azure.http.claims import claims_of
from bot_workbench.admin.azure.http.sign_in import cure


@dataclass(frozen=True)
class Caller:
    """Who runs the command.

    Attributes:
        object_id: GUID of the user or the service principal.
        tenant_id: GUID of the tenant.
        is_user: whether it is a user: no pipeline's service principal.
    """

    object_id: str
    tenant_id: str
    is_user: bool


def caller(credential: TokenCredential, audience: str) -> Caller:
    """Who the credential signs in.

    Args:
        credential: has tokens.
        audience: the resource (URL) for which one is requested.

    Raises:
        NotSignedIn: it has no token.
    """
    try:
        token = credential.get_token(f"{audience}/.default").token
    except AzureError as error:
        raise NotSignedIn(cure(error)) from error
    claims = claims_of(token)
    return Caller(
        object_id=str(claims.get("oid", "")),
        tenant_id=str(claims.get("tid", "")),
        is_user=claims.get("idtyp") != "app" and "scp" in claims,
    )
