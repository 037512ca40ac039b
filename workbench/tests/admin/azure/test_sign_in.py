"""How the commands sign in, and what they say if nobody is signed in."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import AzureCliCredential, ChainedTokenCredential

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.cloud import CLOUDS, PUBLIC
from bot_workbench.admin.azure.errors import NotSignedIn
from bot_workbench.admin.azure.sign_in import Caller, caller, credential_chain, cure
from tests.admin.moved_clock import MovedClock

WORKLOAD = {
    "AZURE_TENANT_ID": "00000000-0000-4000-8000-000000000001",
    "AZURE_CLIENT_ID": "00000000-0000-4000-8000-000000000002",
}
GITHUB = {
    **WORKLOAD,
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://pipelines.actions.githubusercontent.com/1?v=2",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "token",
}
PIPELINE = {
    "SYSTEM_OIDCREQUESTURI": "https://dev.azure.com/contoso",
    "AZURESUBSCRIPTION_TENANT_ID": WORKLOAD["AZURE_TENANT_ID"],
    "AZURESUBSCRIPTION_CLIENT_ID": WORKLOAD["AZURE_CLIENT_ID"],
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "00000000-0000-4000-8000-000000000003",
    "SYSTEM_ACCESSTOKEN": "token",
}


AZ, AZD = "AzureCliCredential", "AzureDeveloperCliCredential"


def kinds(environ: dict[str, str]) -> list[str]:
    """The names of the chain's credentials."""
    chain = credential_chain(environ, PUBLIC.authority)
    assert isinstance(chain, ChainedTokenCredential)
    return [type(each).__name__ for each in chain.credentials]


def test_a_pipelines_credential_is_asked_first(tmp_path: Path) -> None:
    """The accounts of `az login` and `azd auth login` are the last choices."""
    workload = {**WORKLOAD, "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token")}
    assert kinds({}) == [AZ, AZD]
    assert kinds(WORKLOAD) == [AZ, AZD]
    assert kinds(workload) == ["WorkloadIdentityCredential", AZ, AZD]
    assert kinds(GITHUB) == ["ClientAssertionCredential", AZ, AZD]
    assert kinds(PIPELINE) == ["AzurePipelinesCredential", AZ, AZD]


def test_in_azds_hooks_its_own_account_comes_first() -> None:
    """A hook acts as who runs azd, whoever is signed in to az."""
    assert kinds({"AZURE_ENV_NAME": "contoso-bot"}) == [AZD, AZ]


def test_azds_users_read_how_to_sign_in_to_azd() -> None:
    """The cure names the program that the reader uses."""
    text = f"\t{AZD}: Please run 'azd auth login' from a command prompt to authenticate."
    assert "Run `azd auth login`" in cure(ClientAuthenticationError(text))


def test_without_a_sign_in_the_cure_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who has no Azure CLI reads what to run, and what a pipeline sets."""
    for name in WORKLOAD:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with AzureClients(PUBLIC) as azure, pytest.raises(NotSignedIn) as caught:
        azure.arm.get("/subscriptions")
    text = str(caught.value)
    assert "Azure CLI not found on path" in text
    assert "Run `az login`; in a pipeline, set AZURE_TENANT_ID" in text
    assert "\n" not in text


def test_an_az_that_is_signed_out_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The CLI is there, but nobody is signed in to it."""
    az = tmp_path / "az"
    az.write_text(
        "#!/bin/sh\necho \"ERROR: Please run 'az login' to setup account.\" >&2\nexit 1\n"
    )
    az.chmod(0o700)
    for name in WORKLOAD:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with AzureClients(PUBLIC) as azure, pytest.raises(NotSignedIn, match="Run `az login`"):
        azure.arm.get("/subscriptions")


def test_an_az_that_hangs_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock: MovedClock
) -> None:
    """The Azure CLI has as long as the command has."""
    az = tmp_path / "az"
    az.write_text("#!/bin/sh\nexec sleep 600\n")
    az.chmod(0o700)
    for name in WORKLOAD:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr("bot_workbench.admin.azure.clock.MIN_ANSWER_SECONDS", 1)
    with (
        AzureClients(PUBLIC, clock=clock, timeout_seconds=1) as azure,
        pytest.raises(NotSignedIn, match="az login"),
    ):
        azure.arm.get("/subscriptions")


@pytest.mark.parametrize("chained", [False, True])
def test_a_claims_challenge_names_the_whole_command(chained: bool) -> None:
    """Azure asks for MFA on a write: azure-identity's command is long, and must not be cut."""
    claims = json.dumps({"access_token": {"acrs": {"essential": True, "values": ["p1"] * 100}}})
    credential: Any = AzureCliCredential()
    if chained:
        credential = ChainedTokenCredential(credential)
    with pytest.raises(ClientAuthenticationError) as caught:
        credential.get_token(f"{PUBLIC.resource_manager_audience}/.default", claims=claims)
    encoded = base64.b64encode(claims.encode()).decode()
    command = cure(caught.value).splitlines()[1]
    assert command == (
        f"az login --claims-challenge {encoded} --scope {PUBLIC.resource_manager_audience}/.default"
    )
    assert "Run `az login`" not in cure(caught.value)


class FixedToken:
    """A credential with one token."""

    def __init__(self, claims: dict[str, object]) -> None:
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        self._token = f"e30.{payload}.signature"

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """The token."""
        return AccessToken(self._token, int(time.time()) + 3600)


def test_the_caller_is_a_user_or_a_service_principal() -> None:
    """Roles are assigned to the signed-in account by its object id and its kind."""
    user = FixedToken({"oid": "1", "tid": "2", "scp": "user_impersonation"})
    assert caller(user, PUBLIC.resource_manager_audience) == Caller("1", "2", is_user=True)
    pipeline = FixedToken({"oid": "3", "tid": "2", "idtyp": "app"})
    assert caller(pipeline, PUBLIC.resource_manager_audience) == Caller("3", "2", is_user=False)


def test_a_caller_without_a_token_is_not_signed_in() -> None:
    """The SDK's error is translated here, too."""

    class NoToken:
        def get_token(self, *scopes: str, **_: Any) -> AccessToken:
            raise ClientAuthenticationError("Please run 'az login'")

    with pytest.raises(NotSignedIn, match="az login"):
        caller(NoToken(), PUBLIC.resource_manager_audience)


def test_clouds_have_their_own_names() -> None:
    """Each cloud is complete, and shares no address with another."""
    assert list(CLOUDS) == ["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"]
    for field in ("authority", "resource_manager", "graph", "vault_suffix", "federation_audience"):
        assert len({getattr(cloud, field) for cloud in CLOUDS.values()}) == len(CLOUDS), field
