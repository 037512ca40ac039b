"""GraphClient: Microsoft Graph v1.0. Microsoft reference: "application resource type"."""

from urllib.parse import quote

from bot_workbench.admin.azure.http.rest_client import RestClient
from bot_workbench.admin.azure.json_object import JsonObject

APPLICATION_FIELDS = "id,appId,displayName,signInAudience,keyCredentials,passwordCredentials"


class GraphClient(RestClient):
    """Microsoft Graph."""

    def url(self, path: str) -> str:
        """The absolute URL of a path below v1.0: "/applications/{id}"."""
        return path if "://" in path.partition("?")[0] else super().url(f"/v1.0{path}")

    def application(self, app_id: str) -> JsonObject | None:
        """The app registration with all its credentials; None if the directory has none.

        The `key` of a certificate is present, because it is selected on one object.

        Args:
            app_id: the bot's id (GUID).

        Raises:
            AzureProblem: the directory cannot be read.
        """
        return self.find(f"/applications(appId='{app_id}')?$select={APPLICATION_FIELDS}")

    def tagged_applications(self, tag: str) -> list[JsonObject]:
        """The app registrations with a tag, the oldest first: id, appId, displayName.

        Args:
            tag: without a quote.

        Raises:
            AzureProblem: the directory cannot be read.
        """
        chosen = quote(f"tags/any(t:t eq '{tag}')")
        fields = "id,appId,displayName,createdDateTime"
        found = self.pages(f"/applications?$filter={chosen}&$select={fields}")
        return sorted(found, key=lambda each: (each.get("createdDateTime") or "", each["appId"]))

    def federated_credentials(self, object_id: str) -> list[JsonObject]:
        """The federated credentials of an app registration.

        Args:
            object_id: the registration's `id` (GUID), not its app id.

        Raises:
            AzureProblem: they cannot be read.
        """
        return list(self.pages(f"/applications/{object_id}/federatedIdentityCredentials"))

    def service_principal(self, app_id: str) -> JsonObject | None:
        """The service principal of an application or managed identity; None: the tenant has none.

        Args:
            app_id: its client id (GUID).

        Raises:
            AzureProblem: the directory cannot be read.
        """
        fields = "id,appId,accountEnabled,appRoleAssignmentRequired,servicePrincipalType"
        return self.find(f"/servicePrincipals(appId='{app_id}')?$select={fields}")

    def deleted_application(self, app_id: str) -> JsonObject | None:
        """An app registration that was deleted less than 30 days ago; None: it was not.

        Source: Microsoft Graph v1.0, "List deletedItems".

        Args:
            app_id: the bot's id (GUID).

        Raises:
            AzureProblem: the directory cannot be read.
        """
        path = "/directory/deletedItems/microsoft.graph.application?$select=id,appId,displayName"
        listed = self.pages(path)
        return next(
            (one for one in listed if str(one.get("appId")).lower() == app_id.lower()), None
        )

    def last_sign_ins(self, app_id: str) -> dict[str, str]:
        """When each credential of an app registration signed in last (ISO 8601), by its key id
        (lower-case GUID).

        The report is some hours late, and needs Entra ID P1 and the role Reports Reader. Source:
        Microsoft Graph beta, "List appCredentialSignInActivities".

        Args:
            app_id: the bot's id (GUID).

        Raises:
            AzureProblem: the report cannot be read.
        """
        chosen = quote(f"appId eq '{app_id}'")
        url = f"{self._base_url}/beta/reports/appCredentialSignInActivities?$filter={chosen}"
        found: dict[str, str] = {}
        for row in self.pages(url):
            when = (row.get("signInActivity") or {}).get("lastSignInDateTime")
            if when and str(row.get("appId")).lower() == app_id.lower():
                key_id = str(row.get("keyId")).lower()
                found[key_id] = max(str(when), found.get(key_id, ""))
        return found
