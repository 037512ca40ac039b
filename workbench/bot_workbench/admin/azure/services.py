"""The clients of Microsoft Graph, key vaults, Log Analytics and deployed bots.

Microsoft reference: "application resource type" (Graph v1.0), "Key Vault REST API" (7.4), "Logs
query API" (v1).
"""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from azure.core.rest import HttpResponse

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.errors import AzureProblem, NotFound, NotReachable, Refused
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.rest_client import RestClient, json_of

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


VAULT_API_VERSION = "7.4"


class VaultClient(RestClient):
    """All key vaults of the cloud; every URL names its vault, below the base URL's domain."""

    def url(self, path: str) -> str:
        """The absolute URL of a path in a vault, with the api-version.

        Raises:
            Refused: it is in no vault of the cloud: whoever writes an app's settings could choose
                another host, which must not get the token.
        """
        url = super().url(path)
        domain = urlsplit(self._base_url).hostname or ""
        # Not what a parser sees in the URL: another one, the transport's, may see another host.
        # ASCII: else letters that are not would count as the domain's, if only their case differs.
        is_vaults = rf"https://[0-9a-z-]+\.{re.escape(domain)}(:443)?/"
        if not re.match(is_vaults, url, re.ASCII | re.IGNORECASE):
            raise Refused(
                "the setting CertificateVaultUrl is not the URL of a key vault in this cloud: set"
                f" it to https://NAME.{domain}"
            )
        joint = "&" if urlsplit(url).query else "?"
        return url if "api-version=" in url else f"{url}{joint}api-version={VAULT_API_VERSION}"

    def certificate(self, vault_url: str, name: str, version: str = "") -> JsonObject | None:
        """A certificate's public part, attributes and policy; None if the vault has none.

        Args:
            vault_url: URL of the vault.
            name: the certificate's name.
            version: its version; empty: the newest.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        ending = f"/{version}" if version else ""
        return self.find(f"{vault_url.rstrip('/')}/certificates/{name}{ending}")

    def certificates(self, vault_url: str) -> list[JsonObject]:
        """The vault's certificates, each by its newest version: ids, dates, `x5t`.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        return list(self.pages(f"{vault_url.rstrip('/')}/certificates"))

    def is_deleted(self, vault_url: str, name: str) -> bool:
        """Whether a certificate of this name was deleted, and can be recovered.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        return bool(self.find(f"{vault_url.rstrip('/')}/deletedcertificates/{name}"))

    def versions(self, vault_url: str, name: str) -> list[JsonObject]:
        """The versions of a certificate, without their public keys: ids, dates, `x5t`.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        return list(self.pages(f"{vault_url.rstrip('/')}/certificates/{name}/versions"))


class LogsClient(RestClient):
    """The query API of Log Analytics. A query changes nothing."""

    def row(self, workspace: str, query: str, timespan: str) -> dict[str, Any]:
        """The first row of a query's result, by its columns; empty if there is none.

        Args:
            workspace: the workspace's `customerId` (GUID).
            query: in Kusto.
            timespan: ISO 8601 duration, such as "P1D": nothing older is looked at.

        Raises:
            AzureProblem: it cannot be asked, or its answer has another shape.
        """
        # In a body: with a query in it, a URL would be longer than many servers and proxies accept.
        body = {"query": query, "timespan": timespan}
        answer = json_of(self.exchange("POST", f"/v1/workspaces/{workspace}/query", body))
        try:
            table = answer["tables"][0]
            names = [str(column["name"]) for column in table["columns"]]
            rows = [dict(zip(names, row, strict=True)) for row in table["rows"]]
        except (LookupError, TypeError, ValueError) as error:
            raise NotReachable(f"{self._service}: the answer has no table") from error
        return rows[0] if rows else {}


IDENTITY_PATH = "/api/identity"

BUILT_IN_AZURE = "built in Azure"
"""A bot's answer in place of its package's hash, if it has none."""

NO_HASH = "code without a package's hash"
"""In place of the hash, if the bot does not answer with one."""

_SIGN_IN_PAGE = 302
AUTHENTICATED = "App Service's own authentication is in front of it"

