"""GitHubToken: the token with which a job of GitHub Actions proves to Entra who it is.

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


class GitHubToken:
    """Requests a job's token, a new one for each call: it lives for minutes only.

    Args:
        environ: the environment variables of a job that may request tokens.
        deadline: when GitHub's answer is due; its clock waits between attempts.
    """

    def __init__(self, environ: Mapping[str, str], deadline: Deadline) -> None:
        self._url = f"{environ[URL]}&audience={quote(AUDIENCE, safe='')}"
        self._bearer = environ[BEARER]
        policies: list[Any] = [
            ProxyPolicy(),
            LookFirstRetryPolicy(deadline, MAX_RETRIES, frozenset()),
        ]
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            self._url, policies=policies, transport=DeadlineTransport(deadline)
        )

    def __call__(self) -> str:
        """The token (JWT).

        Raises:
            ClientAuthenticationError: GitHub does not issue one.
        """
        request = HttpRequest("GET", self._url, headers={"Authorization": f"Bearer {self._bearer}"})
        try:
            response = self._client.send_request(request)
            if response.status_code != 200:
                raise ClientAuthenticationError(f"GitHub answers {response.status_code}")
            return str(response.json()["value"])
        except (AzureError, ValueError, LookupError, TypeError) as error:
            if isinstance(error, ClientAuthenticationError):
                raise
            raise ClientAuthenticationError(f"GitHub gives no token: {error}") from error
