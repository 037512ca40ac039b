"""GraphClient: Microsoft Graph v1.0. Microsoft reference: "application resource type"."""

from admin.azure.http.rest_client import RestClient
from admin.azure.json_object import JsonObject

APPLICATION_FIELDS = "id,appId,displayName,signInAudience,keyCredentials,passwordCredentials"


class GraphClient(RestClient):
    """Microsoft Graph."""

    def url(self, path: str) -> str:
        """The absolute URL of a path below v1.0: "/applications/{id}"."""
        return path if "://" in path.partition("?")[0] else super().url(f"/v1.0{path}")

    def beta_url(self, path: str) -> str:
        """The absolute URL of a path below beta: reports that v1.0 does not have."""
        return super().url(f"/beta{path}")

    def application(self, app_id: str) -> JsonObject | None:
        """The app registration with all its credentials; None if the directory has none.

        The `key` of a certificate is present, because it is selected on one object.

        Args:
            app_id: the bot's id (GUID).

        Raises:
            AzureProblem: the directory cannot be read.
        """
        return self.find(f"/applications(appId='{app_id}')?$select={APPLICATION_FIELDS}")

    def federated_credentials(self, object_id: str) -> list[JsonObject]:
        """The federated credentials of an app registration.

        Args:
            object_id: the registration's `id` (GUID), not its app id.

        Raises:
            AzureProblem: they cannot be read.
        """
        return list(self.pages(f"/applications/{object_id}/federatedIdentityCredentials"))

    def service_principal(self, app_id: str) -> JsonObject | None:
        """The service principal of an app or a managed identity; None if there is none.

        Args:
            app_id: the app's or the identity's client id (GUID).

        Raises:
            AzureProblem: the directory cannot be read.
        """
        return self.find(f"/servicePrincipals(appId='{app_id}')?$select=id,appId,displayName")
