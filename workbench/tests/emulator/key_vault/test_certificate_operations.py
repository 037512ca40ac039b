"""Operations on certificates: the azure-keyvault client imports, changes, deletes and recovers."""

import base64
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.keyvault.certificates import CertificateContact, CertificatePolicy
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from bot_workbench.emulator.certificates import private_key_pem
from bot_workbench.emulator.key_vault.inventory import Retention
from bot_workbench.emulator.key_vault.vault import ACTIONS, GrantedOperations, KeyVault
from tests.emulator.key_vault.certificate_calls import create, send
from tests.emulator.key_vault.vault_caller import LISTS, VaultCaller, kinds, refusal
from tests.emulator.registered_bot import PRINCIPAL

PEM_POLICY = CertificatePolicy(
    issuer_name="Unknown", key_size=2048, exportable=False, content_type="application/x-pem-file"
)


def pem(key: Any, certificate: x509.Certificate) -> bytes:
    return private_key_pem(key) + certificate.public_bytes(serialization.Encoding.PEM)


@kinds
@pytest.mark.parametrize("password", ["", "of the file"])
async def test_a_pfx_is_imported(
    vault: KeyVault,
    call: VaultCaller,
    key: rsa.RSAPrivateKey,
    certificate: x509.Certificate,
    kind: str,
    password: str,
) -> None:
    """A PFX becomes a version with its own certificate and key, with or without a password."""
    encryption = (
        serialization.BestAvailableEncryption(password.encode())
        if password
        else serialization.NoEncryption()
    )
    pfx = pkcs12.serialize_key_and_certificates(None, key, certificate, None, encryption)
    made = await call(
        kind,
        "certificates",
        lambda client: client.import_certificate("bot", pfx, password=password or None),
    )
    assert x509.load_der_x509_certificate(made.cer) == certificate
    assert made.policy.exportable
    assert (made.policy.subject, made.policy.key_size) == ("CN=bot", 2048)
    assert made.policy.issuer_name == "Unknown"
    (version,) = vault.inventory.versions["bot"]
    assert version.private_key.private_numbers() == key.private_numbers()


async def test_a_pem_is_imported(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey, certificate: x509.Certificate
) -> None:
    """A PEM needs a policy that says so; the key can be kept in the vault."""
    made = await call(
        "aio",
        "certificates",
        lambda client: client.import_certificate("bot", pem(key, certificate), policy=PEM_POLICY),
    )
    assert x509.load_der_x509_certificate(made.cer) == certificate
    assert made.policy.exportable is False
    (version,) = vault.inventory.versions["bot"]
    assert not version.exportable
    assert version.content_type == "application/x-pem-file"


FILES = {
    "no base64": ("!", ""),
    "no PFX": (base64.b64encode(b"contoso").decode(), ""),
    "no key": ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "pem"),
    "another form of key": ("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n", "pem"),
    "a spoiled key": ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "pem"),
}


@pytest.mark.parametrize(("value", "kind"), FILES.values(), ids=FILES)
async def test_a_file_that_is_not_readable_is_refused(
    vault: KeyVault, call: VaultCaller, value: str, kind: str
) -> None:
    """What is no PFX, or no PEM with a PKCS#8 key, is 400 BadParameter."""
    policy = {"secret_props": {"contentType": "application/x-pem-file"}} if kind else {}
    body = {"value": value, "policy": policy}
    answer = await send(call, "POST", "/certificates/bot/import", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "BadParameter"
    assert vault.inventory.versions == {}


async def test_a_foreign_key_is_refused(call: VaultCaller, certificate: x509.Certificate) -> None:
    """The key must be the certificate's, and RSA."""
    for other in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())):
        body = {
            "value": pem(other, certificate).decode(),
            "policy": {"secret_props": {"contentType": "application/x-pem-file"}},
        }
        answer = await send(call, "POST", "/certificates/bot/import", body)
        assert answer.status_code == 400


@kinds
async def test_a_version_is_changed(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey, kind: str
) -> None:
    """A version is disabled and tagged; the other versions stay as they are."""
    old = vault.inventory.add_version("bot", key=key)
    vault.inventory.add_version("bot", key=key)
    changed = await call(
        kind,
        "certificates",
        lambda client: client.update_certificate_properties(
            "bot", old.version, enabled=False, tags={"replaced": "yes"}
        ),
    )
    assert changed.properties.version == old.version
    assert changed.properties.enabled is False
    assert changed.properties.tags == {"replaced": "yes"}
    listed = await call("aio", "certificates", LISTS["certificates"])
    assert {each.version: each.enabled for each in listed} == {
        each.version: each.version != old.version for each in vault.inventory.versions["bot"]
    }
    refused = await refusal(call, "secrets", lambda client: client.get_secret("bot", old.version))
    assert refused == (403, "Forbidden", "SecretDisabled")


