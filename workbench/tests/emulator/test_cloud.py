"""Cloud: its parts listen on loopback only, and each credential finds there what it needs."""

import asyncio
import hashlib
import json
import socket
import ssl
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity.aio import ClientAssertionCredential, ManagedIdentityCredential
from azure.keyvault.certificates.aio import CertificateClient
from azure.keyvault.keys.aio import KeyClient
from azure.keyvault.keys.crypto import SignatureAlgorithm
from azure.keyvault.keys.crypto.aio import CryptographyClient
from azure.keyvault.secrets.aio import SecretClient
from cryptography import x509

from auth.settings import Settings
from bot_workbench.credential_kinds import (
    CERTIFICATE,
    FEDERATED,
    KINDS,
    MANAGED_IDENTITY,
    SIGN_IN_VAULT,
)
from bot_workbench.emulator.certificates import base64url, x5t_s256
from bot_workbench.emulator.cloud import CERTIFICATE_NAME, Cloud
from bot_workbench.emulator.server import Server
from tests.emulator.registered_bot import BOT_FRAMEWORK
from tests.support.timing.clock import Clock


async def reachable(host: str, server: Server) -> bool:
    """Somebody listens there; asked as a client would, so that the server sees the end too."""
    ours = ssl.create_default_context()
    ours.check_hostname, ours.verify_mode = False, ssl.CERT_NONE
    tls = ours if server.url.startswith("https") else None
    try:
        _, writer = await asyncio.open_connection(host, server.port, ssl=tls)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def some_reachable(host: str, cloud: Cloud) -> set[str]:
    """The parts of a cloud that listen on a host."""
    servers = cloud.servers.items()
    return {name for name, server in servers if await reachable(host, server)}


@asynccontextmanager
async def started(folder: Path, credential: str) -> AsyncIterator[Cloud]:
    """A cloud for a credential, stopped in the end."""
    cloud = Cloud(folder, credential)
    await cloud.start()
    try:
        yield cloud
    finally:
        await cloud.stop()


async def test_loopback_only(tmp_path: Path) -> None:
    """Every server listens on 127.0.0.1, and not on this machine's other addresses."""
    cloud = Cloud(tmp_path)
    await cloud.start()
    try:
        assert await some_reachable("127.0.0.1", cloud) == set(cloud.servers)
        # Another address of the loopback net: who listens on every address has it too.
        assert await some_reachable("127.0.0.2", cloud) == set()
    finally:
        await cloud.stop()
    assert await some_reachable("127.0.0.1", cloud) == set()


async def test_port_in_use(tmp_path: Path) -> None:
    """If one port is in use, no server keeps running."""
    cloud = Cloud(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="address already in use"):
            await cloud.start({"switches": taken.getsockname()[1]})
    assert await some_reachable("127.0.0.1", cloud) == set()


@pytest.mark.parametrize("credential", list(KINDS))
async def test_settings(credential: str, tmp_path: Path) -> None:
    """The app accepts the settings that the local cloud gives it, in Kubernetes too."""
    async with started(tmp_path, credential) as cloud:
        environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"} | cloud.settings()
        settings = Settings.from_environ(environ)
    assert settings.credential == environ["BotCredential"]
    assert settings.service_urls.loopback
    assert not settings.unauthenticated


@pytest.mark.parametrize("credential", list(KINDS))
@pytest.mark.parametrize("version", [1, 2])
async def test_another_bot(credential: str, version: int, tmp_path: Path) -> None:
    """A second bot signs in as a managed identity, and accepts the first one's tokens for it."""
    async with started(tmp_path, credential) as cloud:
        other = cloud.add_bot(version)
        first, allowed = cloud.registration.app_id, {"AllowedCallers": cloud.registration.app_id}
        settings = Settings.from_environ(cloud.settings(other) | allowed)
        assert cloud.settings()["MicrosoftAppId"] == first
        principal = cloud.identity.identities[other.app_id]
        token, _ = cloud.entra.app_token(
            other.app_id, first, principal, tenant_id=cloud.registration.tenant_id
        )
    claims = cloud.entra.issuer.verify(
        token, other.app_id, jwt.decode(token, options={"verify_signature": False})["iss"]
    )
    assert (settings.app_id, settings.credential) == (other.app_id, MANAGED_IDENTITY)
    assert settings.bot_callers.versions[claims["iss"]] == claims["ver"] == f"{version}.0"
    assert settings.bot_callers.app_id(claims) == first