_PROBLEMS = {
    _SIGN_IN_PAGE: f"{AUTHENTICATED}: exclude /api/* from it",
    401: "it refuses the function key: run the command again; if the app has App Service's own"
    " authentication, exclude /api/* from it",
    403: "Azure refuses the call: the app is stopped, or its network rules keep this machine out",
    404: "it has no /api/identity: deploy this project's code to it",
    503: "it cannot sign in yet, or it is starting; its log says why (docs/troubleshooting.md)",
}

TEAMS_RANGES = ("52.112.0.0/14", "52.122.0.0/15")
"""From where Teams of the public cloud calls bots (Microsoft reference: "Microsoft 365 URLs and IP
address ranges")."""

CHANNEL_ADDRESSES = (
    "the service tag AzureBotService, and the addresses of Teams (in the public cloud"
    f" {' and '.join(TEAMS_RANGES)})"
)
"""The addresses from which channels call a bot, for error messages."""

_BARRIERS = {
    _SIGN_IN_PAGE: f"{AUTHENTICATED}: exclude /api/messages from"
    " it, or switch it off (`az webapp auth update --enabled false`)",
    403: "the app is stopped, or its access restrictions refuse callers: admit"
    f" {CHANNEL_ADDRESSES}",
    404: "it has no /api/messages: deploy this project's code to it",
}
"""The barriers to the channels, by the status that a caller gets."""


@dataclass(frozen=True)
class IdentityAnswer:
    """A deployed bot's answer.

    Attributes:
        facts: the answer of `/api/identity`; empty if there is none.
        problem: why there are no facts, with what to do; empty if there are.
        status: the HTTP status; 0: the app was not reached.
    """

    facts: JsonObject = field(default_factory=dict)
    problem: str = ""
    status: int = 0

    @property
    def package(self) -> str:
        """The hash of the package that answers (SHA-256, hex), BUILT_IN_AZURE, or NO_HASH."""
        return str(self.facts.get("package") or NO_HASH)


class SiteClient(RestClient):
    """Function Apps, by their host names."""

    def identity(self, arm: ArmClient, site_id: str, host: str) -> IdentityAnswer:
        """Ask a bot who it is. Never raises: a step decides what a missing answer means.

        Args:
            arm: has the function's key.
            site_id: the Function App's resource id.
            host: its host name, without "https://".
        """
        path = f"{site_id}/functions/identity/listkeys"
        try:
            key = str(json_of(arm.exchange("POST", path)).get("default") or "")
        except NotFound:
            return IdentityAnswer(problem=f"{host}: {_PROBLEMS[404]}", status=404)
        except AzureProblem as error:
            return IdentityAnswer(problem=f"the function's key cannot be read: {error}")
        try:
            url = f"https://{host}{IDENTITY_PATH}"
            return _answer(host, self.respond("GET", url, None, {"x-functions-key": key}))
        except AzureProblem as error:
            return IdentityAnswer(problem=str(error))

    def probe(self, endpoint: str) -> int:
        """The HTTP status with which a messaging endpoint refuses an empty activity; 0: no answer.

        Args:
            endpoint: URL.
        """
        try:
            return self.respond("POST", endpoint, {}).status_code
        except (AzureProblem, ValueError):  # ValueError: a tag that is no URL
            return 0

    def barrier(self, endpoint: str) -> str:
        """The barrier between the channels and a messaging endpoint, and the cure; empty: nothing
        that this machine sees.

        App Service's authentication redirects to a sign-in page, or answers 401 with a realm, which
        no bot does (Microsoft reference: "Authentication and authorization in Azure App Service").

        Args:
            endpoint: URL.
        """
        try:
            response = self.respond("POST", endpoint, {})
        except AzureProblem:
            return ""
        has_realm = "realm=" in response.headers.get("WWW-Authenticate", "").lower()
        return _BARRIERS.get(_SIGN_IN_PAGE if has_realm else response.status_code, "")


def _answer(host: str, response: HttpResponse) -> IdentityAnswer:
    status, facts = response.status_code, json_of(response)
    if status == 200 and facts.get("appId"):
        return IdentityAnswer(facts, "", status)
    reason = _PROBLEMS.get(status if status != 200 else 404, f"it answers {status}")
    return IdentityAnswer({}, f"{host}: {reason}", status)
