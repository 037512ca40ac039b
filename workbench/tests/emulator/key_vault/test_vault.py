"""KeyVault: the azure-keyvault clients read and sign with it, within their principal's rights."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.keys import KeyVaultKey
from azure.keyvault.keys.crypto import SignatureAlgorithm
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

from bot_workbench.emulator.key_vault.vault import ACTIONS, RESOURCE, GrantedOperations, KeyVault
from tests.emulator.key_vault.vault_caller import LISTS, VaultCaller, kinds, refusal
from tests.emulator.registered_bot import MANAGED_IDENTITY, PRINCIPAL, TENANT, UNKNOWN

DIGEST = hashlib.sha256(b"what is signed").digest()


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
    permissions: GrantedOperations,
    call: VaultCaller,
    key: rsa.RSAPrivateKey,
    kind: str,
    algorithm: SignatureAlgorithm,
    scheme: padding.AsymmetricPadding,
    readable: bool,
) -> None:
    """A digest is signed in one request, whether or not the caller may read the public key."""
    if not readable:
        permissions[PRINCIPAL] = {"keys/sign"}
    made = vault.inventory.add_version("bot", key=key, exportable=False)
    path = f"/keys/bot/{made.version}"
    result = await call(kind, "cryptography", lambda client: client.sign(algorithm, DIGEST), path)
    prehashed = utils.Prehashed(hashes.SHA256())
    key.public_key().verify(result.signature, DIGEST, scheme, prehashed)
    with pytest.raises(InvalidSignature):
        key.public_key().verify(result.signature, bytes(32), scheme, prehashed)
    assert vault.server.requests[f"POST {path}/sign"] == 1


@kinds
async def test_the_vault_signs_for_whoever_has_the_public_key(
    vault: KeyVault,
    permissions: GrantedOperations,
    call: VaultCaller,
    key: rsa.RSAPrivateKey,
    kind: str,
) -> None:
    """A client with the key's id and public numbers signs without requesting the key."""
    permissions[PRINCIPAL] = {"keys/sign"}
    made = vault.inventory.add_version("bot", key=key, exportable=False)
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


async def test_a_disabled_version_is_closed(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey
) -> None:
    """A disabled version's secret and key are refused; its public parts are listed and read."""
    made = vault.inventory.add_version("bot", key=key, enabled=False)
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
    vault: KeyVault,
    permissions: GrantedOperations,
    call: VaultCaller,
    key: rsa.RSAPrivateKey,
    start: float,
    end: float,
) -> None:
    """Outside the certificate's validity signing is refused; the secret can be read."""
    made = vault.inventory.add_version("bot", key=key, starts_in_days=start, ends_in_days=end)
    permissions[PRINCIPAL] = {"keys/sign", "secrets/get"}
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
    vault: KeyVault,
    permissions: GrantedOperations,
    call: VaultCaller,
    key: rsa.RSAPrivateKey,
    permission: str,
) -> None:
    """Each operation is allowed with its own permission, and forbidden with all others."""
    made = vault.inventory.add_version("bot", key=key)
    operation = OPERATIONS[permission]
    path = operation.path.format(version=made.version)
    permissions[PRINCIPAL] = {permission}
    await call("aio", operation.client, operation.action, path)
    permissions[PRINCIPAL] = set(ACTIONS) - {permission}
    refused = await refusal(call, operation.client, operation.action, path)
    assert refused == (403, "Forbidden", "ForbiddenByRbac")
    assert vault.operations[permission] == 1


async def test_a_principal_without_rights_learns_nothing(
    permissions: GrantedOperations, call: VaultCaller
) -> None:
    """A principal without permissions gets the same refusal for what does not exist."""
    permissions[UNKNOWN] = permissions.pop(PRINCIPAL)
    refused = await refusal(call, "secrets", lambda client: client.get_secret("bot"))
    assert refused == (403, "Forbidden", "ForbiddenByRbac")


