"""The token with which a job of GitHub Actions proves to Entra who it is.

Source: GitHub Docs, "OpenID Connect reference"; the job needs the permission `id-token: write`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from azure.core import PipelineClient
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline.policies import ProxyPolicy
from azure.core.rest import HttpRequest, HttpResponse

from bot_workbench.admin.azure.http.deadline import Deadline
from bot_workbench.admin.azure.http.retries import DeadlineTransport, LookFirstRetryPolicy

URL, BEARER = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
"""The variables with which a job requests its token."""

AUDIENCE = "api://AzureADTokenExchange"
"""The audience (URI) of the federated credential in every cloud, as azd requests it."""

MAX_RETRIES = 3


def github_token(environ: Mapping[str, str], deadline: Deadline) -> str:
    """Request a job's token (JWT), a new one for each sign-in: it lives for minutes only.

    Args:
        environ: the environment variables of a job that may request tokens.
        deadline: when GitHub's answer is due; its clock waits between attempts.

    Raises:
        ClientAuthenticationError: GitHub does not issue one.
    """
    url = f"{environ[URL]}&audience={quote(AUDIENCE, safe='')}"
    policies: list[Any] = [ProxyPolicy(), LookFirstRetryPolicy(deadline, MAX_RETRIES)]
    request = HttpRequest("GET", url, headers={"Authorization": f"Bearer {environ[BEARER]}"})
    client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
        url, policies=policies, transport=DeadlineTransport(deadline)
    )
    try:
        with client:
            response = client.send_request(request)
        token = str(response.json()["value"]) if response.status_code == 200 else ""
    except (AzureError, ValueError, LookupError, TypeError) as error:
        raise ClientAuthenticationError(f"GitHub gives no token: {error}") from error
    if not token:
        raise ClientAuthenticationError(f"GitHub answers {response.status_code}")
    return token