async def test_the_current_version_is_changed_without_its_id(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey
) -> None:
    """Without a version, the newest one is changed."""
    vault.inventory.add_version("bot", key=key)
    await call(
        "aio",
        "certificates",
        lambda client: client.update_certificate_properties("bot", enabled=False),
    )
    assert not vault.inventory.versions["bot"][-1].enabled


@kinds
async def test_certificates_are_listed_by_name(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey, kind: str
) -> None:
    """Each name is listed once, with the newest version's thumbprint, page by page."""
    for name in ("one", "two", "two", "three"):
        vault.inventory.add_version(name, key=key)
    listed = await call(
        kind,
        "certificates",
        lambda client: client.list_properties_of_certificates(max_page_size=2),
    )
    assert [each.name for each in listed] == ["one", "three", "two"]
    assert listed[0].id == f"{vault.server.url}/certificates/one"
    assert vault.operations == {"certificates/list": 2}


async def test_versions_of_a_key_are_listed(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey
) -> None:
    """A key has the versions of its certificate, and is managed by it."""
    made = vault.inventory.add_version("bot", key=key)
    (listed,) = await call(
        "aio", "keys", lambda client: client.list_properties_of_key_versions("bot")
    )
    assert (listed.version, listed.managed) == (made.version, True)


@kinds
async def test_a_deleted_certificate_can_be_recovered(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey, kind: str
) -> None:
    """Soft delete: it is gone with its key and secret, listed as deleted, and comes back."""
    made = vault.inventory.add_version("bot", key=key)

    def delete(client: Any) -> Any:
        if kind == "aio":
            return client.delete_certificate("bot", _polling_interval=0)
        return client.begin_delete_certificate("bot", _polling_interval=0).result()

    def recover(client: Any) -> Any:
        if kind == "aio":
            return client.recover_deleted_certificate("bot", _polling_interval=0)
        return client.begin_recover_deleted_certificate("bot", _polling_interval=0).result()

    deleted = await call(kind, "certificates", delete)
    assert deleted.recovery_id == f"{vault.server.url}/deletedcertificates/bot"
    assert (deleted.scheduled_purge_date - deleted.deleted_on).days == 90
    with pytest.raises(ResourceNotFoundError):
        await call("aio", "keys", lambda client: client.get_key("bot"))
    (listed,) = await call(kind, "certificates", lambda client: client.list_deleted_certificates())
    assert listed.name == "bot"
    recovered = await call(kind, "certificates", recover)
    assert recovered.properties.version == made.version
    found = await call(kind, "certificates", lambda client: client.get_certificate("bot"))
    assert found.policy.subject == "CN=bot"


async def test_the_name_of_a_deleted_certificate_is_taken(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey
) -> None:
    """A deleted certificate's name is free again only after it was purged."""
    vault.inventory.add_version("bot", key=key)
    assert (await send(call, "DELETE", "/certificates/bot")).status_code == 200
    body = {"policy": {"x509_props": {"subject": "CN=bot"}, "issuer": {"name": "Self"}}}
    refused = await send(call, "POST", "/certificates/bot/create", body)
    assert refused.status_code == 409
    assert refused.json()["error"]["innererror"]["code"] == "ObjectIsDeletedButRecoverable"
    await call("aio", "certificates", lambda client: client.purge_deleted_certificate("bot"))
    assert (await create(call)).name == "bot"


async def test_purge_protection_keeps_a_deleted_certificate(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey
) -> None:
    """Nobody can purge it; its attributes say so, and for how many days it is kept."""
    vault.inventory.add_version("bot", key=key)
    vault.inventory.retention = lambda: Retention(7, is_protected=True)
    assert (await send(call, "DELETE", "/certificates/bot")).status_code == 200
    found = (await send(call, "GET", "/deletedcertificates/bot")).json()
    attributes = found["attributes"]
    assert (attributes["recoveryLevel"], attributes["recoverableDays"]) == (
        "CustomizedRecoverable",
        7,
    )
    assert found["scheduledPurgeDate"] - found["deletedDate"] == 7 * 24 * 3600
    refused = await send(call, "DELETE", "/deletedcertificates/bot")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "Forbidden")
    assert (await send(call, "POST", "/deletedcertificates/bot/recover")).status_code == 200


