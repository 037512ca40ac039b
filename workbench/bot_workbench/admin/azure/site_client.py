"""SiteClient: what a deployed bot says of itself, at its `/api/identity`."""

from dataclasses import dataclass, field

from azure.core.rest import HttpResponse

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.errors import AzureProblem, NotFound
from bot_workbench.admin.azure.http.rest_client import RestClient
from bot_workbench.admin.azure.http.translation import json_of
from bot_workbench.admin.azure.json_object import JsonObject

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
            key = str(json_of(arm.exchange("POST", path, None, None)).get("default") or "")
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
            return self.respond("POST", endpoint, {}, None).status_code
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
            response = self.respond("POST", endpoint, {}, None)
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
