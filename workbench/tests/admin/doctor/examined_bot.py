"""ExaminedBot: a deployed bot in the local Azure that has nothing wrong, and the doctor."""

import json
from typing import Any

from typer.testing import CliRunner

from bot_workbench.admin.doctor.checks.app import HOST_LINES
from bot_workbench.command_line import app
from bot_workbench.emulator.entra.credentials import TrustedSubject
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.log_analytics.log_analytics import QueryResult
from bot_workbench.emulator.resource_manager.resource import JsonObject, Resource
from bot_workbench.emulator.seeds import PreparedFunctionApp, assign_role
from tests.admin.migrate.migration import APP, BOT, BOTS, NEW_ENDPOINT, VAULT, Ended
from tests.admin.moved_clock import MovedClock
from tests.support.azure.azure_thread import AzureThread

MANAGED_IDENTITY, FEDERATED = "ManagedIdentity", "Federated"
CERTIFICATE, SIGN_IN_VAULT = "Certificate", "SignInVault"

CERTIFICATE_NAME = "bot-certificate"
READER = "21090545-7ca7-4776-b22c-e363652d74d2"
CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
ROLES_ON_VAULT = {SIGN_IN_VAULT: (READER, CRYPTO_USER), CERTIFICATE: (SECRETS_USER,)}
COLUMNS = ("Turns", "Refused", "Failed", "DeadLettered", "Blocked")
"""Of the query for the last day, besides those of the host's lines."""


def last_day(**counts: int) -> QueryResult:
    """The result of the query for the last day, by its columns; those that are not given are 0."""
    known = dict.fromkeys((*COLUMNS, *(line.column for line in HOST_LINES)), 0)
    assert counts.keys() <= known.keys()
    return QueryResult(dict.fromkeys(known, "long"), (tuple((known | counts).values()),))


