"""AzureSdkCredential: our own tokens for the vault's clients, and what they raise without one."""

import pytest

from auth.certificates.key_vault import CertificateVault, ExportedCertificate
from auth.errors import EndpointDown
from auth.outbound.azure_sdk import AzureSdkCredential, PoolTransport
from auth.outbound.managed_identity import ManagedIdentityCredential
from auth.outbound.token_provider import AccessToken, TokenProvider
from bot_workbench.emulator.cloud import Cloud

VAULT = "https://vault.azure.net"


async def test_a_token(transport: PoolTransport) -> None:
    """The SDK asks by scope, the provider by resource; closing keeps the tokens."""
    asked: list[str] = []

    class Source(TokenProvider):
        async def get(self, audience: str) -> AccessToken:
            asked.append(audience)
            return AccessToken("token", 1234.5)

    managed = ManagedIdentityCredential("", "AZURE_CLIENT_ID", transport)
    identity = AzureSdkCredential(Source(managed))
    for _ in range(2):
        async with identity:
            token = await identity.get_token(f"{VAULT}/.default", tenant_id="ignored")
        await identity.close()
        assert (token.token, token.expires_on) == ("token", 1234)
    assert asked == [VAULT] * 2


async def test_a_failed_sign_in(platform: Cloud, vault: CertificateVault) -> None:
    """The SDK passes the credential's error on: the identity endpoint is named, not the vault."""
    platform.identity.server.faults.set(status=500)
    with pytest.raises(EndpointDown, match=r"the identity endpoint .*\(AZURE_CLIENT_ID\)"):
        await ExportedCertificate(vault).load(None)
