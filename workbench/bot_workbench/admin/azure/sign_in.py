"""The commands' sign-in: a pipeline's federated credential, or the account of az or azd.

Microsoft reference: "azure-identity", "Authenticate using workload identity". GitHub Docs, "OpenID
Connect reference"; a job of GitHub Actions needs the permission `id-token: write`.
"""

import base64
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from azure.core import PipelineClient
from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline.policies import ContentDecodePolicy, ProxyPolicy, UserAgentPolicy
from azure.core.rest import HttpRequest, HttpResponse
from azure.identity import (
    AzureCliCredential,
    AzureDeveloperCliCredential,
    AzurePipelinesCredential,
    ChainedTokenCredential,
    ClientAssertionCredential,
    WorkloadIdentityCredential,
)

from bot_workbench.admin.azure.clock import NO_DEADLINE, Deadline
from bot_workbench.admin.azure.errors import NotSignedIn
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.retries import DeadlineTransport, LookFirstRetryPolicy

CLI_TIMEOUT_SECONDS = 60
MAX_RETRIES = 3
"""The maximum number of repetitions of a request for a token."""

MIN_SECONDS = 60
"""The time for which a token must still be valid to be given out again."""

MAX_REASON_CHARACTERS = 400

URL, BEARER = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
"""The variables with which a job of GitHub Actions requests its token."""

AUDIENCE = "api://AzureADTokenExchange"
"""The audience (URI) of the federated credential in every cloud, as azd requests it."""

_ENTRA_CODE = "AADSTS"
_TIMED_OUT = re.compile(r"host='([^']+)'.*timed out.*timeout=([\d.]+)\)")
_SYSTEM_ERROR = re.compile(r"\[Errno -?\d+\] ((?:[^'\")\\]|'[^']*')+)")

_CLAIMS_CHALLENGE = re.compile(r"az login --claims-challenge \S.*")

_WORKLOAD = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE")
_GITHUB = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", URL, BEARER)
_IN_AZD = "AZURE_ENV_NAME"
"""azd sets it for its hooks, which then use the account of `azd auth login`."""

_PIPELINE = (
    "AZURESUBSCRIPTION_TENANT_ID",
    "AZURESUBSCRIPTION_CLIENT_ID",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_OIDCREQUESTURI",
)

_LOGINS = {
    AzureCliCredential.__name__: "az login",
    AzureDeveloperCliCredential.__name__: "azd auth login",
}
"""Instructions for signing in, by the credential that has no token."""


def credential_chain(
    environ: Mapping[str, str], authority: str, deadline: Deadline = NO_DEADLINE
) -> TokenCredential:
    """The credentials that the environment offers, in the order in which they are asked.

    Args:
        environ: the environment variables.
        authority: URL of Entra's sign-in host.
        deadline: when answers are due.
    """
    # By itself, azure-identity waits five minutes for an answer.
    entra: dict[str, Any] = {
        "authority": authority,
        "policies": [
            UserAgentPolicy(),
            ProxyPolicy(),
            ContentDecodePolicy(),
            LookFirstRetryPolicy(deadline, MAX_RETRIES),
        ],
        "transport": DeadlineTransport(deadline),
    }
    chain: list[TokenCredential] = []
    if all(environ.get(name) for name in _WORKLOAD):
        tenant, client, file = (environ[name] for name in _WORKLOAD)
        chain.append(
            WorkloadIdentityCredential(
                tenant_id=tenant, client_id=client, token_file_path=file, **entra
            )
        )
    if all(environ.get(name) for name in _GITHUB):
        tenant, client = (environ[name] for name in _WORKLOAD[:2])
        token = partial(github_token, environ, deadline)
        chain.append(ClientAssertionCredential(tenant, client, token, **entra))
    if all(environ.get(name) for name in _PIPELINE):
        tenant, client, connection, access, _ = (environ[name] for name in _PIPELINE)
        chain.append(
            AzurePipelinesCredential(
                tenant_id=tenant,
                client_id=client,
                service_connection_id=connection,
                system_access_token=access,
                **entra,
            )
        )
    in_azd = bool(environ.get(_IN_AZD))
    seconds = int(deadline.answer_seconds(CLI_TIMEOUT_SECONDS))
    az = AzureCliCredential(process_timeout=seconds)
    azds_tenant = environ.get("AZURE_TENANT_ID", "") if in_azd else ""
    azd = AzureDeveloperCliCredential(tenant_id=azds_tenant, process_timeout=seconds)
    chain += [azd, az] if in_azd else [az, azd]
    return ChainedTokenCredential(*chain)


