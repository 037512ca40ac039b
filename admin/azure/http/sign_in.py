"""How the commands sign in: a pipeline's federated credential, or the account of `az login`.

Microsoft reference: "azure-identity", "Authenticate using workload identity".
"""

from collections.abc import Mapping

from azure.core.credentials import TokenCredential
from azure.identity import (
    AzureCliCredential,
    AzurePipelinesCredential,
    ChainedTokenCredential,
    WorkloadIdentityCredential,
)

CLI_TIMEOUT_SECONDS = 60

_WORKLOAD = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE")
_PIPELINE = (
    "AZURESUBSCRIPTION_TENANT_ID",
    "AZURESUBSCRIPTION_CLIENT_ID",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
    "SYSTEM_ACCESSTOKEN",
)


def credential_chain(environ: Mapping[str, str], authority: str) -> TokenCredential:
    """The credentials that the environment offers, in the order in which they are asked.

    Args:
        environ: the environment variables.
        authority: URL of Entra's sign-in host.
    """
    chain: list[TokenCredential] = []
    if all(environ.get(name) for name in _WORKLOAD):
        tenant, client, file = (environ[name] for name in _WORKLOAD)
        chain.append(
            WorkloadIdentityCredential(
                tenant_id=tenant, client_id=client, token_file_path=file, authority=authority
            )
        )
    if environ.get("SYSTEM_OIDCREQUESTURI") and all(environ.get(name) for name in _PIPELINE):
        tenant, client, connection, token = (environ[name] for name in _PIPELINE)
        chain.append(
            AzurePipelinesCredential(
                tenant_id=tenant,
                client_id=client,
                service_connection_id=connection,
                system_access_token=token,
                authority=authority,
            )
        )
    chain.append(AzureCliCredential(process_timeout=CLI_TIMEOUT_SECONDS))
    return ChainedTokenCredential(*chain)


def cure(error: BaseException) -> str:
    """What to do about a failed sign-in, in one line.

    Args:
        error: azure-identity's error.
    """
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    tried = [line for line in lines if "Credential: " in line]
    reason = (tried or lines or [type(error).__name__])[0].removesuffix(".")
    if "AzureCliCredential" in reason or not tried:
        return (
            f"no sign-in to Azure ({reason.removeprefix('AzureCliCredential: ')}). Run `az login`;"
            f" in a pipeline, set {', '.join(_WORKLOAD)}"
        )
    return (
        f"no sign-in to Azure ({reason}). The pipeline's federated credential is not accepted:"
        f" compare its issuer, subject and audience with {', '.join(_WORKLOAD)}"
    )
