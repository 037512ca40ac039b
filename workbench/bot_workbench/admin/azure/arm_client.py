"""ArmClient: Azure Resource Manager. Microsoft reference: "Azure REST API"."""

import re
from http import HTTPStatus

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
        response = self.exchange(method, path, body)
        operation = response.headers.get("Azure-AsyncOperation")
        is_accepted = response.status_code == HTTPStatus.ACCEPTED
        url = operation or (response.headers.get("Location") if is_accepted else None)
        if not url:
            return json_of(response)
        clock = self._deadline.clock
        end = min(clock.now() + MAX_OPERATION_SECONDS, self._deadline.at)
        while clock.now() < end:
            clock.sleep(_seconds(response.headers.get("Retry-After")))
            response = self.exchange("GET", url)
            if self._has_ended(response, is_result=not operation):
                return json_of(response)
        raise AnswerLost(f"{self._service}: the operation is still running")

    def _has_ended(self, response: HttpResponse, *, is_result: bool) -> bool:
        """Whether a long-running operation has ended. Microsoft reference: "Track asynchronous
        operations".

        Args:
            response: what is known of it now.
            is_result: whether that is what a Location returns, and no Azure-AsyncOperation.

        Raises:
            Refused: it failed.
        """
        status = "" if is_result else str(json_of(response).get("status") or "").lower()
        if status in _FAILED:
            code, message = error_of(response)
            raise Refused(f"{self._service}: the operation {status}: {message}", 0, code)
        is_accepted = response.status_code == HTTPStatus.ACCEPTED
        return status in _ENDED or (not status and not is_accepted)


def _seconds(retry_after: str | None) -> float:
    try:
        asked = float(retry_after or DEFAULT_POLL_SECONDS)
    except ValueError:
        return DEFAULT_POLL_SECONDS
    return max(MIN_POLL_SECONDS, min(asked, MAX_POLL_SECONDS))