SETTINGS: dict[str, dict[str, str]] = {
    MANAGED_IDENTITY: {"MicrosoftAppType": "UserAssignedMSI", "BotCredential": "ManagedIdentity"},
    CERTIFICATE: {
        "MicrosoftAppType": "SingleTenant",
        "BotCredential": "Certificate",
        "CertificateVaultUrl": "{vault}",
        "CertificateName": CERTIFICATE_NAME,
    },
    SIGN_IN_VAULT: {
        "MicrosoftAppType": "SingleTenant",
        "BotCredential": "SignInVault",
        "CertificateVaultUrl": "{vault}",
        "CertificateName": CERTIFICATE_NAME,
    },
    FEDERATED: {
        "MicrosoftAppType": "SingleTenant",
        "BotCredential": "Federated",
        "AZURE_CLIENT_ID": "{identity}",
    },
}
"""By credential, the settings in which credentials differ."""


@pytest.mark.parametrize("credential", list(KINDS))
async def test_settings_of_each_credential(credential: str, tmp_path: Path) -> None:
    """Each credential gets its own settings, and none of another's."""
    async with started(tmp_path, credential) as cloud:
        settings = cloud.settings()
    places = {"vault": cloud.vault.server.url, "identity": cloud.user_assigned}
    names = {name for table in SETTINGS.values() for name in table}
    found = {name: value for name, value in settings.items() if name in names}
    assert found == {name: value.format(**places) for name, value in SETTINGS[credential].items()}


def behave_like_the_app(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Take the cloud's settings into this process; what its clients of the vault are made with."""
    for name, value in cloud.settings().items():
        monkeypatch.setenv(name, value)
    return {"verify_challenge_resource": False, "connection_verify": str(cloud.authority.path)}


@asynccontextmanager
async def in_front_of_the_vault(
    folder: Path, credential: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Cloud, ManagedIdentityCredential, dict[str, Any]]]:
    """A started cloud, its reader's credential and the options of the vault's clients."""
    async with started(folder, credential) as cloud:
        options = behave_like_the_app(cloud, monkeypatch)
        async with ManagedIdentityCredential() as reader:
            yield cloud, reader, options


async def app_token(cloud: Cloud, assertion: str) -> dict[str, Any]:
    """The claims of the token that azure-identity gets for an assertion."""
    credential = ClientAssertionCredential(
        cloud.registration.tenant_id,
        cloud.registration.app_id,
        lambda: assertion,
        authority=cloud.entra.server.url,
        disable_instance_discovery=True,
        connection_verify=str(cloud.authority.path),
    )
    async with credential:
        token = await credential.get_token(f"{BOT_FRAMEWORK}/.default")
    return cloud.entra.issuer.verify(token.token, BOT_FRAMEWORK, cloud.registration.token_issuer)


async def test_a_federated_bot_signs_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user-assigned identity in the settings is not the bot's own, and signs it in."""
    async with started(tmp_path, FEDERATED) as cloud:
        behave_like_the_app(cloud, monkeypatch)
        client_id = cloud.settings()["AZURE_CLIENT_ID"]
        assert client_id != cloud.registration.app_id
        async with ManagedIdentityCredential(client_id=client_id) as identity:
            assertion = await identity.get_token("api://AzureADTokenExchange/.default")
        claims = await app_token(cloud, assertion.token)
        assert claims["appid"] == cloud.registration.app_id
        cloud.registration.federated_credentials.clear()
        with pytest.raises(ClientAuthenticationError, match="AADSTS70025"):
            await app_token(cloud, assertion.token)


