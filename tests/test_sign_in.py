"""Each way to sign in, end to end: a message in, a reply whose token the connector verified."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    pkcs12,
)

from emulator.certificates import private_key_pem
from emulator.cloud import CERTIFICATE, CERTIFICATE_NAME, MANAGED_IDENTITY, Cloud
from emulator.vault_certificate import PEM, VaultCertificate
from tests.support.bot_process import BotProcess
from tests.support.cloud_thread import CloudThread
from tests.support.http_post import Caller
from tests.support.user import User

Settings = dict[str, str]


def newest(cloud: Cloud) -> VaultCertificate:
    """The vault's newest version of the bot's certificate."""
    return cloud.vault.versions[CERTIFICATE_NAME][-1]


def from_vault_as_pem(cloud: Cloud, _: Path) -> Settings:
    """The vault keeps the certificate as PEM."""
    cloud.vault.versions[CERTIFICATE_NAME] = [replace(newest(cloud), content_type=PEM)]
    return {}


def from_file(name: str, content: Callable[[VaultCertificate], bytes]) -> Any:
    """The certificate is in a file."""

    def prepare(cloud: Cloud, folder: Path) -> Settings:
        path = folder / name
        path.write_bytes(content(newest(cloud)))
        return {"CertificateVaultUrl": "", "CertificateName": "", "CertificatePath": str(path)}

    return prepare


def pem(version: VaultCertificate) -> bytes:
    """Key and certificate as PEM."""
    return private_key_pem(version.private_key) + version.certificate.public_bytes(Encoding.PEM)


def pfx(version: VaultCertificate) -> bytes:
    """Key and certificate as PFX without password."""
    return pkcs12.serialize_key_and_certificates(
        b"bot", version.private_key, version.certificate, None, NoEncryption()
    )


def pinned(cloud: Cloud, _: Path) -> Settings:
    """The pin is the certificate's thumbprint, in the portal's form among others."""
    from cryptography.hazmat.primitives.hashes import SHA1

    thumbprint = newest(cloud).certificate.fingerprint(SHA1()).hex()  # noqa: S303  # a name
    return {"CertificateThumbprint": f"{'0' * 40}, {thumbprint.upper()}"}


def nothing(_: Cloud, __: Path) -> Settings:
    """The cloud's own settings."""
    return {}


WAYS: dict[str, tuple[str, str, Any]] = {
    "ManagedIdentity": (MANAGED_IDENTITY, "UserAssignedMSI", nothing),
    "ManagedIdentity, implied": (
        MANAGED_IDENTITY,
        "UserAssignedMSI",
        lambda *_: {"BotCredential": "", "MicrosoftAppType": "userassignedmsi"},
    ),
    "Certificate, PFX in the vault": (CERTIFICATE, "SingleTenant", nothing),
    "Certificate, PEM in the vault": (CERTIFICATE, "SingleTenant", from_vault_as_pem),
    "Certificate, PEM file": (CERTIFICATE, "SingleTenant", from_file("bot.pem", pem)),
    "Certificate, PFX file": (CERTIFICATE, "SingleTenant", from_file("bot.pfx", pfx)),
    "Certificate, pinned": (CERTIFICATE, "SingleTenant", pinned),
    "Certificate, multi-tenant": (CERTIFICATE, "MultiTenant", nothing),
}


@pytest.mark.parametrize("way", WAYS)
def test_sign_in(way: str, tmp_path: Path, logs: Path) -> None:
    """A reply arrives with a token issued for this bot; warm turns ask for no more tokens."""
    credential, app_type, prepare = WAYS[way]
    with CloudThread(Cloud(tmp_path, credential, app_type)) as thread:
        cloud = thread.cloud
        settings = cloud.settings() | prepare(cloud, tmp_path)
        with BotProcess(settings, logs / f"{way}.log") as process:
            user = User(cloud, Caller(process.url))
            assert user.says("hello") == 200
            issued, connections = cloud.entra.tokens_issued, cloud.connector.server.connections
            for number in range(20):
                assert user.says(f"again {number}") == 200
            assert user.heard()[-1] == "You said: again 19"
            assert all(call.verified for call in cloud.connector.calls)
            assert cloud.entra.tokens_issued == issued
            assert cloud.connector.server.connections == connections == 1
            facts = user.caller.send("GET", "/api/identity", []).json()
            assert facts["kind"] == credential
            assert bool(facts["certificateThumbprint"]) == (credential == CERTIFICATE)
            user.caller.close()


def pfx_with_password(version: VaultCertificate) -> bytes:
    """A PFX that nobody can open without asking."""
    return pkcs12.serialize_key_and_certificates(
        b"bot", version.private_key, version.certificate, None, BestAvailableEncryption(b"secret")
    )


def unregistered(cloud: Cloud, _: Path) -> Settings:
    """The registration does not know the certificate."""
    cloud.registration.certificates.clear()
    return {}


def without_role(cloud: Cloud, _: Path) -> Settings:
    """The identity may not read the vault."""
    cloud.vault.permissions.clear()
    return {}


FAILURES: dict[str, tuple[str, Any, str]] = {
    "another client id": (
        MANAGED_IDENTITY,
        lambda *_: {"MicrosoftAppId": "11111111-2222-3333-4444-555555555555"},
        "set MicrosoftAppId to the client id",
    ),
    "wrong pin": (
        CERTIFICATE,
        lambda *_: {"CertificateThumbprint": "A" * 40},
        f"CertificateThumbprint allows only {'A' * 40}",
    ),
    "unknown to Entra": (CERTIFICATE, unregistered, "AADSTS700027"),
    "no role": (CERTIFICATE, without_role, "Key Vault Secrets User"),
    "no such certificate": (
        CERTIFICATE,
        lambda *_: {"CertificateName": "other"},
        "CertificateName: there is no certificate other",
    ),
    "wrong tenant": (
        CERTIFICATE,
        lambda *_: {"MicrosoftAppTenantId": "11111111-2222-3333-4444-555555555555"},
        "MicrosoftAppTenantId",
    ),
    "password": (
        CERTIFICATE,
        from_file("bot.pfx", pfx_with_password),
        "cannot be read without a password",
    ),
}


@pytest.mark.parametrize("way", FAILURES)
def test_failed_sign_in(way: str, tmp_path: Path, logs: Path) -> None:
    """A bot that cannot sign in answers 503 with Retry-After; its log names what to fix."""
    credential, prepare, cure = FAILURES[way]
    with CloudThread(Cloud(tmp_path, credential)) as thread:
        cloud = thread.cloud
        settings = cloud.settings() | prepare(cloud, tmp_path)
        cloud.registration.app_id = settings["MicrosoftAppId"]
        log = logs / f"failed {way}.log"
        with BotProcess(settings, log) as process:
            user = User(cloud, Caller(process.url))
            activity = {"type": "message", "id": "activity-1", "text": "hello"}
            reply = user.sends(activity)
            identity = user.caller.send("GET", "/api/identity", [])
            user.caller.close()
        for answer in (reply, identity):
            assert answer.status == 503
            assert answer.json() == {"error": "The bot is not available."}
            assert int(answer.headers["retry-after"]) > 0
        assert not cloud.connector.calls
        said = log.read_text()
        assert cure in said
        assert f"Turn 'message' '{activity['id']}' in '{user.conversation.id}'" in said
