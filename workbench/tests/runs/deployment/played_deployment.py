"""PlayedDeployment: from an empty subscription to a bot that runs, by the project's own means."""

import json
import re
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot_workbench.emulator.resource_manager.resource import Resource
from bot_workbench.emulator.seeds import FUNCTIONS
from bot_workbench.emulator.sites.process_site import ProcessSite, SiteHosting
from bot_workbench.emulator.sites.site import site_of
from bot_workbench.emulator.storage.azurite import Azurite, CertificateFiles
from tests.support.azd.deployment_stage import ENVIRONMENT, LOCATION, SITES, an_hour_ago
from tests.support.azd.resource_client import ResourceClient
from tests.support.azure.azure_thread import AzureThread, answer_of
from tests.support.azure.shell import AdminShell
from tests.support.azure.talker import Said, Talker
from tests.support.bicep.deployment import Deployment
from tests.support.bicep.functions import Scope
from tests.support.bots.app_folder import host_alone
from tests.support.project import ROOT

STORAGE_DOMAINS = ("blob.core.windows.net", "queue.core.windows.net")
WORKER_PACKAGES = (
    *("azure_functions_runtime", "azurefunctions", "httptools", "uvloop"),
    *("croniter", "dateutil", "six.py"),
)
"""What Azure's worker brings along."""

TURN_SECONDS = 60


class PlayedDeployment:
    """One deployment into a local Azure.

    Args:
        thread: has the local Azure.
        folder: for what the app's process needs.
        credential: how the bot signs in.
        turns: Inline or Queued.

    Attributes:
        outputs: the template's, once it is deployed.
    """

    def __init__(self, thread: AzureThread, folder: Path, credential: str, turns: str) -> None:
        self.outputs: dict[str, str] = {}
        self._thread = thread
        self._folder = folder
        self._shell = AdminShell(thread.azure, folder / "shell.log")
        self._manager = thread.azure.resource_manager
        self._manager.tenant.utc = an_hour_ago  # `finish` waits for younger roles
        self._parameters: dict[str, Any] = {
            "environmentName": ENVIRONMENT,
            "location": LOCATION,
            "credential": credential,
            "turns": turns,
        }

    def provision(self) -> None:
        """Prepare, deploy the template, and finish."""
        words = ("--location", LOCATION, "--credential", self._parameters["credential"])
        prepared = self._admin("prepare", *words)
        if found := re.search(r"botAppId=([0-9a-f-]{36})", prepared):
            self._parameters["botAppId"] = found[1]
        azure = self._thread.azure
        scope = Scope(self._manager.subscription_id, azure.directory.tenant_id)
        send = ResourceClient(self._thread).send
        main = ROOT / "infra" / "main.bicep"
        self.outputs = Deployment(main, self._parameters, scope, send).run()
        self._admin("finish")

    def prove(self, package: Path) -> None:
        """Prove the deployment of a package, a zip, as pipelines and people without azd do."""
        self._admin("prove", "--package", str(package))

    def _admin(self, command: str, *words: str) -> str:
        where = ("--environment", ENVIRONMENT, "--subscription", self._manager.subscription_id)
        return self._shell.done("deployment", command, *where, *words, "--yes").output

    @property
    def settings(self) -> dict[str, str]:
        """The app settings of the deployed site."""
        return self._manager.app_settings(self._site.id)

    @property
    def _site(self) -> Resource:
        (site,) = self._manager.resources.of_type(SITES)
        return site

    @contextmanager
    def running(self, package: Path) -> Iterator[None]:
        """Run the package on the site, as Flex Consumption does, with a storage account."""
        account = self.settings["AzureWebJobsStorage__accountName"]
        azure = self._thread.azure
        names = [f"{account}.{domain}" for domain in STORAGE_DOMAINS]
        files = CertificateFiles(*azure.authority.server_files(names))
        storage = Azurite(accounts=[account], certificate=files)
        self._thread.do(storage.start())
        try:
            for name, port in zip(names, (storage.ports.blob, storage.ports.queue), strict=True):
                self._thread.call(azure.names.add, name, port)
            self._thread.do(self._run(package))
            yield
        finally:
            self._thread.do(self._stop())
            self._thread.do(storage.stop())

    async def _run(self, package: Path) -> None:
        azure, site = self._thread.azure, site_of(self._site, self._manager)
        platlib = Path(sysconfig.get_path("platlib"))
        modules = self._folder / "host"
        host_alone(modules, {name: platlib / name for name in WORKER_PACKAGES})
        hosting = SiteHosting(
            azure.entra,
            self._folder / "names.json",
            azure.authority.path,
            package,
            self._folder,
            interpreter=(sys.executable, "-S"),  # nothing that is only installed here
            modules=modules,
            host_options=("--specialize", "--read-only", "--loop", "uvloop"),
            has_storage=True,
        )
        self._manager.deploy_functions(self._site.id, FUNCTIONS)
        codes = azure.sites.codes
        await codes[site.host].stop()
        codes[site.host] = code = ProcessSite(site, hosting)
        await code.settled()
        assert code.is_running, self.log

    async def _stop(self) -> None:
        await self._thread.azure.sites.code(self._site.name).stop()

    @property
    def log(self) -> str:
        """What the app's process has logged."""
        return (self._folder / f"{self._site.name}.log").read_text("utf-8")

    def say(self, text: str) -> Said:
        """Send a message through the Azure Bot's channel, and wait for a reply."""
        return Talker(self._thread, self.outputs["BOT_NAME"]).say(text, TURN_SECONDS)

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and body of a GET of the app."""
        return self._call("GET", path, None, headers)

    def post(self, path: str, body: object) -> int:
        """Status of a POST to the app without a token."""
        return self._call("POST", path, body, {})[0]

    def _call(
        self, method: str, path: str, body: object, headers: dict[str, str]
    ) -> tuple[int, str]:
        url = self.outputs["BOT_ENDPOINT"].replace("/api/messages", path)
        return self._thread.do(answer_of(self._thread.azure, method, url, body=body, **headers))

    def identity(self) -> dict[str, Any]:
        """What the app proves of its sign-in."""
        key = self._manager.function_key(self._site.id, "identity")
        status, text = self.get("/api/identity", **{"x-functions-key": key})
        assert status == 200, text
        facts: dict[str, Any] = json.loads(text)
        return facts
