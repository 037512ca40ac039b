"""The light runtime: it proves what the app would prove, and fails where the app would fail."""

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import hashes

from bot_workbench.credential_kinds import KINDS
from bot_workbench.emulator.entra.credentials import TrustedSubject
from bot_workbench.emulator.local_azure import LocalAzure
from bot_workbench.emulator.seeds import OldBot, PreparedFunctionApp, assign_role
from bot_workbench.emulator.sites.site import Site
from tests.support.azure.azure_thread import AzureThread, answer_of
from tests.support.azure.talker import Talker
from tests.support.light_sites.light_site import LightSite

APP = "contoso-functions"
HOST = f"https://{APP}.azurewebsites.net"
KEY_VAULT_READER = "21090545-7ca7-4776-b22c-e363652d74d2"
CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"


class MovedClock:
    """Seconds since 1970, which a test moves."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Bench:
    """A bot with a secret, and a Function App with a vault beside it; none of their code runs."""

    def __init__(self, thread: AzureThread) -> None:
        self.thread = thread
        self.azure: LocalAzure = thread.azure
        self.old: OldBot = thread.call(self.azure.add_old_bot)
        self.app: PreparedFunctionApp = thread.call(
            lambda: self.azure.add_function_app(APP, vault="contoso-vault")
        )

    @property
    def site(self) -> LightSite:
        """What answers for the Function App."""
        code = self.azure.sites.code(APP)
        assert isinstance(code, LightSite)
        return code

    def write(self, **settings: str) -> None:
        """Write the bot's settings, and others."""
        bot = {
            "MicrosoftAppType": "SingleTenant",
            "MicrosoftAppId": self.old.registration.app_id,
            "MicrosoftAppTenantId": self.old.registration.tenant_id,
            "AZURE_CLIENT_ID": self.app.identity["clientId"],
        }
        self.thread.call(self.azure.group.set_app_settings, self.app.site, bot | settings)

    def trust(self) -> TrustedSubject:
        """Add the federated credential for the app's identity."""
        issuer = self.azure.entra.authority.issuer(self.azure.directory.tenant_id)
        trusted = TrustedSubject(issuer, self.app.identity["principalId"])
        self.old.registration.federated_credentials.append(trusted)
        return trusted

    def identity(self) -> tuple[int, dict[str, Any]]:
        """Status and body of /api/identity."""
        key = self.azure.resource_manager.function_key(self.app.site.id, "identity")
        headers = {"x-functions-key": key}
        status, text = self.thread.do(
            answer_of(self.azure, "GET", f"{HOST}/api/identity", **headers)
        )
        return status, json.loads(text)

    def status(self, path: str) -> int:
        """The status of a GET without a key."""
        status: int = self.thread.do(answer_of(self.azure, "GET", f"{HOST}{path}"))[0]
        return status


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Made anew for each test."""
    with AzureThread(tmp_path) as thread:
        yield Bench(thread)


def test_a_federated_sign_in(bench: Bench) -> None:
    """It proves the sign-in once Entra trusts the identity, with the app's own facts."""
    bench.write(BotCredential="Federated")
    assert bench.identity()[0] == 503
    bench.trust()
    status, facts = bench.identity()
    tenant = bench.azure.directory.tenant_id
    assert status == 200
    assert facts["kind"] == "Federated"
    assert facts["appId"] == bench.old.registration.app_id
    assert facts["authority"] == f"https://login.microsoftonline.com/{tenant}"
    assert facts["lastOutboundCall"] is None
    assert bench.status("/api/health") == 200


def test_a_federated_credential_that_entra_does_not_know_yet(bench: Bench) -> None:
    """While a new credential propagates, the sign-in fails."""
    clock = MovedClock(bench.azure.directory.clock())
    bench.azure.directory.clock = clock
    bench.old.registration.clock = clock
    bench.old.registration.delay(bench.trust(), 60)
    bench.write(BotCredential="Federated")
    assert bench.identity()[0] == 503
    clock.now += 61
    assert bench.identity()[0] == 200


@pytest.mark.parametrize("credential", KINDS)
def test_each_credential_is_known(bench: Bench, credential: str) -> None:
    """Without what it needs, the sign-in fails as that of the app does, and not otherwise."""
    bench.write(
        MicrosoftAppType=KINDS[credential].app_types[0],
        BotCredential=credential,
        AZURE_CLIENT_ID=str(uuid4()),
        CertificateVaultUrl="https://nowhere.vault.azure.net",
        CertificateName="bot-certificate",
    )
    assert bench.identity()[0] == 503


@pytest.mark.parametrize(
    ("credential", "roles"),
    [("SignInVault", (KEY_VAULT_READER, CRYPTO_USER)), ("Certificate", (SECRETS_USER,))],
)
def test_a_certificate(bench: Bench, credential: str, roles: tuple[str, ...]) -> None:
    """It needs the roles on the vault, a version, and the public key at the registration."""
    vault = bench.azure.vaults["contoso-vault.vault.azure.net"]
    principal = bench.app.identity["principalId"]
    assert bench.app.vault is not None
    bench.write(
        BotCredential=credential,
        CertificateVaultUrl="https://contoso-vault.vault.azure.net",
        CertificateName="bot-certificate",
    )
    version = vault.inventory.add_version("bot-certificate")
    bench.old.registration.register(version.certificate)
    assert bench.identity()[0] == 503
    bench.old.registration.withdraw(version.certificate)
    for role in roles:
        assign_role(bench.azure.group, bench.app.vault, role, principal)
    assert bench.identity()[0] == 503
    bench.old.registration.register(version.certificate)
    status, facts = bench.identity()
    assert status == 200
    assert facts["kind"] == credential
    digest = version.certificate.fingerprint(hashes.SHA1())  # noqa: S303  # a thumbprint is SHA-1
    assert facts["certificateThumbprint"] == digest.hex().upper()


