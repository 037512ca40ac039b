"""Each way in which a credential fails, end to end: 503 to the channel, the cure in the bot's log.

docs/troubleshooting.md explains each phrase of FAILURES; tests/docs/test_troubleshooting.py holds
the two together.
"""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from emulator.certificates import private_key_pem, self_signed
from emulator.cloud import (
    CERTIFICATE,
    FEDERATED,
    MANAGED_IDENTITY,
    SIGN_IN_VAULT,
    Cloud,
)
from emulator.entra.endpoints import Entra
from emulator.entra.registration import Registration
from emulator.key_vault.certificate import VaultCertificate
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.cloud_thread import CloudThread
from tests.support.bots.patched_bot import patched
from tests.support.bots.user import User
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
from tests.support.wire.http_post import Caller, Reply

NOBODY = "11111111-2222-3333-4444-555555555555"
ASKED_WAIT = 7
"""Seconds that a busy endpoint asks for."""

AT_ONCE = 12
"""Bots that run side by side: most of their time they wait for an endpoint."""


@dataclass(frozen=True)
class Failure:
    """One way to fail.

    Attributes:
        credential: how the bot signs in, a key of the cloud's APP_TYPES.
        says: what the bot's log has in one line; `…` stands for any text, such as an id.
        spoil: makes the sign-in fail.
        closed: name of the cloud's part whose port nobody listens on.
        retry_after: seconds that the channel must be told, where an endpoint asks for them.
    """

    credential: str
    says: str
    spoil: Prepare = lambda *_: {}
    closed: str = ""
    retry_after: int | None = None

    def is_told_in(self, log: str) -> bool:
        """A line of the log says so."""
        return re.search(".*".join(map(re.escape, self.says.split("…"))), log) is not None


def with_settings(**settings: str) -> Prepare:
    """These settings differ."""
    return lambda *_: settings


def faulty(part: str, **switches: Any) -> Prepare:
    """A part of the cloud misbehaves."""

    def spoil(cloud: Cloud, _: Path) -> Settings:
        cloud.servers[part].faults.set(**switches)
        return {}

    return spoil


def other_bot(cloud: Cloud, _: Path) -> Settings:
    """The channel calls a bot of another id than Entra and the platform know."""
    cloud.entra.registration = replace(cloud.registration)
    cloud.registration.app_id = NOBODY
    return {"MicrosoftAppId": NOBODY}


def no_identity(cloud: Cloud, _: Path) -> Settings:
    """No identity is assigned to the app."""
    cloud.identity.identities.clear()
    return {}


def may_not(*permissions: str) -> Prepare:
    """The identity lacks a permission on the vault."""

    def spoil(cloud: Cloud, _: Path) -> Settings:
        cloud.vault.permissions[cloud.reader] -= set(permissions)
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
        return {**self.listed_secret(vault), "value": "typed in by hand"}


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

NO_MSI = "cannot sign in: set MicrosoftAppId to the client id of a managed identity"
NO_READER = "cannot sign in: set AZURE_CLIENT_ID to the client id of a managed identity"
IDENTITY_DOWN = "the identity endpoint does not answer for"
IDENTITY_SILENT = "no token within 10 seconds: the identity endpoint"
IDENTITY_BUSY = "the identity endpoint asks to wait (429)"
NO_SECRET_ROLE = "give it the role Key Vault Secrets User on the vault"
NO_CERTIFICATE_ROLE = "give it the role Key Vault Reader (certificates/read) on the vault"
NO_SIGN_ROLE = "give it the role Key Vault Crypto User (keys/sign) on the vault"
DISABLED = "and check that the version is enabled"
NO_CERTIFICATE = "CertificateName: there is no certificate"
UNKNOWN = "Entra does not accept the certificate: upload its public key to the app registration"
NOT_PINNED = "but CertificateThumbprint allows only"
SMALL_KEY = "the certificate needs an RSA key of 2048 bits or more"
DAMAGED_KEY = "the private key is damaged: make a new version"
EXPIRED = "the certificate … expired on"
TOO_NEW = "the certificate … is not valid before"
FOREIGN_VAULT = "CertificateVaultUrl must be a vault of the identity's own tenant"
VAULT_DOWN = "the vault does not answer for"
VAULT_SILENT = "no token within 10 seconds: the vault"
VAULT_BUSY = "the vault asks to wait (429 for"
NO_VAULT = "does not answer as a Key Vault does"
NO_TENANT = "is no tenant to sign in at: check MicrosoftAppTenantId"
NO_APP = "there is no app registration … (AADSTS700016;"
FEDERATION = "add a federated credential to the app registration"
ENTRA_DOWN = "the sign-in endpoint … does not answer: check AZURE_AUTHORITY_HOST"
ENTRA_SILENT = "no token within 10 seconds: the sign-in endpoint"
ENTRA_BUSY = "Entra asks to wait (429 from"
NOT_ENTRA = "does not answer as Entra does"

