"""The commands' sign-in: a pipeline's federated credential, or the account of az or azd.

Microsoft reference: "azure-identity", "Authenticate using workload identity".
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.pipeline.policies import ContentDecodePolicy, ProxyPolicy, UserAgentPolicy
from azure.identity import (
    AzureCliCredential,
    AzureDeveloperCliCredential,
    AzurePipelinesCredential,
    ChainedTokenCredential,
    ClientAssertionCredential,
    WorkloadIdentityCredential,
)

from bot_workbench.admin.azure.http.deadline import NO_DEADLINE, Deadline
from bot_workbench.admin.azure.http.github_token import BEARER, URL, github_token
from bot_workbench.admin.azure.http.retries import DeadlineTransport, LookFirstRetryPolicy

CLI_TIMEOUT_SECONDS = 60
MAX_RETRIES = 3
"""The maximum number of repetitions of a request for a token."""

MAX_REASON_CHARACTERS = 400

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
