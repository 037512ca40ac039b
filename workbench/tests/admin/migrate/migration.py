"""Migration: a bot to migrate in the local Azure, and the commands that are run on it."""

import json
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from bot_workbench.admin.azure.clock import Clock
from bot_workbench.command_line import app
from bot_workbench.emulator.entra.credentials import TrustedSubject
from bot_workbench.emulator.resource_manager.resource import Resource
from bot_workbench.emulator.seeds import OldBot, PreparedFunctionApp
from tests.support.azure.azure_thread import AzureThread

BOT = "contoso-bot"
APP = "contoso-functions"
VAULT = "contoso-vault"
OLD_ENDPOINT = f"https://{BOT}-web.azurewebsites.net/api/messages"
NEW_ENDPOINT = f"https://{APP}.azurewebsites.net/api/messages"
OTHER_APP_ID = "99999999-2222-3333-4444-555555555555"
"""The app id of another bot."""

BOTS = "Microsoft.BotService/botServices"


@dataclass(frozen=True)
class Ended:
    """The end of a command.

    Attributes:
        status: exit status.
        output: what it printed.
        errors: what it printed on standard error.
    """

    status: int
    output: str
    errors: str

    @property
    def json(self) -> Any:
        """The object that it printed."""
        return json.loads(self.output)


class Migration:
    """An old bot, and a Function App that is to be its new one.

    Args:
        thread: has the local Azure.
        app_type: the bot's.
        clock: the commands'; None: the machine's.

    Attributes:
        old: the old bot.
        new: the Function App; it has no settings of a bot.
    """

    def __init__(
        self, thread: AzureThread, app_type: str = "SingleTenant", clock: Clock | None = None
    ) -> None:
        self.thread = thread
        self._clock = clock
        azure = thread.azure
        self.old: OldBot = thread.call(azure.add_old_bot, BOT, app_type, connection="graph")
        self.new: PreparedFunctionApp = thread.call(azure.add_function_app, APP, vault=VAULT)

    def bot(self) -> Resource:
        """The Azure Bot as it is now."""
        found = self.thread.azure.resource_manager.resources.find(self.old.bot.id)
        assert found is not None
        return found

    def put_other_bot(self, name: str, **properties: str) -> None:
        """Create another Azure Bot, for the Function App unless its properties say otherwise."""
        azure = self.thread.azure
        body = {
            "location": "global",
            "kind": "azurebot",
            "sku": {"name": "F0"},
            "properties": {
                "displayName": name,
                "endpoint": NEW_ENDPOINT,
                "msaAppId": OTHER_APP_ID,
                "msaAppType": "SingleTenant",
                "msaAppTenantId": azure.directory.tenant_id,
                **properties,
            },
        }
        self.thread.call(azure.group.put, BOTS, name, body)

    @property
    def endpoint(self) -> str:
        """The bot's endpoint."""
        return str(self.bot().properties["endpoint"])

    def tags(self) -> dict[str, str]:
        """The bot's tags."""
        return dict(self.bot().body.get("tags") or {})

    def let_new_app_sign_in(self, **settings: str) -> None:
        """Do what the route `federated` does, without its command."""
        azure, registration = self.thread.azure, self.old.registration
        trusted = TrustedSubject(
            azure.entra.authority.issuer(registration.tenant_id),
            self.new.identity["principalId"],
            name="bot-identity",
        )
        if trusted not in registration.federated_credentials:
            self.thread.call(registration.federated_credentials.append, trusted)
        values = {
            "MicrosoftAppType": registration.app_type,
            "MicrosoftAppId": registration.app_id,
            "MicrosoftAppTenantId": registration.tenant_id,
            "BotCredential": "Federated",
            "AZURE_CLIENT_ID": self.new.identity["clientId"],
        }
        self.thread.call(azure.group.set_app_settings, self.new.site, {**values, **settings})

    def run(self, *words: str) -> Ended:
        """Run `migrate` in this process, with these words after it."""
        result = CliRunner().invoke(app, ["migrate", *words], obj=self._clock)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)