FAILURES = {
    "ManagedIdentity, wrong client id": Failure(MANAGED_IDENTITY, NO_MSI, other_bot),
    "ManagedIdentity, not assigned": Failure(MANAGED_IDENTITY, NO_MSI, no_identity),
    "Export, wrong client id": Failure(
        CERTIFICATE, NO_READER, with_settings(AZURE_CLIENT_ID=NOBODY)
    ),
    "Export, no identity": Failure(
        CERTIFICATE, "the system-assigned identity cannot sign in", no_identity
    ),
    "SignInVault, wrong client id": Failure(
        SIGN_IN_VAULT, NO_READER, with_settings(AZURE_CLIENT_ID=NOBODY)
    ),
    "Federated, not assigned": Failure(FEDERATED, NO_READER, no_identity),
    "Federated, wrong client id": Failure(
        FEDERATED, NO_READER, with_settings(AZURE_CLIENT_ID=NOBODY)
    ),
    "identity endpoint silent": Failure(
        MANAGED_IDENTITY, IDENTITY_SILENT, faulty("identity", silent=True)
    ),
    "identity endpoint closed": Failure(MANAGED_IDENTITY, IDENTITY_DOWN, closed="identity"),
    "identity endpoint 500": Failure(
        MANAGED_IDENTITY, IDENTITY_DOWN, faulty("identity", status=500)
    ),
    "identity endpoint 429": Failure(
        MANAGED_IDENTITY, IDENTITY_BUSY, faulty("identity", **BUSY), retry_after=ASKED_WAIT
    ),
    "identity endpoint HTML": Failure(MANAGED_IDENTITY, IDENTITY_DOWN, faulty("identity", **PAGE)),
    "reader's identity endpoint closed": Failure(SIGN_IN_VAULT, IDENTITY_DOWN, closed="identity"),
    "reader's identity endpoint silent": Failure(
        CERTIFICATE, IDENTITY_SILENT, faulty("identity", silent=True)
    ),
    "reader's identity endpoint 429": Failure(
        CERTIFICATE, IDENTITY_BUSY, faulty("identity", **BUSY), retry_after=ASKED_WAIT
    ),
    "federated identity endpoint 500": Failure(
        FEDERATED, IDENTITY_DOWN, faulty("identity", status=500)
    ),
    "Export, no role": Failure(CERTIFICATE, NO_SECRET_ROLE, may_not("secrets/get", "secrets/list")),
    "SignInVault, no role": Failure(
        SIGN_IN_VAULT, NO_CERTIFICATE_ROLE, may_not("certificates/get", "certificates/list")
    ),
    "SignInVault, no role to sign": Failure(SIGN_IN_VAULT, NO_SIGN_ROLE, may_not("keys/sign")),
    "Export, disabled": Failure(CERTIFICATE, DISABLED, certificate(enabled=False)),
    "SignInVault, disabled": Failure(SIGN_IN_VAULT, DISABLED, certificate(enabled=False)),
    "Export, no certificate": Failure(
        CERTIFICATE, NO_CERTIFICATE, with_settings(CertificateName="other")
    ),
    "SignInVault, no certificate": Failure(
        SIGN_IN_VAULT, NO_CERTIFICATE, with_settings(CertificateName="other")
    ),
    "Export, a plain secret": Failure(
        CERTIFICATE, "CertificateName must name a certificate, not a secret", plain_secret
    ),
    "Export, not exportable": Failure(
        CERTIFICATE, "or set CertificateKeyUse to SignInVault", certificate(exportable=False)
    ),
    "Export, unknown to Entra": Failure(CERTIFICATE, UNKNOWN, unregistered),
    "SignInVault, unknown to Entra": Failure(SIGN_IN_VAULT, UNKNOWN, unregistered),
    "Export, expired": Failure(
        CERTIFICATE, EXPIRED, out_of_date(starts_in_days=-9, ends_in_days=-1)
    ),
    "SignInVault, expired": Failure(
        SIGN_IN_VAULT, EXPIRED, out_of_date(starts_in_days=-9, ends_in_days=-1)
    ),
    "Export, not yet valid": Failure(CERTIFICATE, TOO_NEW, out_of_date(starts_in_days=1)),
    "SignInVault, not yet valid": Failure(SIGN_IN_VAULT, TOO_NEW, out_of_date(starts_in_days=1)),
    "Export, not pinned": Failure(
        CERTIFICATE, NOT_PINNED, with_settings(CertificateThumbprint="A" * 40)
    ),
    "SignInVault, not pinned": Failure(
        SIGN_IN_VAULT, NOT_PINNED, with_settings(CertificateThumbprint="A" * 40)
    ),
    "Export, small key": Failure(CERTIFICATE, SMALL_KEY, small_key),
    "SignInVault, small key": Failure(SIGN_IN_VAULT, SMALL_KEY, small_key),
    "Export, damaged key": Failure(CERTIFICATE, DAMAGED_KEY, damaged_key),
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
    "file, no key": Failure(
        CERTIFICATE,
        "the PEM does not hold a certificate and its private key without password",
        in_file("bot.pem", public_pem),
    ),
    "file, elliptic key": Failure(
        CERTIFICATE, "comes without an RSA private key", in_file("bot.pem", elliptic_key)
    ),
    "file, another's key": Failure(
        CERTIFICATE,
        "no certificate belongs to the private key beside it",
        in_file("bot.pem", key_of_another),
    ),
    "vault of another tenant": Failure(CERTIFICATE, FOREIGN_VAULT, vault_of_another_tenant),
    "vault silent": Failure(CERTIFICATE, VAULT_SILENT, faulty("vault", silent=True)),
    "vault closed": Failure(SIGN_IN_VAULT, VAULT_DOWN, closed="vault"),
    "vault 500": Failure(CERTIFICATE, VAULT_DOWN, faulty("vault", status=500)),
    "vault 500 when it signs": Failure(
        SIGN_IN_VAULT, VAULT_DOWN, faulty("vault", status=500, path="/sign")
    ),
    "vault 429": Failure(CERTIFICATE, VAULT_BUSY, faulty("vault", **BUSY), retry_after=ASKED_WAIT),
    "vault 429 when it signs": Failure(
        SIGN_IN_VAULT, VAULT_BUSY, faulty("vault", **BUSY, path="/sign"), retry_after=ASKED_WAIT
    ),
    "vault HTML": Failure(CERTIFICATE, NO_VAULT, faulty("vault", status=200, html=True)),
    "vault HTML of a proxy": Failure(CERTIFICATE, VAULT_DOWN, faulty("vault", **PAGE)),
    "Export, wrong tenant": Failure(
        CERTIFICATE, NO_TENANT, with_settings(MicrosoftAppTenantId=NOBODY)
    ),
    "SignInVault, wrong tenant": Failure(
        SIGN_IN_VAULT, NO_TENANT, with_settings(MicrosoftAppTenantId=NOBODY)
    ),
    "Federated, wrong tenant": Failure(
        FEDERATED, NO_TENANT, with_settings(MicrosoftAppTenantId=NOBODY)
    ),
    "Export, wrong app id": Failure(CERTIFICATE, NO_APP, other_bot),
    "SignInVault, wrong app id": Failure(SIGN_IN_VAULT, NO_APP, other_bot),
    "Federated, wrong app id": Failure(FEDERATED, NO_APP, other_bot),
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
    "Entra silent": Failure(FEDERATED, ENTRA_SILENT, faulty("entra", silent=True)),
    "Entra closed": Failure(CERTIFICATE, ENTRA_DOWN, closed="entra"),
    "Entra 500": Failure(FEDERATED, NOT_ENTRA, faulty("entra", status=500)),
    "Entra 500 for tokens": Failure(
        CERTIFICATE, NOT_ENTRA, faulty("entra", status=500, path="/token")
    ),
    "Entra 429": Failure(FEDERATED, ENTRA_BUSY, faulty("entra", **BUSY), retry_after=ASKED_WAIT),
    "Entra 429 for tokens": Failure(
        SIGN_IN_VAULT, ENTRA_BUSY, faulty("entra", **BUSY, path="/token"), retry_after=ASKED_WAIT
    ),
    "Entra HTML": Failure(FEDERATED, NOT_ENTRA, faulty("entra", status=200, html=True)),
    "Entra HTML of a proxy": Failure(SIGN_IN_VAULT, NOT_ENTRA, faulty("entra", **PAGE)),
}