def cure(error: BaseException) -> str:
    """The cure for a failed sign-in, in one line; a command to paste is on a line of its own.

    Args:
        error: azure-identity's error.
    """
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    tried = [line for line in lines if "Credential: " in line]
    first = (tried or [f"AzureCliCredential: {(lines or ['no token'])[0]}"])[0]
    credential, _, text = first.partition(": ")
    challenge = _CLAIMS_CHALLENGE.search(text)
    if challenge:
        # Azure wants more than a password, such as MFA, for this call. A longer text is not cut,
        # because the command is pasted.
        return f"Azure asks for another sign-in for this call (such as MFA). Run:\n{challenge[0]}"
    text = short_reason(text).removesuffix(".")
    if credential in _LOGINS:
        return (
            f"no sign-in to Azure ({text}). Run `{_LOGINS[credential]}`; in a pipeline, set"
            f" {', '.join(_WORKLOAD)}"
        )
    if _ENTRA_CODE not in text:
        return (
            f"no sign-in to Azure: the pipeline's credential gets no token from Entra ({text})."
            " Check the network, HTTPS_PROXY, and the file that AZURE_FEDERATED_TOKEN_FILE names;"
            " in GitHub Actions, the job's permission `id-token: write`"
        )
    return (
        f"no sign-in to Azure ({text}). Entra does not accept the pipeline's federated credential:"
        f" compare its issuer, subject and audience with the token's, and check"
        f" {', '.join(_WORKLOAD)}"
    )


def short_reason(text: str) -> str:
    """An error's text in one line; of nested errors of a connection, only the innermost."""
    line = " ".join(text.split())
    if timed_out := _TIMED_OUT.search(line):
        return f"{timed_out[1]} timed out after {float(timed_out[2]):.0f} seconds"
    found = _SYSTEM_ERROR.findall(line)
    return found[-1].strip() if found else line[:MAX_REASON_CHARACTERS]


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


class KeptTokens:
    """Keeps the tokens of a credential while the process runs, and never on disk.

    The command lines behind azure-identity's credentials take seconds for each token.

    Args:
        credential: has the tokens.
    """

    def __init__(self, credential: TokenCredential) -> None:
        self._credential = credential
        self._kept: dict[tuple[str, ...], AccessToken] = {}

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: Any,
    ) -> AccessToken:
        """A token for the scopes; a new one if the service asks for further claims.

        Raises:
            ClientAuthenticationError: there is none.
        """
        kept = self._kept.get(scopes)
        if kept is not None and claims is None and _expires(kept) - time.time() > MIN_SECONDS:
            return kept
        found = self._credential.get_token(
            *scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae
        )
        self._kept[scopes] = found
        return found


def _expires(token: AccessToken) -> float:
    """Seconds since 1970, as the token itself says: azure-identity reads azd's time, which is UTC,
    as the machine's local time."""
    return float(claims_of(token.token).get("exp") or token.expires_on)


def claims_of(token: str) -> JsonObject:
    """A token's claims; none if it is no JWT."""
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Caller:
    """Who runs the command.

    Attributes:
        object_id: GUID of the user or the service principal.
        tenant_id: GUID of the tenant.
        is_user: whether it is a user: no pipeline's service principal.
    """

    object_id: str
    tenant_id: str
    is_user: bool


def caller(credential: TokenCredential, audience: str) -> Caller:
    """Who the credential signs in.

    Args:
        credential: has tokens.
        audience: the resource (URL) for which one is requested.

    Raises:
        NotSignedIn: it has no token.
    """
    try:
        token = credential.get_token(f"{audience}/.default").token
    except AzureError as error:
        raise NotSignedIn(cure(error)) from error
    claims = claims_of(token)
    return Caller(
        object_id=str(claims.get("oid", "")),
        tenant_id=str(claims.get("tid", "")),
        is_user=claims.get("idtyp") != "app" and "scp" in claims,
    )
