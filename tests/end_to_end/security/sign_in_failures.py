"""Each phrase with which a bot's log explains a failed sign-in, and one way to it.

docs/troubleshooting.md explains each phrase; workbench/tests/docs/test_troubleshooting.py compares
the two. tests/auth has the other ways, with each credential.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from auth.credential_kinds import CERTIFICATE, FEDERATED, MANAGED_IDENTITY, SIGN_IN_VAULT
from bot_workbench.emulator.certificates import private_key_pem, self_signed
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.key_vault.inventory import VaultCertificate
from tests.support.bots.patched_bot import patched
from tests.support.credentials.bot_certificate import (
    Prepare,
    Settings,
    damaged,
    file_settings,
    in_file,
    newest,
    pem_with_password,
    pfx_with_password,
    public_pem,
    put,
)

NOBODY = "11111111-2222-3333-4444-555555555555"
ASKED_WAIT = 7
"""Seconds that a busy endpoint asks for."""


@dataclass(frozen=True)
class Failure:
    """One way to fail.

    Attributes:
        credential: how the bot signs in, a key of KINDS.
        says: what the bot's log has in one line; `…` stands for any text, such as an id.
        spoil: makes the sign-in fail.
        closed: name of the cloud's part whose port nobody listens on.
        retry_after: seconds in the answer to the channel, where an endpoint asks for them.
    """

    credential: str
    says: str
    spoil: Prepare = lambda *_: {}
    closed: str = ""
    retry_after: int | None = None

    def is_logged_in(self, log: str) -> bool:
        """A line of the log says so."""
        return re.search(".*".join(map(re.escape, self.says.split("…"))), log) is not None


def with_settings(**settings: str) -> Prepare:
    """These settings differ."""
    return lambda *_: settings


def faulty(part: str, **switches: Any) -> Prepare:
    """A part of the cloud fails."""

    def spoil(cloud: Cloud, _: Path) -> Settings:
        cloud.servers[part].faults.set(**switches)
        return {}

    return spoil


def other_bot(cloud: Cloud, _: Path) -> Settings:
    """The channel calls a bot of another id than Entra and the platform know."""
    cloud.registration.app_id = NOBODY
    return {"MicrosoftAppId": NOBODY}


def no_identity(cloud: Cloud, _: Path) -> Settings:
    """No identity is assigned to the app."""
    cloud.identity.identities.clear()
    return {}


def may_not(*permissions: str) -> Prepare:
    """The identity lacks a permission on the vault."""

    def spoil(cloud: Cloud, _: Path) -> Settings:
        cloud.vault_permissions[cloud.reader] -= set(permissions)
        return {}

    return spoil


def vault_of_another_tenant(cloud: Cloud, _: Path) -> Settings:
    """The vault takes tokens of another tenant only."""
    other = Registration(NOBODY, NOBODY, "SingleTenant")
    entra = Entra(other, cloud.authority.server_context())
    # The vault's challenge names an address. Nobody asks there: the identity has its own endpoint.
    entra.server.port = cloud.entra.server.port
    cloud.vault.entra = entra
    return {}


class PlainSecret(VaultCertificate):
    """A secret that somebody typed in, with no certificate behind it."""

    def secret_bundle(self, vault: str, content_type: str = "") -> dict[str, Any]:
        """The secret with its value."""
        return {**self.listed("secrets", vault), "value": "typed in by hand"}


def plain_secret(cloud: Cloud, _: Path) -> Settings:
    """The name is that of a plain secret."""
    put(cloud, PlainSecret(**vars(replace(newest(cloud), content_type="text/plain"))))
    return {}


def certificate(**changes: Any) -> Prepare:
    """The vault's only version is one with these attributes; Entra knows it."""

    def spoil(cloud: Cloud, _: Path) -> Settings:
        put(cloud, replace(newest(cloud), **changes))
        return {}

    return spoil


def out_of_date(**days: float) -> Prepare:
    """The certificate's validity, in days from now, has not begun or has ended."""

    def spoil(cloud: Cloud, _: Path) -> Settings:
        version = newest(cloud)
        put(cloud, replace(version, certificate=self_signed("bot", version.private_key, **days)))
        return {}

    return spoil


def small_key(cloud: Cloud, _: Path) -> Settings:
    """The certificate's key has 1,024 bits."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # the point
    put(cloud, replace(newest(cloud), private_key=key, certificate=self_signed("bot", key)))
    return {}


def damaged_key(cloud: Cloud, _: Path) -> Settings:
    """The certificate's private key is damaged."""
    put(cloud, replace(newest(cloud), private_key=damaged(newest(cloud).private_key)))
    return {}