@dataclass(frozen=True)
class Outcome:
    """What became of a sign-in that had to fail.

    Attributes:
        answers: to a message and to /api/identity.
        turn: what the log must call the message's turn.
        calls: that the connector got.
        log: the bot's.
    """

    answers: tuple[Reply, Reply]
    turn: str
    calls: int
    log: str


def outcome(failure: Failure, folder: Path, log: Path) -> Outcome:
    """Start a cloud and a bot, let its sign-in fail, and talk to it."""
    with CloudThread(Cloud(folder, failure.credential)) as thread:
        cloud = thread.cloud
        settings = cloud.settings() | failure.spoil(cloud, folder)
        if failure.closed:
            thread.stop(failure.closed)
        with BotProcess(settings, log) as process:
            user = User(cloud, Caller(process.url))
            reply = user.sends({"type": "message", "id": "activity-1", "text": "hello"})
            identity = user.caller.send("GET", "/api/identity", [])
            user.caller.close()
        turn = f"Turn 'message' 'activity-1' in '{user.conversation.id}'"
        return Outcome((reply, identity), turn, len(cloud.connector.calls), log.read_text())


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, logs: Path
) -> Iterator[Mapping[str, Future[Outcome]]]:
    """The outcome of each failure that this run asks for; the bots run side by side."""
    asked = [item.name for item in request.session.items if item.path == request.path]
    with ThreadPoolExecutor(AT_ONCE) as bots:
        yield {
            way: bots.submit(
                outcome, failure, tmp_path_factory.mktemp("failed"), logs / f"{way}.log"
            )
            for way, failure in FAILURES.items()
            if f"test_failed_sign_in[{way}]" in asked
        }


