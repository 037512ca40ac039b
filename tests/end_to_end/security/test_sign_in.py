"""Each way to sign in, end to end: a message in, a reply whose token the connector verified.

The ways that fail are in test_failed_sign_in.py.
"""

import uuid
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import jwt
import pytest

from auth.credential_kinds import CERTIFICATE, FEDERATED, MANAGED_IDENTITY, SIGN_IN_VAULT
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.certificates import self_signed
from bot_workbench.emulator.cloud import READER_PERMISSIONS, Cloud
from bot_workbench.emulator.entra.credentials import UsedCredential
from bot_workbench.emulator.entra.errors import malformed
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.sign_in.client_assertion import CertificateAssertions
from bot_workbench.emulator.key_vault.policy import PEM
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.credentials.bot_certificate import (
    Prepare,
    Settings,
    in_file,
    newest,
    pem,
    pfx,
    put,
    thumbprint,
)
from tests.support.test_bot import NO_TYPING
from tests.support.wire.http_post import Caller


@dataclass(frozen=True)
class Way:
    """One way to sign in.

    Attributes:
        credential: how the bot signs in, a key of KINDS.
        prepare: what differs from the cloud as it starts.
        app_type: MicrosoftAppType, when it is not the credential's usual one.
    """

    credential: str
    prepare: Prepare = lambda *_: {}
    app_type: str = ""


def implied(_: Cloud, __: Path) -> Settings:
    """The bot's type says which credential it has."""
    return {"BotCredential": "", "MicrosoftAppType": "userassignedmsi"}


def from_vault_as_pem(cloud: Cloud, _: Path) -> Settings:
    """The certificate's policy says PEM."""
    put(cloud, replace(newest(cloud), content_type=PEM))
    return {}


def pinned(cloud: Cloud, _: Path) -> Settings:
    """The pin is the certificate's thumbprint, in the portal's form among others."""
    return {"CertificateThumbprint": f"{'0' * 40}, {thumbprint(newest(cloud))}"}


def user_assigned_reader(cloud: Cloud, _: Path) -> Settings:
    """A user-assigned identity reads the vault; there is no system-assigned one."""
    client_id, principal_id = str(uuid.uuid4()), str(uuid.uuid4())
    cloud.vault_permissions[principal_id] = cloud.vault_permissions.pop(cloud.reader)
    cloud.identity.identities = {client_id: principal_id}
    return {"AZURE_CLIENT_ID": client_id}


def without_lists(cloud: Cloud, _: Path) -> Settings:
    """The identity may read, but not list the versions."""
    cloud.vault_permissions[cloud.reader] -= {"secrets/list", "certificates/list"}
    return {}


class SubjectNameTrust(CertificateAssertions):
    """Entra's check where a registration trusts a subject name: the certificate must come along."""

    def verify(
        self, assertion: str, registration: Registration, audiences: Collection[str]
    ) -> UsedCredential:
        """Pass when it does, and the rest is right."""
        if not jwt.get_unverified_header(assertion).get("x5c"):
            raise malformed()
        return super().verify(assertion, registration, audiences)


def with_x5c(cloud: Cloud, _: Path) -> Settings:
    """The assertion carries the certificate."""
    cloud.entra.assertions = SubjectNameTrust()
    return {"CertificateSendX5c": "true"}


WAYS = {
    "ManagedIdentity": Way(MANAGED_IDENTITY),
    "ManagedIdentity, implied": Way(MANAGED_IDENTITY, implied),
    "Certificate, PFX in the vault": Way(CERTIFICATE),
    "Certificate, PEM in the vault": Way(CERTIFICATE, from_vault_as_pem),
    "Certificate, pinned": Way(CERTIFICATE, pinned),
    "Certificate, multi-tenant": Way(CERTIFICATE, app_type="MultiTenant"),
    "Certificate, user-assigned reader": Way(CERTIFICATE, user_assigned_reader),
    "Certificate, without lists": Way(CERTIFICATE, without_lists),
    "Certificate, x5c": Way(CERTIFICATE, with_x5c),
    "Certificate, PEM file": Way(CERTIFICATE, in_file("bot.pem", pem)),
    "Certificate, PFX file": Way(CERTIFICATE, in_file("bot.pfx", pfx)),
    "SignInVault, PFX policy": Way(SIGN_IN_VAULT),
    "SignInVault, PEM policy": Way(SIGN_IN_VAULT, from_vault_as_pem),
    "SignInVault, pinned": Way(SIGN_IN_VAULT, pinned),
    "SignInVault, multi-tenant": Way(SIGN_IN_VAULT, app_type="MultiTenant"),
    "SignInVault, user-assigned reader": Way(SIGN_IN_VAULT, user_assigned_reader),
    "SignInVault, without lists": Way(SIGN_IN_VAULT, without_lists),
    "SignInVault, x5c": Way(SIGN_IN_VAULT, with_x5c),
    "Federated": Way(FEDERATED),
}

WITH_EACH_CREDENTIAL = (
    "ManagedIdentity",
    "Certificate, PFX in the vault",
    "SignInVault, PFX policy",
    "Federated",
)

