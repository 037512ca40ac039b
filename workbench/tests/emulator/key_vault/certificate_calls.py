"""Calls of the unmodified certificate client."""

from typing import Any

from azure.core.rest import HttpRequest
from azure.keyvault.certificates import (
    CertificateOperation,
    CertificatePolicy,
    KeyUsageType,
    KeyVaultCertificate,
    LifetimeAction,
)

from tests.emulator.key_vault.vault_caller import VaultCaller

BOT_POLICY = CertificatePolicy(
    issuer_name="Self",
    subject="CN=contoso-bot",
    exportable=False,
    key_size=2048,
    reuse_key=False,
    key_usage=[KeyUsageType.digital_signature],
    enhanced_key_usage=["1.3.6.1.5.5.7.3.2"],
    validity_in_months=12,
    content_type="application/x-pem-file",
    lifetime_actions=[LifetimeAction("EmailContacts", days_before_expiry=60)],
)

SHORT_POLICY: dict[str, Any] = {"x509_props": {"subject": "CN=bot"}, "issuer": {"name": "Self"}}
"""As JSON; Key Vault has a default for all the rest."""


async def create(
    call: VaultCaller, kind: str = "aio", policy: CertificatePolicy = BOT_POLICY, **options: Any
) -> KeyVaultCertificate:
    """A new version of `bot`, once the client's poller has it."""

    def begin(client: Any) -> Any:
        if kind == "aio":
            return client.create_certificate("bot", policy, _polling_interval=0, **options)
        return client.begin_create_certificate(
            "bot", policy, _polling_interval=0, **options
        ).result()

    made = await call(kind, "certificates", begin)
    assert isinstance(made, KeyVaultCertificate)
    return made


async def pending(call: VaultCaller) -> CertificateOperation:
    """The last creation of `bot`."""
    found = await call(
        "aio", "certificates", lambda client: client.get_certificate_operation("bot")
    )
    assert isinstance(found, CertificateOperation)
    return found


async def send(call: VaultCaller, method: str, path: str, body: object = None) -> Any:
    """The response to a request of our own; the client adds api-version and token."""
    request = HttpRequest(method, path, json=body)
    return await call("aio", "certificates", lambda client: client.send_request(request))