def unregistered(cloud: Cloud, _: Path) -> Settings:
    """The app registration does not have the certificate."""
    cloud.registration.certificates.clear()
    return {}


def no_file(_: Cloud, folder: Path) -> Settings:
    """There is no such file."""
    return file_settings(folder / "nothing.pem")


def key_of_another(version: VaultCertificate) -> bytes:
    """A certificate beside a key that is not its own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return private_key_pem(key) + public_pem(version)


def elliptic_key(version: VaultCertificate) -> bytes:
    """A certificate beside a key that is no RSA key."""
    return private_key_pem(ec.generate_private_key(ec.SECP256R1())) + public_pem(version)


def clock_ahead(_: Cloud, folder: Path) -> Settings:
    """The bot's clock is half an hour ahead."""
    return patched(folder, "import time\nright = time.time\ntime.time = lambda: right() + 1800\n")


def trusting(**changes: str) -> Prepare:
    """The app registration's federated credential differs from the right one."""

    def spoil(cloud: Cloud, _: Path) -> Settings:
        credentials = cloud.registration.federated_credentials
        credentials[:] = [replace(right, **changes) for right in credentials]
        return {}

    return spoil


def trusting_nobody(cloud: Cloud, _: Path) -> Settings:
    """The app registration has no federated credential."""
    cloud.registration.federated_credentials.clear()
    return {}


def trusting_capitals(cloud: Cloud, _: Path) -> Settings:
    """The federated credential's subject is written with capitals, Entra's is not."""
    (right,) = cloud.registration.federated_credentials
    cloud.registration.federated_credentials[:] = [replace(right, subject=right.subject.upper())]
    return {}


BUSY = {"status": 429, "retry_after": ASKED_WAIT}
PAGE = {"status": 502, "html": True}

FEDERATION = "add a federated credential to the app registration"

