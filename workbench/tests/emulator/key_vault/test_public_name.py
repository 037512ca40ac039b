"""KeyVault under its public name, with role assignments."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.identity import WorkloadIdentityCredential
from azure.keyvault.certificates import CertificateClient, KeyVaultCertificate
from azure.keyvault.keys import KeyClient
from azure.keyvault.secrets import SecretClient

from tests.emulator.key_vault.certificate_calls import BOT_POLICY
from tests.support.azure.azure_thread import AzureThread


@pytest.fixture
def thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureThread]:
    """A local Azure, in which this process signs in as its pipeline."""
    with AzureThread(tmp_path) as thread:
        thread.set_environment(monkeypatch)
        yield thread


@pytest.fixture
def host(thread: AzureThread) -> str:
    """The host name of a vault whose certificates the pipeline may manage."""
    # A name of its own: the clients keep a vault's tenant for as long as the process runs.
    name = f"contoso-{uuid.uuid4().hex[:12]}"
    thread.call(thread.azure.add_function_app, vault=name)
    return f"{name}.vault.azure.net"


def test_a_certificate_is_made_under_the_public_name(thread: AzureThread, host: str) -> None:
    """The challenge names the public authority, and the ids the vault's public name."""
    url, inventory = f"https://{host}", thread.azure.vaults[host].inventory
    with ExitStack() as stack:
        credential = stack.enter_context(WorkloadIdentityCredential())
        certificates = stack.enter_context(CertificateClient(url, credential))
        # An unknown host would be refused by the client: the challenge's resource is its domain.
        made = certificates.begin_create_certificate("bot", BOT_POLICY).result()
        assert isinstance(made, KeyVaultCertificate)
        assert made.id == f"{url}/certificates/bot/{inventory.versions['bot'][-1].version}"
        assert str(made.key_id).startswith(f"{url}/keys/bot/")
        listed = certificates.list_properties_of_certificate_versions("bot", max_page_size=1)
        assert [each.id for each in listed] == [made.id]
    assert not thread.azure.proxy.refused


def test_the_challenge_names_the_public_authority(thread: AzureThread, host: str) -> None:
    """A caller without a token learns where to get one, under the name that it can reach."""
    answer = requests.get(f"https://{host}/certificates", params={"api-version": "7.4"}, timeout=60)
    authority = f"https://login.microsoftonline.com/{thread.azure.directory.tenant_id}"
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer authorization="{authority}", resource="https://vault.azure.net"'
    )


def test_an_officer_of_certificates_reads_no_secret(host: str) -> None:
    """A role allows its own data actions only, and the refusal names the missing one."""
    url = f"https://{host}"
    with ExitStack() as stack:
        credential = stack.enter_context(WorkloadIdentityCredential())
        certificates = stack.enter_context(CertificateClient(url, credential))
        certificates.begin_create_certificate("bot", BOT_POLICY).result()
        secrets = stack.enter_context(SecretClient(url, credential))
        with pytest.raises(HttpResponseError, match="secrets/getSecret/action") as caught:
            secrets.get_secret("bot")
        assert caught.value.status_code == 403
        keys = stack.enter_context(KeyClient(url, credential))
        with pytest.raises(HttpResponseError, match="keys/read"):
            keys.get_key("bot")
