"""RestClient: requests to one service, with retries, a token, and errors in the project's words."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    ServiceRequestError,
)
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    CustomHookPolicy,
    HeadersPolicy,
    ProxyPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest, HttpResponse

from bot_workbench.admin.azure.clock import Deadline
from bot_workbench.admin.azure.errors import (
    AnswerLost,
    Conflict,
    Forbidden,
    NotFound,
    NotReachable,
    NotSignedIn,
    Refused,
)
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.retries import (
    DEFAULT_LIMITS,
    DeadlineTransport,
    LookFirstRetryPolicy,
    RetryLimits,
    is_read,
)
from bot_workbench.admin.azure.sign_in import MAX_REASON_CHARACTERS, cure, short_reason

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

    def get(self, path: str) -> JsonObject:
        """Read one object.

        Args:
            path: after the base URL, with its query; or an absolute URL.

        Raises:
            AzureProblem: it cannot be read.
        """
        response = self.exchange("GET", path)
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
        return json_of(self.exchange(method, path, body))

    def exchange(
        self,
        method: str,
        path: str,
        body: JsonObject | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        """Send one request, and return its successful response.

        Raises:
            AzureProblem: there is none.
        """
        response = self.respond(method, path, body, headers)
        _check(response, self._service)
        return response

    def respond(
        self,
        method: str,
        path: str,
        body: JsonObject | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        """Send one request, and return its response, whatever its status.

        Raises:
            NotSignedIn: there is no token.
            NotReachable: there is no response; AnswerLost, if a write may have been done.
        """
        request = HttpRequest(method, self.url(path), headers=dict(headers or {}), json=body)
        place = f"{self._service} ({urlsplit(request.url).hostname})"
        try:
            return self._client.send_request(request)
        except ClientAuthenticationError as error:
            raise NotSignedIn(cure(error)) from error
        except ServiceRequestError as error:
            raise NotReachable(f"{place} cannot be reached: {_reason(error)}") from error
        except (AzureError, OSError) as error:
            kind = NotReachable if is_read(request) else AnswerLost
            raise kind(f"{place} did not answer: {_reason(error)}") from error


ROLES = {
    "Microsoft Graph": "an owner of the app registration, or Application Administrator"
    " (a pipeline: Application.ReadWrite.OwnedBy, and owner)",
    "Azure Resource Manager": "Contributor on the resource group; to assign roles, also Role Based"
    " Access Control Administrator",
    "the key vault": "Key Vault Certificates Officer on the vault",
    "Log Analytics": "Log Analytics Reader on the workspace",
}
"""Who may do what the commands do, by service."""

NO_ROLE_HELPS = {
    "RequestDisallowedByPolicy": "An Azure Policy of your organization forbids it: the policy's"
    " owner can exempt the resource.",
    "ForbiddenByFirewall": "The vault's firewall keeps this machine out: add its address"
    " (`az keyvault network-rule add`), or run the command inside the network.",
    "ForbiddenByConnection": "The vault accepts only connections through its private endpoint:"
    " run the command inside the network.",
}
"""The cures for a 403 that is not about roles, by its code."""

_REFUSALS: dict[int, type[Refused]] = {404: NotFound, 409: Conflict, 412: Conflict}


def _check(response: HttpResponse, service: str) -> None:
    """Raise what an answer of 400 or more means.

    Raises:
        AzureProblem: the request was refused.
    """
    status = response.status_code
    if status < 400:
        return
    code, message = error_of(response)
    text = f"{service} answers {status}{f' {code}' if code else ''}: {message}"
    if status == 401:
        raise NotSignedIn(f"{text} Sign in again: `az login`, with --tenant if you have several.")
    if status == 403:
        cure = NO_ROLE_HELPS.get(_inner_code(response) or code)
        needed = f"Your account needs: {ROLES.get(service, 'access')}."
        raise Forbidden(text, cure or needed, needs_role=cure is None)
    if status == 404 and _body(response) is None:  # Azure's 404 has JSON or nothing
        raise NotReachable(f"{text} This is not an answer from Azure: is there a proxy in between?")
    if status == 429 or status >= 500:
        lost = status >= 500 and status != 503 and not is_read(response.request)
        raise (AnswerLost if lost else NotReachable)(text)
    raise _REFUSALS.get(status, Refused)(text, status, code)


def json_of(response: HttpResponse) -> JsonObject:
    """A response's JSON object; empty for an empty body, or one that is not an object."""
    found = _body(response)
    return found if isinstance(found, dict) else {}


def _body(response: HttpResponse) -> Any:
    """A response's JSON, an empty object for an empty body; None: it is no JSON."""
    try:
        return json.loads(response.text() or "{}")
    except ValueError:
        return None


def error_of(response: HttpResponse) -> tuple[str, str]:
    """The code and the message of an answer that refuses, the message in one line."""
    error = _error(response)
    if isinstance(error, str):
        return "", _line(error)
    # ARM, Graph and vaults write {"error": {"code", "message"}}; App Service {"Code", "Message"}.
    found = {name.lower(): text for name, text in error.items()} if isinstance(error, dict) else {}
    code, message = (str(found.get(name) or "") for name in ("code", "message"))
    return code, _line(message or response.reason or "no reason given")


def _inner_code(response: HttpResponse) -> str:
    """The code that a vault puts behind a general one; empty if there is none."""
    error = _error(response)
    inner = error.get("innererror") if isinstance(error, dict) else None
    return str(inner.get("code") or "") if isinstance(inner, dict) else ""


def _error(response: HttpResponse) -> Any:
    body = json_of(response)
    return body.get("error", body)


def _reason(error: BaseException) -> str:
    return _line(short_reason(str(error) or type(error).__name__))


def _line(text: str) -> str:
    line = " ".join(text.split())
    short = line[:MAX_REASON_CHARACTERS]
    return short if short.endswith((".", "!", "?")) else f"{short}."
