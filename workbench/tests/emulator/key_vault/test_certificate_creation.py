"""CertificateOperations: the azure-keyvault client makes certificates by a policy."""

import pytest
from azure.keyvault.certificates import (
    CertificatePolicy,
    CertificateProperties,
    KeyUsageType,
    KeyVaultCertificate,
)
from azure.keyvault.keys.crypto import SignatureAlgorithm
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.emulator.key_vault.vault import KeyVault
from tests.emulator.key_vault.certificate_calls import (
    BOT_POLICY,
    SHORT_POLICY,
    create,
    pending,
    send,
)
from tests.emulator.key_vault.vault_caller import VaultCaller, kinds, refusal


def properties_of(made: KeyVaultCertificate) -> CertificateProperties:
    """A certificate's properties, which the client always sets."""
    assert made.properties is not None
    return made.properties


@kinds
async def test_a_certificate_is_made_by_its_policy(
    vault: KeyVault, call: VaultCaller, kind: str
) -> None:
    """The certificate has the policy's subject, key and usages; the version has the given tags."""
    made = await create(call, kind, tags={"bot": "contoso"})
    certificate = x509.load_der_x509_certificate(bytes(made.cer or b""))
    assert certificate.issuer.rfc4514_string() == "CN=contoso-bot"
    assert certificate.subject == certificate.issuer
    public = certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    assert public.key_size == 2048
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_encipherment
    ekus = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [eku.dotted_string for eku in ekus] == ["1.3.6.1.5.5.7.3.2"]
    assert properties_of(made).expires_on == certificate.not_valid_after_utc
    assert properties_of(made).tags == {"bot": "contoso"}
    assert vault.inventory.versions["bot"][-1].certificate == certificate


@pytest.mark.parametrize(("months", "days"), [(1, 28), (12, 365), (24, 730)])
async def test_a_certificate_is_valid_as_long_as_its_policy_says(
    call: VaultCaller, months: int, days: int
) -> None:
    """The validity is in months, and begins ten minutes before the certificate is made."""
    policy = CertificatePolicy(issuer_name="Self", subject="CN=bot", validity_in_months=months)
    made = await create(call, policy=policy)
    certificate = x509.load_der_x509_certificate(bytes(made.cer or b""))
    lasts = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert days <= lasts.days <= days + 3
    assert lasts.seconds == 600
    assert properties_of(made).not_before == certificate.not_valid_before_utc


async def test_the_policy_is_kept(call: VaultCaller) -> None:
    """The policy that a certificate was made by is returned with it, and by itself."""
    made = await create(call)
    kept = await call("aio", "certificates", lambda client: client.get_certificate_policy("bot"))
    for policy in (made.policy, kept):
        assert policy is not None
        assert policy.issuer_name == "Self"
        assert policy.subject == "CN=contoso-bot"
        assert policy.exportable is False
        assert policy.key_size == 2048
        assert policy.reuse_key is False
        assert policy.key_usage == [KeyUsageType.digital_signature]
        assert policy.enhanced_key_usage == ["1.3.6.1.5.5.7.3.2"]
        assert policy.validity_in_months == 12
        assert policy.content_type == "application/x-pem-file"
        (action,) = policy.lifetime_actions or []
        assert (action.action, action.days_before_expiry) == ("EmailContacts", 60)


async def test_a_creation_takes_its_time(vault: KeyVault, call: VaultCaller) -> None:
    """A creation is in progress until its time is over; then its target can be read."""
    now = 0.0
    vault.inventory.pending_seconds = 10
    vault.inventory.clock = lambda: now
    answer = await send(call, "POST", "/certificates/bot/create", {"policy": SHORT_POLICY})
    assert answer.status_code == 202
    assert answer.json()["status"] == "inProgress"
    assert answer.headers["Location"].startswith(f"{vault.server.url}/certificates/bot/pending?")
    found = await pending(call)
    assert (found.status, found.issuer_name, found.target) == ("inProgress", "Self", None)
    assert "Please check again later" in str(found.status_details)
    missing = await refusal(call, "certificates", lambda client: client.get_certificate("bot"))
    assert missing == (404, "CertificateNotFound", "")
    now = 10.0
    found = await pending(call)
    assert found.status == "completed"
    assert found.target == f"{vault.server.url}/certificates/bot"
    made = await call("aio", "certificates", lambda client: client.get_certificate("bot"))
    request = x509.load_der_x509_csr(bytes(found.csr or b""))
    assert x509.load_der_x509_certificate(made.cer).public_key() == request.public_key()