@pytest.mark.parametrize("way", FAILURES)
def test_failed_sign_in(way: str, outcomes: Mapping[str, Future[Outcome]]) -> None:
    """A bot that cannot sign in answers 503 with Retry-After; its log names what to fix."""
    failure, found = FAILURES[way], outcomes[way].result()
    for answer in found.answers:
        assert answer.status == 503
        assert answer.json() == {"error": "The bot is not available."}
        assert int(answer.headers["retry-after"]) == (failure.retry_after or 5)
    assert failure.is_told_in(found.log)
    assert found.turn in found.log
    assert found.calls == 0


MOMENTS = {
    "a new role on the vault": (CERTIFICATE, faulty("vault", status=403, remaining=4)),
    "a new role to sign": (SIGN_IN_VAULT, faulty("vault", status=403, remaining=2, path="/sign")),
    "the identity endpoint starts": (MANAGED_IDENTITY, faulty("identity", status=500, remaining=2)),
    "the vault is down for a moment": (SIGN_IN_VAULT, faulty("vault", status=503, remaining=2)),
    "Entra is down for a moment": (FEDERATED, faulty("entra", status=503, remaining=2)),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_passes_by_itself(moment: str, tmp_path: Path, logs: Path) -> None:
    """A cold bot waits for a role that has just been given, and for an outage of a moment."""
    credential, prepare = MOMENTS[moment]
    with CloudThread(Cloud(tmp_path, credential)) as thread:
        cloud = thread.cloud
        settings = cloud.settings() | prepare(cloud, tmp_path)
        with BotProcess(settings, logs / f"{moment}.log") as process:
            user = User(cloud, Caller(process.url))
            assert user.says("hello") == 200
            assert user.heard() == ["You said: hello"]
            user.caller.close()
