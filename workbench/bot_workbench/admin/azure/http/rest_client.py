"""RestClient: requests to one service, with retries, a token, and errors in the project's words."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    CustomHookPolicy,
    HeadersPolicy,
    ProxyPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest, HttpResponse

from bot_workbench.admin.azure.errors import NotFound, NotReachable
from bot_workbench.admin.azure.http.deadline import Deadline
from bot_workbench.admin.azure.http.retries import (
    DEFAULT_LIMITS,
    DeadlineTransport,
    LookFirstRetryPolicy,
    RetryLimits,
)
from bot_workbench.admin.azure.http.translation import check, json_of, translated
from bot_workbench.admin.azure.json_object import JsonObject

USER_AGENT = "secretless-bot-migrate"


class RestClient:
    """Requests to one service.

    A read is repeated if no answer arrives. A write is repeated only if the service says that it
    has not done it (429, 503): after a lost answer, who sent it must look first.

    Args:
        base_url: URL of the service, before the path.
        service: its name, for errors.
        credential: has tokens for it; None: requests carry none.
        audience: the resource (URL) of the tokens; empty without a credential.
        deadline: when answers are due; its clock waits between attempts.
        request_id: `x-ms-client-request-id` of all requests, for Azure's support.
        limits: how often a request is repeated at most, and how long an answer may take.
        final: statuses that are an answer of this service, and not a fault.
    """

    def __init__(
        self,
        base_url: str,
        service: str,
        credential: TokenCredential | None,
        audience: str,
        deadline: Deadline,
        request_id: str,
        limits: RetryLimits = DEFAULT_LIMITS,
        final: frozenset[int] = frozenset(),
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._service = service
        self._deadline = deadline
        scope = f"{audience}/.default"
        token = [BearerTokenCredentialPolicy(credential, scope)] if credential else []
        policies: list[Any] = [
            HeadersPolicy({"x-ms-client-request-id": request_id, "client-request-id": request_id}),
            UserAgentPolicy(base_user_agent=USER_AGENT),
            ProxyPolicy(),
            LookFirstRetryPolicy(deadline, limits.retries, final),
            *token,
            CustomHookPolicy(),
        ]
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            self._base_url,
            policies=policies,
            transport=DeadlineTransport(deadline, limits.read_seconds),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def url(self, path: str) -> str:
        """The absolute URL of a path with its query; an absolute URL stays."""
        return path if "://" in path.partition("?")[0] else f"{self._base_url}{path}"

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> JsonObject:
        """Read one object.

        Args:
            path: after the base URL, with its query; or an absolute URL.
            headers: further headers.

        Raises:
            AzureProblem: it cannot be read.
        """
        response = self.exchange("GET", path, None, headers)
        found = json_of(response)
        if not found:
            host = urlsplit(self.url(path)).hostname
            raise NotReachable(
                f"{self._service} ({host}) answers {response.status_code} without a JSON object:"
                " is there a proxy or a sign-in page in between?"
            )
        return found

    def find(self, path: str) -> JsonObject | None:
        """Read one object; None if it does not exist.

        Raises:
            AzureProblem: it cannot be read, for another reason.
        """
        try:
            return self.get(path)
        except NotFound:
            return None

    def pages(self, path: str) -> Iterator[JsonObject]:
        """Read a list, page by page, object by object.

        Raises:
            AzureProblem: it cannot be read.
        """
        url = path
        while url:
            page = self.get(url)
            yield from page.get("value") or ()
            url = page.get("nextLink") or page.get("@odata.nextLink") or ""

    def send(self, method: str, path: str, body: JsonObject | None = None) -> JsonObject:
        """Write, and return the answer; an empty object for an empty answer.

        Raises:
            AzureProblem: it was refused, or what became of it is not known (AnswerLost).
        """
        return json_of(self.exchange(method, path, body, None))

    def exchange(
        self, method: str, path: str, body: JsonObject | None, headers: Mapping[str, str] | None
    ) -> HttpResponse:
        """Send one request, and return its successful response.

        Raises:
            AzureProblem: there is none.
        """
        response = self.respond(method, path, body, headers)
        check(response, self._service)
        return response

    def respond(
        self, method: str, path: str, body: JsonObject | None, headers: Mapping[str, str] | None
    ) -> HttpResponse:
        """Send one request, and return its response, whatever its status.

        Raises:
            NotSignedIn: there is no token.
            NotReachable: there is no response.
        """
        content = None if body is None else json.dumps(body)
        sent = dict(headers or {})
        if content is not None:
            sent["Content-Type"] = "application/json"
        request = HttpRequest(method, self.url(path), headers=sent, content=content)
        with translated(self._service, request):
            return self._client.send_request(request)