class ExaminedBot:
    """A bot on Flex Consumption, as the Bicep templates deploy it.

    Args:
        thread: has the local Azure.
        credential: how the bot signs in, a key of KINDS.

    Attributes:
        thread: as given.
        azure: the local Azure.
        prepared: the Function App, its identity, and the vault if the credential needs one.
        registration: the app registration; None with a managed identity.
        bot: the Azure Bot.
    """

    def __init__(self, thread: AzureThread, credential: str = FEDERATED) -> None:
        self.thread, self.azure = thread, thread.azure
        self._credential = credential
        vault = VAULT if credential in ROLES_ON_VAULT else ""
        self.prepared: PreparedFunctionApp = self.call(
            self.azure.add_function_app, APP, vault=vault
        )
        self.registration: Registration | None = None
        if credential != MANAGED_IDENTITY:
            self.registration = self.call(self.azure.directory.add_application, BOT)
        self.call(self._protect)
        self.call(self._add_credential)
        self.call(self._add_monitoring)
        self.set_settings(**self._settings())
        self.bot: Resource = self.call(self._add_bot)

    def call(self, function: Any, *arguments: Any, **named: Any) -> Any:
        """Call a function where the local Azure may be changed."""
        return self.thread.call(function, *arguments, **named)

    @property
    def app_id(self) -> str:
        """The bot's id."""
        own = str(self.prepared.identity["clientId"])
        return self.registration.app_id if self.registration else own

    @property
    def tenant_id(self) -> str:
        """The bot's tenant."""
        return self.azure.directory.tenant_id

    @property
    def site(self) -> Resource:
        """The Function App."""
        return self.prepared.site

    def found(self, type_name: str, name: str = "") -> Resource:
        """The first resource of a type, or the one of this name."""
        listed = self.azure.resource_manager.resources.of_type(type_name)
        return next(each for each in listed if not name or each.name == name)

    def settings(self) -> dict[str, str]:
        """The app settings."""
        return dict(self.azure.resource_manager.app_settings(self.site.id))

    def set_settings(self, **values: str | None) -> None:
        """Set app settings, and delete those that are None; what Azure would refuse is possible."""
        changed = {**self.settings(), **values}
        kept = {name: value for name, value in changed.items() if value is not None}

        def write() -> None:
            self.site.hidden["appSettings"] = kept
            self.azure.resource_manager.on_site_change(self.site)

        self.call(write)

    def put(self, resource_id: str, properties: JsonObject) -> Resource:
        """Create or replace a resource below another one."""
        body = {"location": "global", "properties": properties}
        made: Resource = self.call(self.azure.resource_manager.put, resource_id, body)
        return made

    def remove(self, resource: Resource) -> None:
        """Delete a resource."""
        self.call(self.azure.resource_manager.resources.remove, resource.id)

    def run(self, *words: str) -> Ended:
        """Run the doctor in this process."""
        result = CliRunner().invoke(app, ["doctor", *words], obj=MovedClock())
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert "Traceback" not in result.output
        return Ended(result.exit_code, result.stdout, result.stderr)

    def findings(self) -> list[dict[str, str]]:
        """The doctor's findings; its exit status agrees."""
        ended = self.run("--bot", BOT, "--json")
        found: list[dict[str, str]] = json.loads(ended.output)["findings"]
        assert ended.status == (1 if found else 0), ended.output + ended.errors
        return found

    def _protect(self) -> None:
        for name in ("scm", "ftp"):
            policy = f"{self.site.id}/basicPublishingCredentialsPolicies/{name}"
            self.azure.resource_manager.put(policy, {"properties": {"allow": False}})

    def _add_credential(self) -> None:
        vault, identity = self.prepared.vault, self.prepared.identity
        if vault is not None and self.registration is not None:
            for role in ROLES_ON_VAULT[self._credential]:
                assign_role(self.azure.group, vault, role, identity["principalId"])
            inventory = self.azure.vaults[f"{VAULT}.vault.azure.net"].inventory
            self.registration.register(inventory.add_version(CERTIFICATE_NAME).certificate)
        elif self.registration is not None:
            issuer = self.azure.entra.authority.issuer(self.registration.tenant_id)
            trusted = TrustedSubject(issuer, identity["principalId"], name="bot-identity")
            self.registration.federated_credentials.append(trusted)

    def _add_monitoring(self) -> None:
        group = self.azure.group
        workspace = group.put("Microsoft.OperationalInsights/workspaces", "contoso-logs", {})
        properties = {"WorkspaceResourceId": workspace.id, "DisableLocalAuth": True}
        body: JsonObject = {"kind": "web", "properties": properties}
        component = group.put("Microsoft.Insights/components", "contoso-insights", body)
        principal = self.prepared.identity["principalId"]
        assign_role(group, component, METRICS_PUBLISHER, principal)
        self.azure.log_analytics.results["AppRequests"] = last_day(Turns=12, Refused=3)

    def _settings(self) -> dict[str, str]:
        client_id = str(self.prepared.identity["clientId"])
        component = self.found("Microsoft.Insights/components")
        values = {
            "MicrosoftAppType": "SingleTenant" if self.registration else "UserAssignedMSI",
            "MicrosoftAppId": self.app_id,
            "MicrosoftAppTenantId": self.azure.directory.tenant_id,
            "BotCredential": self._credential,
            "AZURE_CLIENT_ID": client_id,
            "APPLICATIONINSIGHTS_CONNECTION_STRING": component.properties["ConnectionString"],
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": f"Authorization=AAD;ClientId={client_id}",
        }
        if self.prepared.vault:
            values |= {
                "CertificateVaultUrl": f"https://{VAULT}.vault.azure.net",
                "CertificateName": CERTIFICATE_NAME,
            }
        return values

    def _add_bot(self) -> Resource:
        properties: JsonObject = {
            "displayName": BOT,
            "endpoint": NEW_ENDPOINT,
            "msaAppId": self.app_id,
            "msaAppType": "SingleTenant" if self.registration else "UserAssignedMSI",
            "msaAppTenantId": self.azure.directory.tenant_id,
        }
        if self.registration is None:
            properties["msaAppMSIResourceId"] = self.prepared.identity["id"]
        body: JsonObject = {
            "location": "global",
            "kind": "azurebot",
            "sku": {"name": "F0"},
            "properties": properties,
        }
        bot = self.azure.group.put(BOTS, BOT, body)
        teams = {"isEnabled": True, "acceptedTerms": True}
        channel = {"channelName": "MsTeamsChannel", "properties": teams}
        self.azure.resource_manager.put(
            f"{bot.id}/channels/MsTeamsChannel", {"location": "global", "properties": channel}
        )
        return bot