async def test_the_location_of_a_creation_is_its_own(vault: KeyVault, call: VaultCaller) -> None:
    """The Location names the creation; it is not found once another one has taken its place."""
    path = "/certificates/bot/create"
    first = (await send(call, "POST", path, {"policy": SHORT_POLICY})).headers["Location"]
    assert (await send(call, "GET", first)).status_code == 200
    await create(call)
    gone = await send(call, "GET", first)
    assert gone.status_code == 404
    assert gone.json()["error"]["code"] == "PendingCertificateNotFound"
    assert len(vault.inventory.versions["bot"]) == 2


async def test_one_creation_at_a_time(vault: KeyVault, call: VaultCaller) -> None:
    """While one is in progress another is refused; once it is given up, it never completes."""
    now = 0.0
    vault.inventory.pending_seconds = 10
    vault.inventory.clock = lambda: now
    body = {"policy": SHORT_POLICY}
    await send(call, "POST", "/certificates/bot/create", body)
    refused = await send(call, "POST", "/certificates/bot/create", body)
    assert refused.status_code == 409
    assert "status is inProgress" in refused.json()["error"]["message"]
    await call("aio", "certificates", lambda client: client.delete_certificate_operation("bot"))
    now = 10.0
    gone = await refusal(
        call, "certificates", lambda client: client.get_certificate_operation("bot")
    )
    assert gone == (404, "PendingCertificateNotFound", "")
    assert "bot" not in vault.inventory.versions


async def test_another_issuer_s_certificate_stays_pending(call: VaultCaller) -> None:
    """With the issuer Unknown, somebody has to sign the request and merge the certificate."""
    policy = CertificatePolicy(issuer_name="Unknown", subject="CN=bot")
    made = await call(
        "aio",
        "certificates",
        lambda client: client.create_certificate("bot", policy, _polling_interval=0),
    )
    assert made.status == "inProgress"
    assert "Perform Merge" in made.status_details


@pytest.mark.parametrize("reuse", [True, False])
async def test_the_next_version_has_a_new_key_or_the_same(
    vault: KeyVault, call: VaultCaller, reuse: bool
) -> None:
    """Whether a version has the key of the one before is the policy's `reuse_key`."""
    policy = CertificatePolicy(issuer_name="Self", subject="CN=bot", reuse_key=reuse)
    await create(call, policy=policy)
    await create(call, policy=policy)
    one, two = vault.inventory.versions["bot"]
    assert one.version != two.version
    assert one.certificate != two.certificate
    assert (one.private_key is two.private_key) is reuse


async def test_the_next_version_needs_no_policy(vault: KeyVault, call: VaultCaller) -> None:
    """Without a policy in the request, a version is made by the kept one."""
    await create(call)
    answer = await send(call, "POST", "/certificates/bot/create", {})
    assert answer.status_code == 202
    assert (await pending(call)).status == "completed"
    assert not vault.inventory.versions["bot"][-1].exportable


async def test_a_version_can_be_made_disabled(call: VaultCaller) -> None:
    """The attributes of the request are those of the version."""
    made = await create(call, enabled=False)
    assert properties_of(made).enabled is False


async def test_a_key_is_used_as_its_certificate_says(vault: KeyVault, call: VaultCaller) -> None:
    """A key whose certificate is not for signatures does not sign, and says so."""
    policy = CertificatePolicy(
        issuer_name="Self", subject="CN=bot", key_usage=[KeyUsageType.key_encipherment]
    )
    made = await create(call, policy=policy)
    key = await call("aio", "keys", lambda client: client.get_key("bot"))
    assert key.key_operations == ["wrapKey", "unwrapKey"]
    path = f"/keys/bot/{properties_of(made).version}/sign?api-version=7.6"
    refused = await send(call, "POST", path, {"alg": "RS256", "value": "A" * 43})
    assert refused.status_code == 403
    assert refused.json()["error"]["innererror"]["code"] == "KeyOperationForbidden"
    signing = await create(call, policy=BOT_POLICY)
    path = f"/keys/bot/{properties_of(signing).version}"
    digest = bytes(32)
    signed = await call(
        "aio",
        "cryptography",
        lambda client: client.sign(SignatureAlgorithm.rs256, digest),
        path,
    )
    assert signed.signature
    assert vault.operations["keys/sign"] == 1
