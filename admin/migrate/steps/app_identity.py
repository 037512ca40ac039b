"""AppIdentity: the user-assigned identity with which a Function App reads the vault or signs in."""

from dataclasses import dataclass

from admin.azure.json_object import JsonObject
from admin.migrate.setting_names import setting
from admin.migrate.target import Target


@dataclass(frozen=True)
class AppIdentity:
    """A user-assigned identity of an app.

    Attributes:
        id: resource id.
        principal_id: its object id in the directory (GUID): for roles and federated credentials.
        client_id: GUID, for the setting AZURE_CLIENT_ID.
    """

    id: str
    principal_id: str
    client_id: str

    @property
    def name(self) -> str:
        """The identity's name."""
        return self.id.rsplit("/", 1)[-1]


def identities_of(site: JsonObject) -> list[AppIdentity]:
    """The user-assigned identities of a site, as Resource Manager returns it."""
    assigned = (site.get("identity") or {}).get("userAssignedIdentities") or {}
    return [
        AppIdentity(key, str(each.get("principalId", "")), str(each.get("clientId", "")))
        for key, each in assigned.items()
    ]


def identity_in_use(target: Target) -> str:
    """The name of the app's identity that AZURE_CLIENT_ID names, or of its only one; else empty.

    Args:
        target: has the app.

    Raises:
        AzureProblem: the app cannot be read.
    """
    found = identities_of(target.site())
    if len(found) == 1:
        return found[0].name
    client_id = setting(target.settings(), "AZURE_CLIENT_ID").lower()
    return next((one.name for one in found if one.client_id.lower() == client_id), "")
