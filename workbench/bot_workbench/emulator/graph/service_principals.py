"""ServicePrincipals: those of the directory, as Graph shows and changes them, and its user."""

from typing import Any

from bot_workbench.emulator.entra.directory import (
    APPLICATION,
    Directory,
    DirectoryUser,
    ServicePrincipal,
)
from bot_workbench.emulator.graph.errors import GraphError, bad_request, denied, not_found
from bot_workbench.emulator.graph.replica import Replica

JsonObject = dict[str, Any]


class ServicePrincipals:
    """Reads and changes them, and makes those of applications.

    Args:
        directory: the service principals.
        replica: what is shown.
    """

    def __init__(self, directory: Directory, replica: Replica) -> None:
        self._directory = directory
        self._replica = replica

    def all(self) -> list[JsonObject]:
        """Every service principal that is shown."""
        found = (self._shown(each) for each in self._directory.service_principals())
        return [each for each in found if each is not None]

    def get(self, object_id: str) -> JsonObject:
        """One of them.

        Args:
            object_id: GUID.

        Raises:
            GraphError: it is not shown.
        """
        found = self._directory.service_principal(object_id)
        shown = self._shown(found) if found else None
        if shown is None:
            raise not_found(object_id)
        return shown

    def create(self, body: JsonObject) -> JsonObject:
        """Make the service principal of an application.

        Args:
            body: of the request, with `appId`.

        Raises:
            GraphError: there is no such application, or it has one.
        """
        app_id = str(body.get("appId"))
        registration = self._directory.find(app_id)
        if registration is None:
            raise bad_request(
                f"The appId '{app_id}' of the service principal does not reference a valid "
                "application object."
            )
        if registration.service_principal_id:
            raise GraphError(
                409,
                "Request_MultipleObjectsWithSameKeyValue",
                "The service principal cannot be created, updated, or restored because the "
                f"service principal name {app_id} is already in use.",
            )
        made = self._directory.add_service_principal(registration)
        self._replica.remember(made.object_id, None)
        return self._json(made)

    def update(self, shown: JsonObject, body: JsonObject) -> None:
        """Change what the directory has of a service principal.

        Args:
            shown: it, as a GET shows it.
            body: of the request; what it has beside that must be as it is.

        Raises:
            GraphError: 400, a property cannot be changed here.
        """
        lists = {
            "accountEnabled": (self._directory.disabled, False),
            "appRoleAssignmentRequired": (self._directory.assignment_required, True),
        }
        for name, value in body.items():
            if name in lists and isinstance(value, bool):
                continue
            if name not in shown or shown[name] != value:
                raise bad_request(f"This stand-in cannot set the property '{name}'.")
        object_id = shown["id"]
        self._replica.remember(object_id, shown)
        for name, (listed, value_there) in lists.items():
            if name in body:
                change = listed.add if body[name] is value_there else listed.discard
                change(object_id)

    def delete(self, shown: JsonObject) -> None:
        """Remove the service principal of an application.

        Args:
            shown: it, as a GET shows it.

        Raises:
            GraphError: 403, it is a managed identity's, which goes with the identity.
        """
        registration = self._directory.find(shown["appId"])
        if registration is None or registration.service_principal_id != shown["id"]:
            raise denied()
        self._replica.remember(shown["id"], shown)
        registration.service_principal_id = ""

    def _shown(self, principal: ServicePrincipal) -> JsonObject | None:
        return self._replica.shown(principal.object_id, self._json(principal))

    def _json(self, principal: ServicePrincipal) -> JsonObject:
        registration = self._directory.find(principal.app_id)
        is_application = principal.kind == APPLICATION
        uris = registration.identifier_uris if registration and is_application else []
        owner = self._directory.tenant_id if is_application else None
        required = principal.object_id in self._directory.assignment_required
        resource = [f"isExplicit={principal.resource_id != ''}", principal.resource_id]
        return {
            "id": principal.object_id,
            "deletedDateTime": None,
            "accountEnabled": principal.object_id not in self._directory.disabled,
            "alternativeNames": [] if is_application else [name for name in resource if name],
            "appDisplayName": principal.display_name if is_application else None,
            "appId": principal.app_id,
            "appOwnerOrganizationId": owner,
            "appRoleAssignmentRequired": required,
            "displayName": principal.display_name,
            "keyCredentials": [],
            "passwordCredentials": [],
            "servicePrincipalNames": [principal.app_id, *uris],
            "servicePrincipalType": principal.kind,
            "tags": [],
        }


def user_json(user: DirectoryUser) -> JsonObject:
    """A user, with the properties that Graph returns by default."""
    return {
        "businessPhones": [],
        "displayName": "Administrator",
        "givenName": None,
        "jobTitle": None,
        "mail": None,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": None,
        "userPrincipalName": user.name,
        "id": user.object_id,
    }