FAILURES = {
    "ManagedIdentity, wrong client id": Failure(
        MANAGED_IDENTITY,
        "cannot sign in: set MicrosoftAppId to the client id of a managed identity",
        other_bot,
    ),
    "Certificate, no identity": Failure(
        CERTIFICATE, "the system-assigned identity cannot sign in", no_identity
    ),
    "SignInVault, wrong client id": Failure(
        SIGN_IN_VAULT,
        "cannot sign in: set AZURE_CLIENT_ID to the client id of a managed identity",
        with_settings(AZURE_CLIENT_ID=NOBODY),
    ),
    "identity endpoint silent": Failure(
        MANAGED_IDENTITY,
        "no token within 10 seconds: the identity endpoint",
        faulty("identity", silent=True),
    ),
    "reader's identity endpoint 429": Failure(
        CERTIFICATE,
        "the identity endpoint asks to wait (429)",
        faulty("identity", **BUSY),
        retry_after=ASKED_WAIT,
    ),
    "federated identity endpoint 500": Failure(
        FEDERATED, "the identity endpoint does not answer for", faulty("identity", status=500)
    ),
    "Certificate, no role": Failure(
        CERTIFICATE,
        "give it the role Key Vault Secrets User on the vault",
        may_not("secrets/get", "secrets/list"),
    ),
    "SignInVault, no role": Failure(
        SIGN_IN_VAULT,
        "give it the role Key Vault Reader (certificates/read) on the vault",
        may_not("certificates/get", "certificates/list"),
    ),
    "SignInVault, no role to sign": Failure(
        SIGN_IN_VAULT,
        "give it the role Key Vault Crypto User (keys/sign) on the vault",
        may_not("keys/sign"),
    ),
    "SignInVault, disabled": Failure(
        SIGN_IN_VAULT, "and check that the version is enabled", certificate(enabled=False)
    ),
    "Certificate, no certificate": Failure(
        CERTIFICATE,
        "CertificateName: there is no certificate",
        with_settings(CertificateName="other"),
    ),
    "Certificate, a plain secret": Failure(
        CERTIFICATE, "CertificateName must name a certificate, not a secret", plain_secret
    ),
    "Certificate, not exportable": Failure(
        CERTIFICATE, "or set BotCredential to SignInVault", certificate(exportable=False)
    ),
    "SignInVault, unknown to Entra": Failure(
        SIGN_IN_VAULT,
        "Entra does not accept the certificate: upload its public key to the app registration",
        unregistered,
    ),
    "Certificate, expired": Failure(
        CERTIFICATE, "the certificate … expired on", out_of_date(starts_in_days=-9, ends_in_days=-1)
    ),
    "SignInVault, not yet valid": Failure(
        SIGN_IN_VAULT, "the certificate … is not valid before", out_of_date(starts_in_days=1)
    ),
    "Certificate, not pinned": Failure(
        CERTIFICATE,
        "but CertificateThumbprint allows only",
        with_settings(CertificateThumbprint="A" * 40),
    ),
    "SignInVault, small key": Failure(
        SIGN_IN_VAULT, "the certificate needs an RSA key of 2048 bits or more", small_key
    ),
    "Certificate, damaged key": Failure(
        CERTIFICATE, "the private key is damaged: make a new version", damaged_key
    ),
    "file, missing": Failure(CERTIFICATE, "CertificatePath: … cannot be read", no_file),
    "file, PFX with password": Failure(
        CERTIFICATE,
        "the PFX cannot be read without a password",
        in_file("bot.pfx", pfx_with_password),
    ),
    "file, PEM with password": Failure(
        CERTIFICATE,
        "the PEM does not hold a certificate and its private key without password",
        in_file("bot.pem", pem_with_password),
    ),
    "file, elliptic key": Failure(
        CERTIFICATE, "comes without an RSA private key", in_file("bot.pem", elliptic_key)
    ),
    "file, another's key": Failure(
        CERTIFICATE,
        "no certificate belongs to the private key beside it",
        in_file("bot.pem", key_of_another),
    ),
    "vault of another tenant": Failure(
        CERTIFICATE,
        "CertificateVaultUrl must be a vault of the identity's own tenant",
        vault_of_another_tenant,
    ),
    "vault silent": Failure(
        CERTIFICATE, "no token within 10 seconds: the vault", faulty("vault", silent=True)
    ),
    "vault 500 when it signs": Failure(
        SIGN_IN_VAULT, "the vault does not answer for", faulty("vault", status=500, path="/sign")
    ),
    "vault 429": Failure(
        CERTIFICATE,
        "the vault asks to wait (429 for",
        faulty("vault", **BUSY),
        retry_after=ASKED_WAIT,
    ),
    "vault HTML": Failure(
        CERTIFICATE, "does not answer as a Key Vault does", faulty("vault", status=200, html=True)
    ),
    "SignInVault, wrong tenant": Failure(
        SIGN_IN_VAULT,
        "is not a tenant to sign in at: check MicrosoftAppTenantId",
        with_settings(MicrosoftAppTenantId=NOBODY),
    ),
    "Federated, wrong app id": Failure(
        FEDERATED, "there is no app registration … (AADSTS700016;", other_bot
    ),
    "clock ahead": Failure(CERTIFICATE, "set this machine's clock (AADSTS700024;", clock_ahead),
    "Federated, no credential": Failure(
        FEDERATED, f"{FEDERATION} … (AADSTS70025;", trusting_nobody
    ),
    "Federated, issuer": Failure(
        FEDERATED, f"{FEDERATION} … (AADSTS700211;", trusting(issuer="https://sts.windows.net/x/")
    ),
    "Federated, subject": Failure(
        FEDERATED, f"{FEDERATION} … (AADSTS700213;", trusting(subject=NOBODY)
    ),
    "Federated, subject in capitals": Failure(
        FEDERATED, f"{FEDERATION} … (AADSTS7002138;", trusting_capitals
    ),
    "Federated, audience": Failure(
        FEDERATED,
        f"{FEDERATION} … (AADSTS700212;",
        trusting(audience="api://AzureADTokenExchangeUSGov"),
    ),
    "Entra silent": Failure(
        FEDERATED, "no token within 10 seconds: the sign-in endpoint", faulty("entra", silent=True)
    ),
    "Entra closed": Failure(
        CERTIFICATE,
        "the sign-in endpoint … does not answer: check AZURE_AUTHORITY_HOST",
        closed="entra",
    ),
    "Entra 429": Failure(
        FEDERATED, "Entra asks to wait (429 from", faulty("entra", **BUSY), retry_after=ASKED_WAIT
    ),
    "Entra HTML of a proxy": Failure(
        SIGN_IN_VAULT, "does not answer as Entra does", faulty("entra", **PAGE)
    ),
}