@kinds
@pytest.mark.parametrize("permission", OPERATIONS)
async def test_what_does_not_exist_is_not_found(
    call: VaultCaller, kind: str, permission: str
) -> None:
    """Unknown names are 404 with the code of their kind."""
    operation = OPERATIONS[permission]
    with pytest.raises(ResourceNotFoundError) as caught:
        await call(kind, operation.client, operation.action, operation.path.format(version=UNKNOWN))
    error: Any = caught.value.error
    assert error.code == f"{operation.thing}NotFound"


async def test_an_unknown_version_is_not_found(
    vault: KeyVault, call: VaultCaller, key: rsa.RSAPrivateKey
) -> None:
    """A version of another certificate is not found under this one's name."""
    vault.inventory.add_version("bot", key=key)
    other = vault.inventory.add_version("other", key=key)
    refused = await refusal(call, "secrets", lambda client: client.get_secret("bot", other.version))
    assert refused == (404, "SecretNotFound", "")


def bearer(vault: KeyVault, changes: dict[str, Any], scheme: str = "Bearer") -> str:
    claims = {
        "aud": RESOURCE,
        "iss": f"https://sts.windows.net/{TENANT}/",
        "oid": PRINCIPAL,
        "appid": MANAGED_IDENTITY,
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
    """Audience, issuer and expiry of the bearer token are checked."""
    url = f"{vault.server.url}/secrets/bot?api-version=7.6"
    async with http.get(url, headers={"Authorization": bearer(vault, {})}) as response:
        assert response.status == 404
    async with http.get(url, headers={"Authorization": bearer(vault, changes)}) as response:
        assert response.status == 401
        assert "WWW-Authenticate" in response.headers


async def test_the_scheme_must_be_bearer(vault: KeyVault, http: aiohttp.ClientSession) -> None:
    """A valid token is refused under another scheme."""
    headers = {"Authorization": bearer(vault, {}, "Basic")}
    async with http.get(f"{vault.server.url}/secrets/bot", headers=headers) as response:
        assert response.status == 401


@pytest.mark.parametrize("authorization", [None, "Basic YTpi", "Bearer ", "Bearer made-up"])
async def test_a_caller_without_a_token_learns_where_to_get_one(
    vault: KeyVault, http: aiohttp.ClientSession, authorization: str | None
) -> None:
    """The challenge has the tenant's authority and the vault's resource."""
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
    """An unknown algorithm, or a value that is not a SHA-256 digest, is 400 BadParameter."""
    made = vault.inventory.add_version("bot", key=key)
    url = f"{vault.server.url}/keys/bot/{made.version}/sign?api-version=7.6"
    headers = {"Authorization": bearer(vault, {})}
    async with http.post(url, headers=headers, json=order) as response:
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "BadParameter"


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
async def test_the_whole_vault_can_be_throttled(
    vault: KeyVault, call: VaultCaller, operation: Operation
) -> None:
    """With a fault every operation is a 429 with Retry-After, which the client raises."""
    vault.server.faults.set(status=429, retry_after=7)
    with pytest.raises(HttpResponseError) as caught:
        await call("aio", operation.client, operation.action, operation.path, retries=0)
    assert caught.value.status_code == 429
    answer: Any = caught.value.response
    assert answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize("size", ["many", "0", "-1"])
async def test_a_faulty_page_is_refused(
    vault: KeyVault, http: aiohttp.ClientSession, key: rsa.RSAPrivateKey, size: str
) -> None:
    """A page size that is not a positive number is 400 BadParameter: a list would never end."""
    vault.inventory.add_version("bot", key=key)
    url = f"{vault.server.url}/certificates/bot/versions?api-version=7.6&maxresults={size}"
    async with http.get(url, headers={"Authorization": bearer(vault, {})}) as response:
        assert response.status == 400


def test_a_version_gets_its_own_key(vault: KeyVault) -> None:
    """Without a given key each version gets a new one, and a certificate for it."""
    made = vault.inventory.add_version("bot")
    assert made.certificate.public_key() == made.private_key.public_key()
    assert vault.inventory.versions["bot"] == [made]