def test_a_vault_that_accepts_no_role(bench: Bench) -> None:
    """A vault with access policies, or a deleted one, refuses the app, whatever its roles."""
    assert bench.app.vault is not None
    principal = bench.app.identity["principalId"]
    manager = bench.azure.resource_manager
    group = manager.resources.find(bench.azure.group.id)
    assert group is not None
    assign_role(bench.azure.group, group, SECRETS_USER, principal)
    vault = bench.azure.vaults["contoso-vault.vault.azure.net"]
    bench.old.registration.register(vault.inventory.add_version("bot-certificate").certificate)

    def restarted() -> int:
        bench.write(
            BotCredential="Certificate",
            CertificateVaultUrl="https://contoso-vault.vault.azure.net",
            CertificateName="bot-certificate",
        )
        return bench.identity()[0]

    assert restarted() == 200
    bench.app.vault.properties["enableRbacAuthorization"] = False
    assert restarted() == 503
    bench.app.vault.properties["enableRbacAuthorization"] = True
    bench.thread.call(manager.resources.remove, bench.app.vault.id)
    assert restarted() == 503


def test_a_managed_identity(bench: Bench) -> None:
    """It proves the sign-in if the bot's id is that of an identity assigned to the site."""
    app_id = bench.app.identity["clientId"]
    bench.write(
        MicrosoftAppType="UserAssignedMSI", MicrosoftAppId=app_id, BotCredential="ManagedIdentity"
    )
    assert bench.identity()[1]["appId"] == app_id
    bench.app.site.body["identity"] = {"type": "None"}
    bench.thread.call(bench.azure.resource_manager.on_site_change, bench.app.site)
    assert bench.identity()[0] == 503


def test_a_token_outlives_its_credential(bench: Bench) -> None:
    """A running app keeps its token when the credential is deleted; a restart loses it."""
    bench.trust()
    bench.write(BotCredential="Federated")
    assert bench.identity()[0] == 200
    bench.old.registration.federated_credentials.clear()
    assert bench.identity()[0] == 200
    bench.write(BotCredential="Federated")
    assert bench.identity()[0] == 503


def test_a_restart_takes_time_if_it_is_set(bench: Bench) -> None:
    """Until the restart is over, the old process answers with the old settings."""
    bench.trust()
    bench.write(BotCredential="Federated")
    bench.site.last_outbound_call = datetime.datetime.now(datetime.UTC)
    before = bench.identity()[1]
    now = bench.azure.directory.clock()
    bench.azure.directory.clock = clock = MovedClock(now)
    bench.site.restart_seconds = 30
    bench.write(BotCredential="Federated", AllowedTenants="")
    assert bench.identity()[1] == before
    clock.now += 30
    after = bench.identity()[1]
    assert after["processStartedOn"] > before["processStartedOn"]
    assert after["lastOutboundCall"] is None


def test_wrong_settings(bench: Bench) -> None:
    """Settings that the app refuses are a 503, as in the app."""
    bench.trust()
    bench.write(BotCredential="Nonsense")
    assert bench.identity()[0] == 503


def test_who_may_ask(bench: Bench) -> None:
    """The identity needs the function's key; the old bot has no such endpoint."""
    assert bench.status("/api/identity") == 401
    old = "https://contoso-bot-web.azurewebsites.net/api/identity"
    assert bench.thread.do(answer_of(bench.azure, "GET", old))[0] == 404


def test_messages_are_an_outbound_call(bench: Bench) -> None:
    """A message from the channel makes the app call out; one from a stranger is refused."""
    bench.trust()
    bench.write(BotCredential="Federated")
    bench.old.bot.properties["endpoint"] = f"{HOST}/api/messages"
    assert Talker(bench.thread, "contoso-bot").say("hello").status == 200
    assert bench.identity()[1]["lastOutboundCall"]
    stranger = answer_of(bench.azure, "POST", f"{HOST}/api/messages", Authorization="Bearer x")
    assert bench.thread.do(stranger)[0] == 401


def test_the_old_bot_needs_its_secret(bench: Bench) -> None:
    """The old bot accepts messages as long as Entra accepts its secret."""
    assert Talker(bench.thread, "contoso-bot").say("hello").status == 200
    bench.old.registration.secrets.clear()
    assert Talker(bench.thread, "contoso-bot").say("hello").status == 401


def test_no_key_is_no_empty_key(bench: Bench) -> None:
    """A site without keys refuses a caller without one."""
    bench.thread.call(bench.azure.sites.change, Site("bare", is_function_app=True))
    for path in ("/api/identity", "/admin/host/status"):
        url = f"https://bare.azurewebsites.net{path}"
        assert bench.thread.do(answer_of(bench.azure, "GET", url))[0] == 401
