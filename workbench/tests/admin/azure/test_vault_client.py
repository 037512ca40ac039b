"""VaultClient: which URLs are a vault's, so that its token may be sent there."""

import pytest

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.cloud import CLOUDS
from bot_workbench.admin.azure.errors import Refused

GOVERNMENT = CLOUDS["AzureUSGovernment"]


@pytest.mark.parametrize("host", ["x.vault.usgovcloudapi.net", "X.Vault.UsGovCloudApi.Net"])
def test_a_vault_of_the_cloud(host: str) -> None:
    """Host names have no case."""
    with AzureClients(GOVERNMENT) as azure:
        assert azure.vault.url(f"https://{host}/keys").startswith(f"https://{host}/keys?")


def test_a_letter_that_only_looks_like_the_domains() -> None:
    """A search that ignores case takes a dotless i for an i; the network takes it for another."""
    with AzureClients(GOVERNMENT) as azure, pytest.raises(Refused, match="CertificateVaultUrl"):
        azure.vault.url("https://x.vault.usgovcloudap\N{LATIN SMALL LETTER DOTLESS I}.net/keys")