COVERED_BY = [
    "tests/auth/certificates/test_exported.py",
    "tests/auth/certificates/test_file.py",
    "tests/auth/certificates/test_signing.py",
    "tests/auth/outbound/test_client_certificate.py",
    "tests/auth/outbound/test_credentials.py",
    "tests/auth/test_settings.py",
]

OTHERS = [
    pytest.param(each, marks=pytest.mark.extended(covered_by=COVERED_BY))
    for each in WAYS
    if each not in WITH_EACH_CREDENTIAL
]


def expected_facts(cloud: Cloud) -> dict[str, object]:
    """What /api/identity must say of the credential."""
    facts: dict[str, object] = {
        "kind": cloud.credential,
        "appId": cloud.registration.app_id,
        "certificateThumbprint": None,
        "certificateExpiresOn": None,
        "warnings": [],
    }
    if cloud.credential in READER_PERMISSIONS:
        version = newest(cloud)
        facts["certificateThumbprint"] = thumbprint(version)
        facts["certificateExpiresOn"] = version.certificate.not_valid_after_utc.isoformat()
    return facts


@pytest.mark.parametrize("name", [*WITH_EACH_CREDENTIAL, *OTHERS])
def test_sign_in(name: str, tmp_path: Path, logs: Path) -> None:
    """A reply arrives with a token issued for this bot; warm turns ask for no more tokens."""
    way = WAYS[name]
    with CloudThread(Cloud(tmp_path, way.credential, way.app_type)) as thread:
        cloud = thread.cloud
        settings = cloud.settings() | way.prepare(cloud, tmp_path) | NO_TYPING
        with BotProcess(settings, logs / f"{name}.log") as process:
            user = User(cloud, Caller(process.url))
            assert user.says("hello") == 200
            issued, connections = cloud.entra.tokens_issued, cloud.connector.server.connections
            used = Counter(cloud.vault.operations)
            for number in range(20):
                assert user.says(f"again {number}") == 200
            assert user.texts()[-1] == "You said: again 19"
            assert all(call.verified for call in cloud.connector.calls)
            assert cloud.entra.tokens_issued == issued
            assert cloud.connector.server.connections == connections == 1
            assert cloud.vault.operations == used
            identity = user.caller.send("GET", "/api/identity", [])
            assert not any(secret in identity.body for secret in (b"eyJ", b"PRIVATE KEY"))
            facts = identity.json()
            assert {name: facts[name] for name in expected_facts(cloud)} == expected_facts(cloud)
            user.caller.close()


def test_the_key_stays_in_the_vault(tmp_path: Path, logs: Path) -> None:
    """SignInVault asks for no secret and no key; the vault signs once for the token."""
    with CloudThread(Cloud(tmp_path, SIGN_IN_VAULT)) as thread:
        cloud = thread.cloud
        assert not cloud.vault_permissions[cloud.reader] & {"secrets/get", "keys/get"}
        with BotProcess(cloud.settings(), logs / "key stays.log") as process:
            user = User(cloud, Caller(process.url))
            assert user.says("hello") == 200
            user.caller.close()
        asked = [request.split("/")[1] for request in cloud.vault.server.requests]
        assert sorted(set(asked)) == ["certificates", "keys"]
        assert [request for request in cloud.vault.server.requests if "GET /keys" in request] == []
        assert cloud.vault.operations["keys/sign"] == cloud.entra.token_requests == 1


def expiring(cloud: Cloud, _: Path) -> Settings:
    """The certificate has twenty days left."""
    version = newest(cloud)
    left = self_signed("bot", version.private_key, ends_in_days=20)
    put(cloud, replace(version, certificate=left))
    return {}


def newer_unknown(cloud: Cloud, _: Path) -> Settings:
    """The vault has renewed the certificate, and nobody has uploaded the new one."""
    cloud.renew_certificate(registered=False)
    return {}


NEWER_UNKNOWN = "A newer certificate cannot be used yet: Entra does not accept the certificate"

WARNINGS = {
    "Certificate, expiring": (CERTIFICATE, expiring, "expires soon (days left: 19)"),
    "SignInVault, expiring": (SIGN_IN_VAULT, expiring, "expires soon (days left: 19)"),
    "Certificate, newer unknown": (CERTIFICATE, newer_unknown, NEWER_UNKNOWN),
    "SignInVault, newer unknown": (SIGN_IN_VAULT, newer_unknown, NEWER_UNKNOWN),
}


@pytest.mark.extended(
    covered_by=[
        "tests/auth/certificates/test_version_changes.py",
        "tests/auth/certificates/test_expiry_warning.py",
    ]
)
@pytest.mark.parametrize("name", WARNINGS)
def test_warnings(name: str, tmp_path: Path, logs: Path) -> None:
    """The log and /api/identity warn of what will fail one day, while users are answered."""
    credential, prepare, text = WARNINGS[name]
    log = logs / f"{name}.log"
    with CloudThread(Cloud(tmp_path, credential)) as thread:
        cloud = thread.cloud
        settings = cloud.settings() | prepare(cloud, tmp_path)
        with BotProcess(settings, log) as process:
            user = User(cloud, Caller(process.url))
            assert user.says("hello") == 200
            facts = user.caller.send("GET", "/api/identity", []).json()
            user.caller.close()
    (warning,) = facts["warnings"]
    assert text in warning
    assert log.read_text().count(text) == 1
