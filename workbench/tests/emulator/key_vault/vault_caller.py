"""VaultCaller: unmodified azure-keyvault clients, signed in as a managed identity."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.paging import ItemPaged
from azure.identity import ManagedIdentityCredential
from azure.identity.aio import ManagedIdentityCredential as AsyncManagedIdentityCredential
from azure.keyvault.certificates import CertificateClient
from azure.keyvault.certificates.aio import CertificateClient as AsyncCertificateClient
from azure.keyvault.keys import KeyClient, KeyVaultKey
from azure.keyvault.keys.aio import KeyClient as AsyncKeyClient
from azure.keyvault.keys.crypto import CryptographyClient
from azure.keyvault.keys.crypto.aio import CryptographyClient as AsyncCryptographyClient
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient

from bot_workbench.emulator.key_vault.vault import KeyVault
from tests.emulator.registered_bot import MANAGED_IDENTITY

LISTS: dict[str, Callable[..., Any]] = {
    "certificates": lambda client, **options: client.list_properties_of_certificate_versions(
        "bot", **options
    ),
    "secrets": lambda client, **options: client.list_properties_of_secret_versions(
        "bot", **options
    ),
}

CLIENTS: dict[str, tuple[Any, Any]] = {
    "certificates": (CertificateClient, AsyncCertificateClient),
    "secrets": (SecretClient, AsyncSecretClient),
    "keys": (KeyClient, AsyncKeyClient),
    "cryptography": (CryptographyClient, AsyncCryptographyClient),
}

kinds = pytest.mark.parametrize("kind", ["sync", "aio"])


@dataclass
class VaultCaller:
    """The vault, used through unmodified clients as a managed identity with some rights."""

    vault: KeyVault
    trust: str

    async def __call__(
        self,
        kind: str,
        client: str,
        action: Callable[[Any], Any],
        path: str = "",
        key: KeyVaultKey | None = None,
        retries: int = 3,
    ) -> Any:
        """What `action` gets from the client of a path, or key; the items, if that is a list."""
        url = key or self.vault.server.url + path
        if kind == "sync":
            return await asyncio.to_thread(self._sync, client, action, url)
        options: Any = {
            "verify_challenge_resource": False,
            "connection_verify": self.trust,
            "retry_total": retries,
        }
        async with (
            AsyncManagedIdentityCredential(client_id=MANAGED_IDENTITY) as credential,
            CLIENTS[client][1](url, credential, **options) as opened,
        ):
            answer = action(opened)
            if hasattr(answer, "__aiter__"):
                return [item async for item in answer]
            return await answer

    def _sync(self, client: str, action: Callable[[Any], Any], url: str | KeyVaultKey) -> Any:
        options: Any = {"verify_challenge_resource": False, "connection_verify": self.trust}
        with (
            ManagedIdentityCredential(client_id=MANAGED_IDENTITY) as credential,
            CLIENTS[client][0](url, credential, **options) as opened,
        ):
            answer = action(opened)
            return list(answer) if isinstance(answer, ItemPaged) else answer


async def refusal(
    call: VaultCaller, client: str, action: Callable[[Any], Any], path: str = ""
) -> tuple[int, str, str]:
    """Status, code and inner code of the refusal that the client raises."""
    with pytest.raises(HttpResponseError) as caught:
        await call("aio", client, action, path)
    error: Any = caught.value.error
    inner = error.innererror or {}
    return caught.value.status_code or 0, error.code, inner.get("code", "")