async def test_a_bot_signs_in_with_a_key_that_stays_in_the_vault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With SignInVault the reader may list, read and sign, but not read secrets or keys."""
    async with in_front_of_the_vault(tmp_path, SIGN_IN_VAULT, monkeypatch) as (
        cloud,
        reader,
        options,
    ):
        url = cloud.vault.server.url
        async with CertificateClient(url, reader, **options) as client:
            listed = client.list_properties_of_certificate_versions(CERTIFICATE_NAME)
            (version,) = [properties async for properties in listed]
            found = await client.get_certificate_version(CERTIFICATE_NAME, str(version.version))
            policy = await client.get_certificate_policy(CERTIFICATE_NAME)
        assert policy.exportable is False
        assertion = await signed_in_vault(cloud, reader, str(found.key_id), options)
        claims = await app_token(cloud, assertion)
        assert claims["appid"] == cloud.registration.app_id
        async with SecretClient(url, reader, **options) as secrets:
            with pytest.raises(HttpResponseError, match="getSecret"):
                await secrets.get_secret(CERTIFICATE_NAME)
        async with KeyClient(url, reader, **options) as keys:
            with pytest.raises(HttpResponseError, match="keys/read"):
                await keys.get_key(CERTIFICATE_NAME)
        assert not cloud.renew_certificate().exportable


async def signed_in_vault(
    cloud: Cloud, reader: ManagedIdentityCredential, key_id: str, options: dict[str, Any]
) -> str:
    """A client assertion (RFC 7523) whose signature the vault has made."""
    (certificate,) = cloud.registration.certificates
    app_id, tenant = cloud.registration.app_id, cloud.registration.tenant_id
    claims = {
        "aud": f"{cloud.entra.server.url}/{tenant}/oauth2/v2.0/token",
        "iss": app_id,
        "sub": app_id,
        "jti": str(uuid.uuid4()),
        "exp": int(time.time()) + 300,
    }
    header = {"x5t#S256": x5t_s256(certificate), "alg": "PS256"}
    parts = (json.dumps(part).encode() for part in (header, claims))
    unsigned = ".".join(base64url(part) for part in parts)
    digest = hashlib.sha256(unsigned.encode()).digest()
    async with CryptographyClient(key_id, reader, **options) as client:
        result = await client.sign(SignatureAlgorithm.ps256, digest)
    return f"{unsigned}.{base64url(result.signature)}"


async def test_a_bot_with_an_exported_certificate_reads_its_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an exported certificate the reader may list and read secrets, but not sign."""
    async with in_front_of_the_vault(tmp_path, CERTIFICATE, monkeypatch) as (
        cloud,
        reader,
        options,
    ):
        url = cloud.vault.server.url
        async with SecretClient(url, reader, **options) as secrets:
            listed = secrets.list_properties_of_secret_versions(CERTIFICATE_NAME)
            (version,) = [properties async for properties in listed]
            secret = await secrets.get_secret(
                CERTIFICATE_NAME, version.version, out_content_type="application/x-pem-file"
            )
        assert str(secret.value).startswith("-----BEGIN PRIVATE KEY-----")
        path = f"{url}/keys/{CERTIFICATE_NAME}/{version.version}"
        async with CryptographyClient(path, reader, **options) as client:
            with pytest.raises(HttpResponseError, match="keys/sign"):
                await client.sign(SignatureAlgorithm.ps256, bytes(32))
        assert cloud.renew_certificate().exportable


def known(cloud: Cloud) -> list[x509.Certificate]:
    """The certificates that Entra knows now."""
    return cloud.registration.known_certificates()


def test_a_renewed_certificate_reaches_entra(tmp_path: Path) -> None:
    """Entra knows a renewed certificate at once, after its lag, or not if it is not uploaded."""
    cloud = Cloud(tmp_path, CERTIFICATE)
    clock = Clock()
    cloud.registration.clock = clock
    (first,) = cloud.registration.certificates
    cloud.registration.register(first)
    late = cloud.renew_certificate(lag=10.0).certificate
    forgotten = cloud.renew_certificate(registered=False).certificate
    prompt = cloud.renew_certificate().certificate
    assert known(cloud) == [first, prompt]
    clock.advance(10.0)
    assert known(cloud) == [first, late, prompt]
    versions = [version.certificate for version in cloud.vault.inventory.versions[CERTIFICATE_NAME]]
    assert versions == [first, late, forgotten, prompt]
