"""ArmClient: Azure Resource Manager. Microsoft reference: "Azure REST API"."""

import re
from collections.abc import Callable

from azure.core.rest import HttpResponse

from bot_workbench.admin.azure.errors import AnswerLost, Refused
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.rest_client import RestClient, error_of, json_of

BOT = "Microsoft.BotService/botServices"
SITE = "Microsoft.Web/sites"
VAULT = "Microsoft.KeyVault/vaults"
IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
STORAGE = "Microsoft.Storage/storageAccounts"
INSIGHTS = "Microsoft.Insights/components"

API_VERSIONS = {
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.BotService": "2022-09-15",
    "Microsoft.CognitiveServices": "2025-06-01",
    "Microsoft.Insights": "2020-02-02",
    "Microsoft.KeyVault": "2023-07-01",
    "Microsoft.ManagedIdentity": "2023-01-31",
    "Microsoft.OperationalInsights": "2025-02-01",
    "Microsoft.Storage": "2025-08-01",
    "Microsoft.Web": "2024-11-01",
    "": "2021-04-01",
}
"""The api-version of each resource provider; "": of resources in general."""

_VERSIONS = {provider.lower(): version for provider, version in API_VERSIONS.items()}
"""The same by lower-cased name: Azure writes resource ids in more than one case."""

MAX_OPERATION_SECONDS = 900.0
DEFAULT_POLL_SECONDS = 2.0
MIN_POLL_SECONDS = 1.0
MAX_POLL_SECONDS = 30.0

_PROVIDER = re.compile(r"/providers/([^/?]+)/")
_FAILED = {"failed", "canceled", "cancelled"}
_ENDED = {"succeeded", *_FAILED}
"""The states in which an Azure-AsyncOperation has ended; any other means that it runs. What a
Location returns is the result, whose own `status` says nothing about the operation."""


class ArmClient(RestClient):
    """Azure Resource Manager."""

    def url(self, path: str) -> str:
        """The absolute URL of a resource id or a path below it, with its provider's api-version."""
        url = super().url(path)
        if "api-version=" in url:
            return url
        provider = [name.lower() for name in ("", *_PROVIDER.findall(url))][-1]
        version = _VERSIONS.get(provider, API_VERSIONS[""])
        return f"{url}{'&' if '?' in url else '?'}api-version={version}"

    def send(self, method: str, path: str, body: JsonObject | None = None) -> JsonObject:
        """Write; a long-running operation is followed to its end.

        Raises:
            AzureProblem: it was refused or failed, or what became of it is not known.
        """
        response = self.exchange(method, path, body, None)
        if operation := response.headers.get("Azure-AsyncOperation"):
            return self._follow(operation, response, self._has_ended)
        location = response.headers.get("Location")
        if location and _is_accepted(response):
            return self._follow(location, response, lambda result: not _is_accepted(result))
        return json_of(response)

    def _follow(
        self, url: str, response: HttpResponse, is_last: Callable[[HttpResponse], bool]
    ) -> JsonObject:
        """Poll a long-running operation. Microsoft reference: "Track asynchronous operations"."""
        clock = self._deadline.clock
        end = min(clock.now() + MAX_OPERATION_SECONDS, self._deadline.at)
        while clock.now() < end:
            clock.sleep(_seconds(response.headers.get("Retry-After")))
            response = self.exchange("GET", url, None, None)
            if is_last(response):
                return json_of(response)
        raise AnswerLost(f"{self._service}: the operation is still running")

    def _has_ended(self, operation: HttpResponse) -> bool:
        """Whether the answer of an Azure-AsyncOperation is the last one.

        Raises:
            Refused: the operation failed.
        """
        status = str(json_of(operation).get("status") or "").lower()
        if status in _FAILED:
            code, message = error_of(operation)
            raise Refused(f"{self._service}: the operation {status}: {message}", 0, code)
        return status in _ENDED or (not status and not _is_accepted(operation))


def _is_accepted(response: HttpResponse) -> bool:
    """Whether the service has yet to do what it was asked for."""
    return response.status_code == 202


def _seconds(retry_after: str | None) -> float:
    try:
        asked = float(retry_after or DEFAULT_POLL_SECONDS)
    except ValueError:
        return DEFAULT_POLL_SECONDS
    return max(MIN_POLL_SECONDS, min(asked, MAX_POLL_SECONDS))
