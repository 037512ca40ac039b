"""KeyVault: the azure-keyvault clients read and sign with it, within their principal's rights."""

import asyncio
import base64
import hashlib
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.paging import ItemPaged
from azure.identity import ManagedIdentityCredential
from azure.identity.aio import ManagedIdentityCredential as AsyncManagedIdentityCredential
from azure.keyvault.certificates import CertificateClient
from azure.keyvault.certificates.aio import CertificateClient as AsyncCertificateClient
from azure.keyvault.keys import KeyClient, KeyVaultKey
from azure.keyvault.keys.aio import KeyClient as AsyncKeyClient
from azure.keyvault.keys.crypto import CryptographyClient, SignatureAlgorithm
from azure.keyvault.keys.crypto.aio import CryptographyClient as AsyncCryptographyClient
from azure.keyvault.secrets import ContentType, SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.hazmat.primitives.serialization import pkcs12

from emulator.certificates import CertificateAuthority, self_signed
from emulator.entra.endpoints import Entra
from emulator.entra.identity_endpoint import IdentityEndpoint
from emulator.entra.registration import Registration
from emulator.key_vault.certificate import PEM, PKCS12
from emulator.key_vault.vault import ACTIONS, RESOURCE, KeyVault

TENANT = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"
CLIENT = "7e1d2b64-2c0a-4d29-9b0e-8e3f5a7c4d44"
PRINCIPAL = "c3a9f0d1-6b7e-4a55-8d2f-1f4e6b8a9c55"
UNKNOWN = "9c2b7b0a-33a5-4f0e-8f61-3d1f0a9b5e33"
DIGEST = hashlib.sha256(b"what is signed").digest()

CLIENTS: dict[str, tuple[Any, Any]] = {
    "certificates": (CertificateClient, AsyncCertificateClient),
    "secrets": (SecretClient, AsyncSecretClient),
    "keys": (KeyClient, AsyncKeyClient),
    "cryptography": (CryptographyClient, AsyncCryptographyClient),
}

kinds = pytest.mark.parametrize("kind", ["sync", "aio"])


@pytest.fixture(scope="module")
def certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed("bot", key)


@pytest.fixture(scope="module")
def entra(authority: CertificateAuthority) -> Entra:
    """It only signs here: the clients sign in at the identity endpoint."""
    return Entra(Registration(CLIENT, TENANT, "UserAssignedMSI"), authority.server_context())


@dataclass
class Caller:
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
            AsyncManagedIdentityCredential(client_id=CLIENT) as credential,
            CLIENTS[client][1](url, credential, **options) as opened,
        ):
            answer = action(opened)
            if hasattr(answer, "__aiter__"):
                return [item async for item in answer]
            return await answer

    def _sync(self, client: str, action: Callable[[Any], Any], url: str | KeyVaultKey) -> Any:
        options: Any = {"verify_challenge_resource": False, "connection_verify": self.trust}
        with (
            ManagedIdentityCredential(client_id=CLIENT) as credential,
            CLIENTS[client][0](url, credential, **options) as opened,
        ):
            answer = action(opened)
            return list(answer) if isinstance(answer, ItemPaged) else answer


