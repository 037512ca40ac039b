"""Deletion: a bot whose secret is to be deleted, and what a test changes before."""

import contextlib
import datetime
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from aiohttp import web

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.cloud import PUBLIC
from bot_workbench.admin.migrate.delete_secret.command import plan_delete_secret
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.output import Event
from bot_workbench.admin.plan.run import Runner
from bot_workbench.admin.plan.target import Target
from bot_workbench.emulator.entra.credentials import CLIENT_SECRET, KeyCredential, UsedCredential
from bot_workbench.emulator.entra.directory import SignIn
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.key_vault.inventory import VaultCertificate
from bot_workbench.emulator.resource_manager.resource import Resource
from bot_workbench.emulator.seeds import assign_role
from tests.admin.migrate.migration import APP, BOT, OTHER_APP_ID, Ended, Migration
from tests.support.light_sites.light_site import LightSite

ROLES = {
    "SignInVault": ("21090545-7ca7-4776-b22c-e363652d74d2", "12338af0-0e69-4776-bea7-57ae8d297424"),
    "Certificate": ("4633458b-17de-408a-b874-0445c86b69e6",),
}
"""On the vault, by credential: Key Vault Reader and Crypto User; Secrets User."""
SECRET = "the-value-of-a-setting"  # of no bot
NEW_BOT = "contoso-bot-2"
COMMAND = ("delete-secret", "--bot", BOT)


def changes(ended: Ended) -> list[dict[str, Any]]:
    """The changes that a command with --json has sent."""
    return [change for step in ended.json["steps"] for change in step["changes"]]


