"""Stage: an old bot that runs, a Function App beside it that is to be its new one, and a shell."""

from dataclasses import dataclass, replace

import requests

from bot_workbench.emulator.local_azure import LocalAzure
from bot_workbench.emulator.resource_manager.resource import Resource
from bot_workbench.emulator.seeds import OldBot, PreparedFunctionApp
from tests.support.azure.azure_thread import AzureThread
from tests.support.azure.shell import AdminShell
from tests.support.azure.talker import Talker
from tests.support.timing.condition import until

BOT, APP, VAULT = "contoso-bot", "contoso-functions", "contoso-vault"
REFUSED = "AADSTS7000215"


@dataclass(frozen=True)
class Stage:
    """The start of a route.

    Attributes:
        thread: runs the local Azure.
        old: the bot with a secret.
        new: the Function App.
        shell: runs the commands.
        secret: the value of the old bot's secret, which only its web app's settings have.
        name: the route's, for the summary.
    """

    thread: AzureThread
    old: OldBot
    new: PreparedFunctionApp
    shell: AdminShell
    secret: str
    name: str

    @property
    def azure(self) -> LocalAzure:
        """The local Azure."""
        return self.thread.azure

    def stop(self, site: Resource) -> None:
        """Stop a site, as `az webapp stop` does."""
        site.properties["state"] = "Stopped"
        self.thread.call(self.azure.resource_manager.on_site_change, site)

    def pass_days(self, days: int) -> None:
        """Let all sign-ins so far have been some days earlier, as if the bot had run since then."""
        directory = self.azure.directory
        earlier = [replace(each, when=each.when - days * 86400) for each in directory.sign_ins]
        directory.sign_ins[:] = earlier

    def sign_in_with_secret(self) -> requests.Response:
        """Ask Entra for a token with the old secret, from outside of any process's cache."""
        registration = self.old.registration
        tenant = {"MultiTenant": "botframework.com"}.get(
            registration.app_type, registration.tenant_id
        )
        return requests.post(
            f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": registration.app_id,
                "client_secret": self.secret,
                "scope": "https://api.botframework.com/.default",
            },
            proxies={"https": self.azure.proxy.url},
            verify=str(self.azure.authority.path),
            timeout=60,
        )

    def summary(self, *talkers: Talker) -> None:
        """Print and note what the route cost its users, and what is left of the secret."""
        turns = sum(len(talker.turns) for talker in talkers)
        failed = [turn for talker in talkers for turn in talker.failed]
        left = len(self.old.registration.secrets)
        line = f"{self.name}: {turns} turns, {len(failed)} failed, secrets left: {left}"
        print(line)
        self.shell.note(line)

    def check_old_bot_serves(self) -> None:
        """The bot signs in with its secret, and answers."""
        assert self.sign_in_with_secret().status_code == 200
        assert Talker(self.thread, BOT).say("hello").reply == "Old bot: hello"

    def check_app_serves(self, talker: Talker) -> None:
        """No turn failed; the new app, which signs in as the same bot, has had the last one."""
        assert talker.failed == []
        assert not talker.turns[-1].reply.startswith("Old bot")
        assert self.caller_of(BOT) == self.old.registration.app_id

    def check_secret_is_gone(self) -> None:
        """No secret is left at the registration, in a setting or in what commands have printed."""
        assert self.old.registration.secrets == []
        until(lambda: self.sign_in_with_secret().status_code == 401)
        assert REFUSED in self.sign_in_with_secret().text
        assert self.secret not in self.shell.transcript.read_text("utf-8")
        for site in (self.old.site, self.new.site):
            assert self.secret not in self.azure.resource_manager.app_settings(site.id).values()

    def caller_of(self, bot: str) -> str:
        """The app id (GUID) that the last call of an Azure Bot's connector was signed in with."""
        call = self.azure.channels[bot].connector.calls[-1]
        assert call.verified
        return call.appid
