"""A local Azure with an old bot that runs, and a Function App that is to be its new one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests

from emulator.local_azure import PROCESSES, LocalAzure
from emulator.resource_manager.core.resource import Resource
from emulator.seeds.function_app import PreparedFunctionApp
from emulator.seeds.old_bot import OldBot
from emulator.sites.process_site import ProcessSite
from tests.support.azure.azure_thread import AzureThread
from tests.support.azure.shell import AdminShell
from tests.support.azure.talker import Talker

BOT, APP, VAULT = "contoso-bot", "contoso-functions", "contoso-vault"


@dataclass(frozen=True)
class Stage:
    """What a route starts from.

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

    def settle(self, site: str) -> None:
        """Wait until what is wanted of a site is what runs."""
        code = self.azure.sites.code(site)
        assert isinstance(code, ProcessSite)
        self.thread.do(code.settled())

    def stop(self, site: Resource) -> None:
        """Stop a site, as `az webapp stop` does."""
        site.properties["state"] = "Stopped"
        self.thread.call(self.azure.resource_manager.on_site_change, site)

    def pass_days(self, days: int) -> None:
        """Let all sign-ins so far have been some days earlier."""
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
            timeout=10,
        )

    def summary(self, *talkers: Talker) -> None:
        """Print what the route cost its users, and what is left of the secret."""
        turns = sum(len(talker.turns) for talker in talkers)
        failed = [turn for talker in talkers for turn in talker.failed]
        left = len(self.old.registration.secrets)
        print(f"{self.name}: {turns} turns, {len(failed)} failed, secrets left: {left}")


@pytest.fixture
def app_type() -> str:
    """The old bot's type."""
    return "SingleTenant"


@pytest.fixture
def stage(
    tmp_path: Path, logs: Path, app_type: str, request: pytest.FixtureRequest
) -> Iterator[Stage]:
    """Everything runs, and the old bot serves."""
    name = request.node.name
    with AzureThread(tmp_path, PROCESSES) as thread:
        azure = thread.azure
        old = thread.call(azure.add_old_bot, BOT, app_type)
        new = thread.call(lambda: azure.add_function_app(APP, vault=VAULT))
        secret = azure.resource_manager.app_settings(old.site.id)["MicrosoftAppPassword"]
        shell = AdminShell(azure, logs / f"{name}.log")
        stage = Stage(thread, old, new, shell, secret, name)
        stage.settle(old.site.name)
        yield stage