@pytest.fixture
async def vault(
    entra: Entra, authority: CertificateAuthority, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[KeyVault]:
    identity = IdentityEndpoint(entra, {CLIENT: PRINCIPAL})
    vault = KeyVault(entra, authority.server_context())
    vault.permissions[PRINCIPAL] = set(ACTIONS)
    await identity.server.start()
    await vault.server.start()
    for name, value in identity.settings().items():
        monkeypatch.setenv(name, value)
    yield vault
    await vault.server.stop()
    await identity.server.stop()


@pytest.fixture
def call(vault: KeyVault, authority: CertificateAuthority) -> Caller:
    return Caller(vault, str(authority.path))


@pytest.fixture
async def http(authority: CertificateAuthority) -> AsyncIterator[aiohttp.ClientSession]:
    trust = ssl.create_default_context(cafile=str(authority.path))
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


@kinds
async def test_a_certificate_is_read(
    vault: KeyVault, call: Caller, key: rsa.RSAPrivateKey, kind: str
) -> None:
    """Without a version the newest one is read, with a version that one."""
    old = vault.add_version("bot", key=key)
    new = vault.add_version("bot", key=key)
    latest = await call(kind, "certificates", lambda client: client.get_certificate("bot"))
    assert latest.properties.version == new.version
    assert x509.load_der_x509_certificate(latest.cer) == new.certificate
    sha1 = new.certificate.fingerprint(hashes.SHA1())  # noqa: S303  # x5t is SHA-1 by definition
    assert latest.properties.x509_thumbprint == sha1
    assert latest.properties.enabled
    assert latest.properties.expires_on == new.certificate.not_valid_after_utc
    assert latest.key_id == f"{vault.server.url}/keys/bot/{new.version}"
    assert latest.secret_id == f"{vault.server.url}/secrets/bot/{new.version}"
    assert latest.policy.content_type == PKCS12
    assert latest.policy.exportable
    found = await call(
        kind, "certificates", lambda client: client.get_certificate_version("bot", old.version)
    )
    assert x509.load_der_x509_certificate(found.cer) == old.certificate
    assert found.properties.created_on < latest.properties.created_on


LISTS: dict[str, Callable[..., Any]] = {
    "certificates": lambda client, **options: client.list_properties_of_certificate_versions(
        "bot", **options
    ),
    "secrets": lambda client, **options: client.list_properties_of_secret_versions(
        "bot", **options
    ),
}


@kinds
@pytest.mark.parametrize("client", LISTS)
@pytest.mark.parametrize("page", [None, 4])
async def test_versions_are_listed_page_by_page(
    vault: KeyVault,
    call: Caller,
    key: rsa.RSAPrivateKey,
    certificate: x509.Certificate,
    kind: str,
    client: str,
    page: int | None,
) -> None:
    """All versions come by id, in pages of 25 or as asked; the newest is the one created last."""
    made = [
        vault.add_version("bot", key=key, certificate=certificate, enabled=number != 3)
        for number in range(30)
    ]
    options = {} if page is None else {"max_page_size": page}
    listed = await call(kind, client, lambda opened: LISTS[client](opened, **options))
    ids = [properties.version for properties in listed]
    assert ids == sorted(version.version for version in made)
    by_age = sorted(listed, key=lambda properties: properties.created_on)
    assert [properties.version for properties in by_age] == [version.version for version in made]
    assert [properties.enabled for properties in by_age] == [version.enabled for version in made]
    # One request more where the client did not know yet how to sign in.
    pages = 2 if page is None else 8
    assert vault.server.requests[f"GET /{client}/bot/versions"] in (pages, pages + 1)
    assert vault.operations == {f"{client}/list": pages}


@kinds
async def test_a_listed_secret_has_all_but_its_value(
    vault: KeyVault, call: Caller, key: rsa.RSAPrivateKey, kind: str
) -> None:
    """A version of a secret is listed with its type, its validity and who manages it."""
    made = vault.add_version("bot", key=key, content_type=PEM, enabled=False)
    (listed,) = await call(kind, "secrets", LISTS["secrets"])
    assert listed.id == f"{vault.server.url}/secrets/bot/{made.version}"
    assert listed.content_type == PEM
    assert listed.managed
    assert listed.enabled is False
    assert listed.not_before == made.certificate.not_valid_before_utc
    assert listed.expires_on == made.certificate.not_valid_after_utc
    assert listed.created_on.timestamp() == listed.updated_on.timestamp() == made.created
    assert "value" not in made.listed_secret(vault.server.url)


@kinds
async def test_a_secret_holds_the_certificate_as_pfx(
    vault: KeyVault, call: Caller, key: rsa.RSAPrivateKey, kind: str
) -> None:
    """The PFX has no password and holds private key and certificate of its version."""
    old = vault.add_version("bot", key=key)
    vault.add_version("bot", key=key)
    secret = await call(kind, "secrets", lambda client: client.get_secret("bot", old.version))
    assert secret.properties.content_type == "application/x-pkcs12"
    assert secret.properties.version == old.version
    private, public, _ = pkcs12.load_key_and_certificates(base64.b64decode(secret.value), b"")
    assert public == old.certificate
    assert isinstance(private, rsa.RSAPrivateKey)
    assert private.private_numbers() == key.private_numbers()


@kinds
async def test_a_secret_holds_the_certificate_as_pem(
    vault: KeyVault, call: Caller, key: rsa.RSAPrivateKey, kind: str
) -> None:
    """The PEM is the private key, then the certificate."""
    made = vault.add_version("bot", key=key, content_type=PEM)
    secret = await call(kind, "secrets", lambda client: client.get_secret("bot"))
    assert secret.properties.content_type == "application/x-pem-file"
    assert secret.value.startswith("-----BEGIN PRIVATE KEY-----")
    private = serialization.load_pem_private_key(secret.value.encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    assert private.private_numbers() == key.private_numbers()
    assert x509.load_pem_x509_certificate(secret.value.encode()) == made.certificate


@kinds
@pytest.mark.parametrize("content_type", [PKCS12, PEM])
@pytest.mark.parametrize("exportable", [True, False])
async def test_a_secret_is_converted_to_pem(
    vault: KeyVault,
    call: Caller,
    key: rsa.RSAPrivateKey,
    kind: str,
    content_type: str,
    exportable: bool,
) -> None:
    """Asked for PEM, a PFX comes as PEM too, its private key only where it may leave the vault."""
    made = vault.add_version("bot", key=key, content_type=content_type, exportable=exportable)
    secret = await call(
        kind, "secrets", lambda client: client.get_secret("bot", out_content_type=ContentType.PEM)
    )
    assert secret.properties.content_type == PEM
    assert x509.load_pem_x509_certificate(secret.value.encode()) == made.certificate
    assert secret.value.startswith("-----BEGIN PRIVATE KEY-----") is exportable
    assert ("PRIVATE" in secret.value) is exportable
    plain = await call(kind, "secrets", lambda client: client.get_secret("bot"))
    assert plain.properties.content_type == content_type


@pytest.mark.parametrize(
    ("content_type", "wanted"),
    [(PEM, PKCS12), (PKCS12, "text/plain"), (PEM, "text/plain"), ("text/plain", PEM)],
)
async def test_another_conversion_is_refused(
    vault: KeyVault, call: Caller, key: rsa.RSAPrivateKey, content_type: str, wanted: str
) -> None:
    """PEM does not become PFX, and nothing becomes, or comes from, another type."""
    vault.add_version("bot", key=key, content_type=content_type)
    refused = await refusal(
        call, "secrets", lambda client: client.get_secret("bot", out_content_type=wanted)
    )
    assert refused == (400, "BadParameter", "")
    assert vault.operations["secrets/get"] == 0


async def test_a_key_that_is_not_exportable_stays_in_the_vault(
    vault: KeyVault, call: Caller, key: rsa.RSAPrivateKey
) -> None:
    """The secret then holds the certificate alone, in either form."""
    made = vault.add_version("pfx", key=key, exportable=False)
    vault.add_version(
        "pem", key=key, certificate=made.certificate, content_type=PEM, exportable=False
    )
    pfx = await call("aio", "secrets", lambda client: client.get_secret("pfx"))
    private, public, more = pkcs12.load_key_and_certificates(base64.b64decode(pfx.value), b"")
    assert private is None
    assert made.certificate in (public, *more)
    pem = await call("aio", "secrets", lambda client: client.get_secret("pem"))
    assert "PRIVATE" not in pem.value
    assert x509.load_pem_x509_certificate(pem.value.encode()) == made.certificate
    bundle = await call("aio", "certificates", lambda client: client.get_certificate("pfx"))
    assert bundle.policy.exportable is False


@kinds
@pytest.mark.parametrize(
    ("algorithm", "scheme"),
    [
        (SignatureAlgorithm.ps256, padding.PSS(padding.MGF1(hashes.SHA256()), 32)),
        (SignatureAlgorithm.rs256, padding.PKCS1v15()),
    ],
)
@pytest.mark.parametrize("readable", [True, False])
async def test_the_vault_signs(
    vault: KeyVault,
    call: Caller,
    key: rsa.RSAPrivateKey,
    kind: str,
    algorithm: SignatureAlgorithm,
    scheme: padding.AsymmetricPadding,
    readable: bool,
) -> None:
    """A digest is signed in one request, whether or not the caller may read the public key."""
    if not readable:
        vault.permissions[PRINCIPAL] = {"keys/sign"}
    made = vault.add_version("bot", key=key, exportable=False)
    path = f"/keys/bot/{made.version}"
    result = await call(kind, "cryptography", lambda client: client.sign(algorithm, DIGEST), path)
    prehashed = utils.Prehashed(hashes.SHA256())
    key.public_key().verify(result.signature, DIGEST, scheme, prehashed)
    with pytest.raises(InvalidSignature):
        key.public_key().verify(result.signature, bytes(32), scheme, prehashed)
    assert vault.server.requests[f"POST {path}/sign"] == 1


@kinds
async def test_the_vault_signs_for_whoever_has_the_public_key(
    vault: KeyVault, call: Caller, key: rsa.RSAPrivateKey, kind: str
) -> None:
    """A client that is given the key's id and public numbers signs without asking for the key."""
    vault.permissions[PRINCIPAL] = {"keys/sign"}
    made = vault.add_version("bot", key=key, exportable=False)
    path = f"/keys/bot/{made.version}"
    numbers = key.public_key().public_numbers()
    jwk = {
        "kty": "RSA",
        "key_ops": ["sign", "verify"],
        "n": numbers.n.to_bytes(256),
        "e": numbers.e.to_bytes(3),
    }
    public = KeyVaultKey(f"{vault.server.url}{path}", jwk)
    result = await call(
        kind,
        "cryptography",
        lambda client: client.sign(SignatureAlgorithm.ps256, DIGEST),
        "",
        public,
    )
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    key.public_key().verify(result.signature, DIGEST, scheme, utils.Prehashed(hashes.SHA256()))
    assert set(vault.server.requests) == {f"POST {path}/sign"}
    assert vault.operations == {"keys/sign": 1}


async def test_a_key_is_read(vault: KeyVault, call: Caller, key: rsa.RSAPrivateKey) -> None:
    """The public half of the key is that of the certificate; the private half stays."""
    made = vault.add_version("bot", key=key)
    found = await call("aio", "keys", lambda client: client.get_key("bot", made.version))
    numbers = key.public_key().public_numbers()
    assert (int.from_bytes(found.key.n), int.from_bytes(found.key.e)) == (numbers.n, numbers.e)
    assert found.key.d is None
    assert found.properties.managed
    latest = await call("sync", "keys", lambda client: client.get_key("bot"))
    assert latest.id == found.id


async def refusal(
    call: Caller, client: str, action: Callable[[Any], Any], path: str = ""
) -> tuple[int, str, str]:
    """Status, code and inner code of the refusal that the client raises."""
    with pytest.raises(HttpResponseError) as caught:
        await call("aio", client, action, path)
    error: Any = caught.value.error
    inner = error.innererror or {}
    return caught.value.status_code or 0, error.code, inner.get("code", "")


async def test_a_disabled_version_is_closed(
    vault: KeyVault, call: Caller, key: rsa.RSAPrivateKey
) -> None:
    """Its secret cannot be read and its key does not sign; its public parts can, and are listed."""
    made = vault.add_version("bot", key=key, enabled=False)
    bundle = await call("aio", "certificates", lambda client: client.get_certificate("bot"))
    assert bundle.properties.enabled is False
    assert x509.load_der_x509_certificate(bundle.cer) == made.certificate
    for client, listing in LISTS.items():
        (listed,) = await call("aio", client, listing)
        assert listed.enabled is False
    disabled = await refusal(call, "secrets", lambda client: client.get_secret("bot"))
    assert disabled == (403, "Forbidden", "SecretDisabled")
    disabled = await refusal(
        call,
        "cryptography",
        lambda client: client.sign(SignatureAlgorithm.ps256, DIGEST),
        f"/keys/bot/{made.version}",
    )
    assert disabled == (403, "Forbidden", "KeyDisabled")


@pytest.mark.parametrize(("start", "end"), [(-20, -1), (1, 20)])
async def test_a_key_out_of_its_time_does_not_sign(
    vault: KeyVault, call: Caller, key: rsa.RSAPrivateKey, start: float, end: float
) -> None:
    """Before and after the certificate's validity signing is refused; its secret can be read."""
    made = vault.add_version("bot", key=key, starts_in_days=start, ends_in_days=end)
    vault.permissions[PRINCIPAL] = {"keys/sign", "secrets/get"}
    refused = await refusal(
        call,
        "cryptography",
        lambda client: client.sign(SignatureAlgorithm.ps256, DIGEST),
        f"/keys/bot/{made.version}",
    )
    assert refused == (403, "Forbidden", "KeyNotValidNow")
    secret = await call("aio", "secrets", lambda client: client.get_secret("bot"))
    assert secret.value


@dataclass
class Operation:
    """One call of a client, and what its refusals are named after."""

    client: str
    action: Callable[[Any], Any]
    path: str = ""
    thing: str = ""


OPERATIONS = {
    "certificates/get": Operation(
        "certificates", lambda client: client.get_certificate("bot"), thing="Certificate"
    ),
    "certificates/list": Operation(
        "certificates",
        lambda client: client.list_properties_of_certificate_versions("bot"),
        thing="Certificate",
    ),
    "secrets/get": Operation("secrets", lambda client: client.get_secret("bot"), thing="Secret"),
    "secrets/list": Operation("secrets", LISTS["secrets"], thing="Secret"),
    "keys/get": Operation("keys", lambda client: client.get_key("bot"), thing="Key"),
    "keys/sign": Operation(
        "cryptography",
        lambda client: client.sign(SignatureAlgorithm.rs256, DIGEST),
        "/keys/bot/{version}",
        "Key",
    ),
}


@pytest.mark.parametrize("permission", OPERATIONS)
async def test_each_operation_needs_its_own_permission(
    vault: KeyVault, call: Caller, key: rsa.RSAPrivateKey, permission: str
) -> None:
    """An operation passes with its permission alone, and is forbidden with all the others."""
    made = vault.add_version("bot", key=key)
    operation = OPERATIONS[permission]
    path = operation.path.format(version=made.version)
    vault.permissions[PRINCIPAL] = {permission}
    await call("aio", operation.client, operation.action, path)
    vault.permissions[PRINCIPAL] = set(ACTIONS) - {permission}
    refused = await refusal(call, operation.client, operation.action, path)
    assert refused == (403, "Forbidden", "ForbiddenByRbac")
    assert vault.operations[permission] == 1


async def test_a_principal_without_rights_learns_nothing(vault: KeyVault, call: Caller) -> None:
    """A principal that the vault does not know is forbidden, also what does not exist."""
    vault.permissions = {UNKNOWN: set(ACTIONS)}
    refused = await refusal(call, "secrets", lambda client: client.get_secret("bot"))
    assert refused == (403, "Forbidden", "ForbiddenByRbac")


@kinds
@pytest.mark.parametrize("permission", OPERATIONS)
async def test_what_does_not_exist_is_not_found(call: Caller, kind: str, permission: str) -> None:
    """Unknown names are 404 with the code of their kind."""
    operation = OPERATIONS[permission]
    with pytest.raises(ResourceNotFoundError) as caught:
        await call(kind, operation.client, operation.action, operation.path.format(version=UNKNOWN))
    error: Any = caught.value.error
    assert error.code == f"{operation.thing}NotFound"


async def test_an_unknown_version_is_not_found(
    vault: KeyVault, call: Caller, key: rsa.RSAPrivateKey
) -> None:
    """A version of another name is none of this one's."""
    vault.add_version("bot", key=key)
    other = vault.add_version("other", key=key)
    refused = await refusal(call, "secrets", lambda client: client.get_secret("bot", other.version))
    assert refused == (404, "SecretNotFound", "")


def bearer(vault: KeyVault, changes: dict[str, Any], scheme: str = "Bearer") -> str:
    claims = {
        "aud": RESOURCE,
        "iss": f"https://sts.windows.net/{TENANT}/",
        "oid": PRINCIPAL,
        "appid": CLIENT,
        **changes,
    }
    return f"{scheme} {vault.entra.issuer.sign(claims)}"


TOKENS: dict[str, dict[str, Any]] = {
    "for another resource": {"aud": "https://storage.azure.com"},
    "of another tenant": {"iss": f"https://sts.windows.net/{UNKNOWN}/"},
    "expired": {"exp": int(time.time()) - 60},
}


@pytest.mark.parametrize("changes", TOKENS.values(), ids=TOKENS)
async def test_a_token_that_is_not_for_the_vault_is_challenged(
    vault: KeyVault, http: aiohttp.ClientSession, changes: dict[str, Any]
) -> None:
    """Audience, issuer and expiry of the bearer token are checked; a sound one passes."""
    url = f"{vault.server.url}/secrets/bot?api-version=7.6"
    async with http.get(url, headers={"Authorization": bearer(vault, {})}) as response:
        assert response.status == 404
    async with http.get(url, headers={"Authorization": bearer(vault, changes)}) as response:
        assert response.status == 401
        assert "WWW-Authenticate" in response.headers


async def test_the_scheme_must_be_bearer(vault: KeyVault, http: aiohttp.ClientSession) -> None:
    """A sound token does not help under another scheme."""
    headers = {"Authorization": bearer(vault, {}, "Basic")}
    async with http.get(f"{vault.server.url}/secrets/bot", headers=headers) as response:
        assert response.status == 401


@pytest.mark.parametrize("authorization", [None, "Basic YTpi", "Bearer ", "Bearer made-up"])
async def test_a_caller_without_a_token_is_told_where_to_get_one(
    vault: KeyVault, http: aiohttp.ClientSession, authorization: str | None
) -> None:
    """The challenge names the tenant's sign-in address and the vault's resource."""
    headers = {} if authorization is None else {"Authorization": authorization}
    async with http.get(f"{vault.server.url}/secrets/bot", headers=headers) as response:
        assert response.status == 401
        assert (await response.json())["error"]["code"] == "Unauthorized"
        assert response.headers["WWW-Authenticate"] == (
            f'Bearer authorization="{vault.entra.server.url}/{TENANT}", resource="{RESOURCE}"'
        )


ORDERS: dict[str, Any] = {
    "another algorithm": {"alg": "RS512", "value": "A" * 43},
    "digest too short": {"alg": "PS256", "value": "AAAA"},
    "no base64url": {"alg": "PS256", "value": "A"},
    "digest is a number": {"alg": "PS256", "value": 7},
    "no digest": {"alg": "PS256"},
    "not an object": ["PS256"],
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
async def test_a_faulty_order_to_sign_is_refused(
    vault: KeyVault, http: aiohttp.ClientSession, key: rsa.RSAPrivateKey, order: Any
) -> None:
    """Unknown algorithms and what is no SHA-256 digest are 400 BadParameter."""
    made = vault.add_version("bot", key=key)
    url = f"{vault.server.url}/keys/bot/{made.version}/sign"
    headers = {"Authorization": bearer(vault, {})}
    async with http.post(url, headers=headers, json=order) as response:
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "BadParameter"


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
async def test_the_whole_vault_can_be_throttled(
    vault: KeyVault, call: Caller, operation: Operation
) -> None:
    """A fault answers every operation with 429 and when to come back; the client raises it."""
    vault.server.faults.set(status=429, retry_after=7)
    with pytest.raises(HttpResponseError) as caught:
        await call("aio", operation.client, operation.action, operation.path, retries=0)
    assert caught.value.status_code == 429
    answer: Any = caught.value.response
    assert answer.headers["Retry-After"] == "7"


async def test_a_faulty_page_is_refused(
    vault: KeyVault, http: aiohttp.ClientSession, key: rsa.RSAPrivateKey
) -> None:
    """A page size that is no number is 400 BadParameter."""
    vault.add_version("bot", key=key)
    url = f"{vault.server.url}/certificates/bot/versions?maxresults=many"
    async with http.get(url, headers={"Authorization": bearer(vault, {})}) as response:
        assert response.status == 400


def test_a_version_gets_its_own_key(vault: KeyVault) -> None:
    """Without a given key each version has a new one, with a certificate for it."""
    made = vault.add_version("bot")
    assert made.certificate.public_key() == made.private_key.public_key()
    assert vault.versions["bot"] == [made]