@pytest.mark.parametrize(
    ("retention", "level"),
    [
        (Retention(), "Recoverable+Purgeable"),
        (Retention(is_protected=True), "Recoverable"),
        (Retention(30), "CustomizedRecoverable+Purgeable"),
    ],
)
def test_the_level_of_recovery(retention: Retention, level: str) -> None:
    """It says whether a deleted object can be purged, and whether the period is the usual one."""
    assert retention.level == level


async def test_what_was_not_deleted_is_not_found(call: VaultCaller) -> None:
    """Deleted certificates are 404 where there are none."""
    for method, path in (
        ("GET", "/deletedcertificates/bot"),
        ("DELETE", "/deletedcertificates/bot"),
        ("POST", "/deletedcertificates/bot/recover"),
        ("DELETE", "/certificates/bot"),
        ("GET", "/certificates/bot/policy"),
        ("PATCH", "/certificates/bot/policy"),
    ):
        answer = await send(call, method, path, {} if method == "PATCH" else None)
        assert answer.status_code == 404, path
        assert answer.json()["error"]["code"] == "CertificateNotFound"


@kinds
async def test_contacts(vault: KeyVault, call: VaultCaller, kind: str) -> None:
    """Contacts are set, read and deleted; where there are none, they are not found."""
    missing = await refusal(call, "certificates", lambda client: client.get_contacts())
    assert missing == (404, "ContactsNotFound", "")
    contacts = [CertificateContact(email="admin@contoso.com", name="Admin", phone="")]
    made = await call(kind, "certificates", lambda client: client.set_contacts(contacts))
    assert [each.email for each in made] == ["admin@contoso.com"]
    found = await call(kind, "certificates", lambda client: client.get_contacts())
    assert [each.name for each in found] == ["Admin"]
    await call(kind, "certificates", lambda client: client.delete_contacts())
    assert vault.inventory.contacts == []


@pytest.mark.parametrize("contacts", [None, "admin@contoso.com", [{"name": "Admin"}]])
async def test_a_contact_has_an_address(call: VaultCaller, contacts: Any) -> None:
    """Contacts are a list, and each has an e-mail address."""
    answer = await send(call, "PUT", "/certificates/contacts", {"contacts": contacts})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/certificates", "certificates/list"),
        ("POST", "/certificates/bot/create", "certificates/create"),
        ("POST", "/certificates/bot/import", "certificates/import"),
        ("GET", "/certificates/bot/pending", "certificates/get"),
        ("DELETE", "/certificates/bot/pending", "certificates/update"),
        ("GET", "/certificates/bot/policy", "certificates/get"),
        ("PATCH", "/certificates/bot/policy", "certificates/update"),
        ("PATCH", "/certificates/bot", "certificates/update"),
        ("DELETE", "/certificates/bot", "certificates/delete"),
        ("GET", "/deletedcertificates", "certificates/list"),
        ("POST", "/deletedcertificates/bot/recover", "certificates/recover"),
        ("DELETE", "/deletedcertificates/bot", "certificates/purge"),
        ("PUT", "/certificates/contacts", "certificates/managecontacts"),
        ("GET", "/keys/bot/versions", "keys/list"),
    ],
)
async def test_each_operation_needs_its_permission(
    permissions: GrantedOperations, call: VaultCaller, method: str, path: str, operation: str
) -> None:
    """With all permissions but its own an operation is forbidden; the refusal names the action."""
    body: dict[str, object] | None = {} if method in ("POST", "PUT", "PATCH") else None
    permissions[PRINCIPAL] = set(ACTIONS) - {operation}
    refused = await send(call, method, path, body)
    assert refused.status_code == 403
    error = refused.json()["error"]
    assert error["innererror"]["code"] == "ForbiddenByRbac"
    assert f"'Microsoft.KeyVault/vaults/{ACTIONS[operation]}'" in error["message"]
    permissions[PRINCIPAL] = {operation}
    assert (await send(call, method, path, body)).status_code != 403


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/certificates?api-version=2016-10-01x", "is not recognized"),
        ("/certificates?api-version=", "must be specified"),
        ("/certificates/bot_certificate?api-version=7.4", "invalid name: bot_certificate"),
    ],
)
async def test_a_request_must_make_sense(call: VaultCaller, path: str, problem: str) -> None:
    """An unknown version of the API, or a name with other characters, is 400 BadParameter."""
    answer = await send(call, "GET", path)
    assert answer.status_code == 400
    assert problem in answer.json()["error"]["message"]


@pytest.mark.parametrize("body", ["x", None, []])
async def test_a_body_must_be_an_object(call: VaultCaller, body: Any) -> None:
    """A body that is no JSON object is 400 BadParameter."""
    answer = await send(call, "POST", "/certificates/bot/create", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "BadParameter"
