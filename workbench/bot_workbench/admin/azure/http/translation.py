"""Where foreign errors become the project's: exceptions of azure-core, and refusals."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    ServiceRequestError,
)
from azure.core.rest import HttpRequest, HttpResponse

from bot_workbench.admin.azure.errors import (
    AnswerLost,
    Conflict,
    Forbidden,
    NotFound,
    NotReachable,
    NotSignedIn,
    Refused,
)
from bot_workbench.admin.azure.http.retries import is_read
from bot_workbench.admin.azure.http.sign_in import MAX_REASON_CHARACTERS, cure, short_reason
from bot_workbench.admin.azure.json_object import JsonObject

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


@contextmanager
def translated(service: str, request: HttpRequest) -> Iterator[None]:
    """Raise azure-core's exceptions as ours.

    Args:
        service: the service's name.
        request: what is sent.

    Raises:
        AzureProblem: in place of the foreign exception.
    """
    try:
        yield
    except ClientAuthenticationError as error:
        raise NotSignedIn(cure(error)) from error
    except ServiceRequestError as error:
        raise NotReachable(
            f"{_place(service, request)} cannot be reached: {_reason(error)}"
        ) from error
    except (AzureError, OSError) as error:
        kind = NotReachable if is_read(request) else AnswerLost
        raise kind(f"{_place(service, request)} did not answer: {_reason(error)}") from error


def check(response: HttpResponse, service: str) -> None:
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


def _place(service: str, request: HttpRequest) -> str:
    return f"{service} ({urlsplit(request.url).hostname})"


def _reason(error: BaseException) -> str:
    return _line(short_reason(str(error) or type(error).__name__))


def _line(text: str) -> str:
    line = " ".join(text.split())
    short = line[:MAX_REASON_CHARACTERS]
    return short if short.endswith((".", "!", "?")) else f"{short}."
