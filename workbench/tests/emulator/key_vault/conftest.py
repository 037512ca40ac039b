"""Fixtures of the tests of the vault: a vault, and its callers."""

from collections.abc import AsyncIterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.emulator.certificates import CertificateAuthority, self_signed
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.identity_endpoint import IdentityEndpoint
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.key_vault.vault import ACTIONS, GrantedOperations, KeyVault
from tests.emulator.key_vault.vault_caller import VaultCaller
from tests.emulator.registered_bot import MANAGED_IDENTITY, PRINCIPAL, TENANT


@pytest.fixture(scope="module")
def certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed("bot", key)


@pytest.fixture(scope="module")
def entra(authority: CertificateAuthority) -> Entra:
    """It only signs here: the clients sign in at the identity endpoint."""
    return Entra(
        Registration(MANAGED_IDENTITY, TENANT, "UserAssignedMSI"), authority.server_context()
    )


@pytest.fixture
def permissions() -> GrantedOperations:
    return GrantedOperations({PRINCIPAL: set(ACTIONS)})


@pytest.fixture
async def vault(
    entra: Entra,
    authority: CertificateAuthority,
    permissions: GrantedOperations,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[KeyVault]:
    identity = IdentityEndpoint(entra, {MANAGED_IDENTITY: PRINCIPAL})
    vault = KeyVault(entra, authority.server_context(), permissions)
    async with identity.server:
        await vault.server.start()
        for name, value in identity.settings().items():
            monkeypatch.setenv(name, value)
        yield vault
        await vault.server.stop()


@pytest.fixture
def call(vault: KeyVault, authority: CertificateAuthority) -> VaultCaller:
    return VaultCaller(vault, str(authority.path))