class Deletion:
    """The old bot and the new app.

    Args:
        migration: the old bot and the Function App.
    """

    def __init__(self, migration: Migration) -> None:
        self.migration = migration
        self.thread = migration.thread
        self.azure = migration.thread.azure
        self.registration = migration.old.registration
        connection = self.resource(f"{migration.old.bot.id}/connections/graph")
        self.call(connection.properties.update, {"clientId": OTHER_APP_ID})

    def switch(self, prepare: Callable[[], object] = lambda: None) -> None:
        """Move the users to the new app.

        Args:
            prepare: gives the app another credential than a federated one, with which it signs in.
        """
        migration = self.migration
        migration.let_new_app_sign_in(**self.new_settings, MicrosoftAppPassword=SECRET)
        prepare()
        ended = migration.run("switch", "--bot", BOT, "--app", APP)
        assert ended.status == 0, ended.output + ended.errors
        self.talk()

    def replace_bot(self) -> None:
        """Let a new bot, which is a managed identity, replace the old one, whose app is stopped."""
        words = ("--new-bot", NEW_BOT, "--app", APP, "--timeout", "10")
        ended = self.migration.run("managed-identity", "--bot", BOT, *words)
        assert ended.status == 0, ended.output + ended.errors
        self.set_state(self.migration.old.site, "Stopped")
        self.talk()

    def set_state(self, site: Resource, state: str) -> None:
        """Stop or start an app."""
        self.call(site.properties.update, {"state": state})
        self.call(self.azure.resource_manager.on_site_change, site)

    def call(self, function: Any, *arguments: Any, **named: Any) -> Any:
        """Call a function where the local Azure may be changed."""
        return self.thread.call(function, *arguments, **named)

    def resource(self, resource_id: str) -> Resource:
        """A resource as it is now."""
        found = self.azure.resource_manager.resources.find(resource_id)
        assert found is not None, resource_id
        return found

    @property
    def code(self) -> LightSite:
        """What the Function App runs."""
        found = self.azure.sites.code(APP)
        assert isinstance(found, LightSite)
        return found

    def settings_of(self, site: Resource) -> dict[str, str]:
        """The settings of a site."""
        return dict(self.azure.resource_manager.app_settings(site.id))

    @property
    def new_settings(self) -> dict[str, str]:
        """The Function App's settings."""
        return self.settings_of(self.migration.new.site)

    def set_settings(self, site: Resource, **settings: str) -> None:
        """Set settings of a site, and keep its others."""
        values = {**self.settings_of(site), **settings}
        self.call(self.azure.group.set_app_settings, site, values)

    @property
    def key_ids(self) -> list[str]:
        """The key ids of the registration's secrets."""
        return [secret.key_id for secret in self.registration.secrets]

    def state(self) -> tuple[Any, ...]:
        """All that the command may change."""
        sites = (self.migration.new.site, self.migration.old.site)
        settings = tuple(self.settings_of(site) for site in sites)
        return (*settings, self.key_ids, self.migration.bot().etag, self.code.started_on)

    def talk(self, minutes_ago: float = 0) -> None:
        """Let the app's last outbound call be then."""
        now = self.azure.directory.now()
        when = now - datetime.timedelta(minutes=minutes_ago)
        self.call(setattr, self.code, "last_outbound_call", when)

    @contextlib.contextmanager
    def conversation(self) -> Iterator[None]:
        """A user who writes whenever the app has not answered since its start."""

        async def written(request: web.Request, handler: Handler) -> web.StreamResponse:
            code = self.azure.sites.code(APP)
            if isinstance(code, LightSite) and code.last_outbound_call is None:
                code.last_outbound_call = self.azure.directory.now()
            return await handler(request)

        server = self.azure.sites.server
        server.around = written
        try:
            yield
        finally:
            server.around = None

    def use_certificate(
        self, ends_in_days: float = 365, credential: str = "SignInVault"
    ) -> VaultCertificate:
        """Let the app sign in with a certificate of its vault, as it has signed in by now."""
        vault_resource, name = self.migration.new.vault, "bot-certificate"
        assert vault_resource is not None
        vault = self.azure.vaults[f"{vault_resource.name}.vault.azure.net"]
        made: VaultCertificate = self.call(
            vault.inventory.add_version, name, ends_in_days=ends_in_days
        )
        principal_id = self.migration.new.identity["principalId"]
        group = self.azure.group
        for role in ROLES[credential]:
            self.call(assign_role, group, vault_resource, role, principal_id)
        self.call(self.registration.add_key, KeyCredential.of(made.certificate))
        self.set_settings(
            self.migration.new.site,
            BotCredential=credential,
            CertificateVaultUrl=f"https://{vault_resource.name}.vault.azure.net",
            CertificateName=name,
        )
        self.sign_in()
        self.talk()
        return made

    def sign_in(self) -> None:
        """Let the app get the token that it then keeps for an hour."""
        self.call(self.code._token)

    def change_proof(self, **facts: Any) -> None:
        """Let the app say something else at /api/identity."""
        proof = self.code._proof
        self.call(setattr, self.code, "_proof", lambda signed_in: {**proof(signed_in), **facts})

    def trust(self, **values: str) -> None:
        """Replace the registration's federated credential by one with other values."""
        self.sign_in()
        trusted = self.registration.federated_credentials
        self.call(trusted.append, replace(trusted[0], **values))
        self.call(trusted.pop, 0)

    def record_sign_in(self, hours_ago: float = 0, tenant_id: str = "") -> str:
        """Let somebody have signed in with the secret; returns its key id.

        Args:
            hours_ago: when.
            tenant_id: GUID of the tenant; empty: the registration's.
        """
        key_id = self.key_ids[0]
        used = UsedCredential(CLIENT_SECRET, key_id)
        when = self.azure.directory.clock() - hours_ago * 3600
        resource, tenant = "https://graph.microsoft.com", tenant_id or self.registration.tenant_id
        sign_in = SignIn(when, self.registration.app_id, used, resource, tenant)
        self.call(self.azure.directory.sign_ins.append, sign_in)
        return key_id

    def switched(self, minutes_ago: float) -> None:
        """Let the endpoint have moved then."""
        now = self.azure.directory.now()
        when = now - datetime.timedelta(minutes=minutes_ago)
        self.call(self.migration.bot().body["tags"].update, {"switchedOn": when.isoformat()})

    def run(self, *words: str) -> Ended:
        """Run the command without a question."""
        return self.migration.run(*COMMAND, "--yes", *words)

    def run_asked(self, confirm: Callable[[str], bool]) -> tuple[int, str]:
        """Run the command with an answer to its question; returns its status and the reason."""
        options = Options("delete-secret", BOT, timeout_seconds=60)
        events: list[Event] = []
        with AzureClients(PUBLIC, timeout_seconds=options.timeout_seconds) as azure:
            plan = plan_delete_secret(Target(azure, options))
            status = Runner(azure, options, events.append, confirm).run(plan)
        return int(status), events[-1].text
