"""AppIdentity: the user-assigned identity with which a Function App reads the vault or signs in."""

from dataclasses import dataclass

from admin.azure.json_object import JsonObject
from admin.migrate.step import Finding
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


class ChosenIdentity:
    """Which of the app's identities the bot uses.

    Args:
        target: has the app.
        name: of the identity; empty: the one that AZURE_CLIENT_ID names, or the only one.
    """

    title = "Identity of the app"

    def __init__(self, target: Target, name: str = "") -> None:
        self._target = target
        self._name = name

    def find(self) -> AppIdentity | None:
        """The identity; None if it is not clear which one, or there is none.

        Raises:
            AzureProblem: the app cannot be read.
        """
        found = identities_of(self._target.site())
        if self._name:
            return next((one for one in found if one.name.lower() == self._name.lower()), None)
        if len(found) <= 1:
            return next(iter(found), None)
        client_id = self._target.settings().get("AZURE_CLIENT_ID", "").lower()
        return next((one for one in found if one.client_id.lower() == client_id), None)

    def look(self) -> Finding:
        """Read the app's identities.

        Raises:
            AzureProblem: the app cannot be read.
        """
        if identity := self.find():
            return Finding(f"the app uses the identity {identity.name} ({identity.client_id})")
        names = sorted(one.name for one in identities_of(self._target.site()))
        app = self._target.site_id
        if names and not self._name:
            return Finding(
                f"the app has the identities {', '.join(names)}",
                refusal=f"{app.name} has several identities: name one with --identity",
            )
        lacks = f"the identity {self._name}" if self._name else "a user-assigned identity"
        return Finding(
            f"the app has the identities {', '.join(names) or 'none'}",
            refusal=f"{app.name} lacks {lacks}: create one (`az identity create --resource-group"
            f" {app.resource_group} --name {self._name or app.name}`), and assign it to this app"
            f" alone (`az functionapp identity assign --resource-group {app.resource_group}"
            f" --name {app.name} --identities` with its resource id)",
        )

    def principal_id(self) -> str:
        """Its principal id (GUID); a shell variable while it is not known."""
        identity = self.find()
        return identity.principal_id if identity else "$IDENTITY_PRINCIPAL_ID"

    def client_id(self) -> str:
        """Its client id (GUID); a shell variable while it is not known."""
        identity = self.find()
        return identity.client_id if identity else "$IDENTITY_CLIENT_ID"
