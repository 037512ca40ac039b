"""Publishing: what clients call when they publish code, or ask for regions of Azure Monitor."""

import asyncio
import datetime
import ssl
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from bot_workbench.emulator.resource_manager.callers import AUDIENCES, ArmCallers
from bot_workbench.emulator.resource_manager.control_plane import ResourceManager
from bot_workbench.emulator.resource_manager.errors import ArmError
from bot_workbench.emulator.resource_manager.resource import JsonObject, Resource
from bot_workbench.emulator.resource_manager.site_config import Functions
from bot_workbench.emulator.resource_manager.sites import FLEX, SITES, SLOTS
from bot_workbench.emulator.server import Server
from bot_workbench.emulator.sites.package import PackageRefused, build_log, unpack
from bot_workbench.emulator.sites.site import PACKAGE

REGIONS = {
    "regions": {
        "westeurope": {
            "geo": "europe",
            "pairedRegions": ["northeurope"],
            "laRegionCode": "WEU",
        }
    }
}
"""The map in which the Azure CLI looks up a region's workspace, for a new Function App."""

ZIP = "application/zip"
"""The type that One Deploy, of Flex Consumption, takes; it answers 415 to any other type, such as
that which the Azure CLI's `az functionapp deploy` sends (Azure/azure-cli, issue 33688)."""

RIGHT = "Microsoft.Web/sites/publish/Action"
"""The permission that a caller who signs in with Entra needs on the site."""

APP_SERVICE = ("https://appservice.azure.com", "https://appservice.azure.com/")
"""The `aud` claims of the Azure CLI's tokens for publishing; Core Tools and azd send those for
Resource Manager."""

PENDING, BUILDING, DEPLOYING, FAILED, SUCCESS = range(5)
"""States of a deployment. Others: -1 cancelled, 5 conflict, 6 partial success (Azure/azure-dev,
issue 3658)."""

Index = Callable[[Resource, Path], Awaitable[Functions]]
"""The functions of the package in a folder, with the settings of a site."""

Run = Callable[[Coroutine[Any, Any, None]], object]
"""Runs a task in the background."""


@dataclass
class Deployment:
    """One package that a site was sent.

    Attributes:
        id: GUID.
        host: the site's publishing host name.
        is_built: Azure installs its packages.
        author, deployer: who sent it, as the request says.
        status: PENDING to SUCCESS.
        status_text: why it failed.
        log: what was done, with the time.
    """

    id: str
    host: str
    is_built: bool
    author: str
    deployer: str
    status: int = PENDING
    status_text: str = ""
    log: list[tuple[datetime.datetime, str]] = field(default_factory=list)
    received: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))

    @property
    def is_complete(self) -> bool:
        """It has succeeded or failed."""
        return self.status in (FAILED, SUCCESS)

    def say(self, message: str) -> None:
        """Add a line to the log."""
        self.log.append((datetime.datetime.now(datetime.UTC), message))

    def answer(self, site_name: str) -> JsonObject:
        """The deployment as clients see it (Azure/azure-dev, issue 3658)."""
        ended = self.log[-1][0].isoformat() if self.is_complete else None
        url = f"https://{self.host}/api/deployments/{self.id}"
        return {
            "id": self.id,
            "status": self.status,
            "status_text": self.status_text,
            "author_email": "",
            "author": self.author,
            "deployer": self.deployer,
            "remoteBuild": self.is_built,
            "message": "",
            "progress": "",
            "received_time": self.received.isoformat(),
            "start_time": self.received.isoformat(),
            "end_time": ended,
            "last_success_end_time": ended if self.status == SUCCESS else None,
            "complete": self.is_complete,
            "active": self.status == SUCCESS,
            "is_temp": False,
            "is_readonly": False,
            "url": url,
            "log_url": f"{url}/log",
            "site_name": site_name,
            "build_summary": {"errors": [], "warnings": [], "logger": None},
        }

    def log_answer(self) -> list[JsonObject]:
        """Its log, as clients get it."""
        return [
            {
                "log_time": when.isoformat(),
                "id": str(uuid.uuid5(uuid.UUID(self.id), str(number))),
                "message": message,
                "type": 0,
                "details_url": None,
            }
            for number, (when, message) in enumerate(self.log)
        ]


class Publishing:
    """Checks packages, and lets sites of Flex Consumption run them, as Kudu's One Deploy does.

    It accepts tokens of Entra only, and no publishing password. Azure's build is left out: the app
    finds the packages that this Python has.

    Args:
        tls: the server side of TLS, for *.scm.azurewebsites.net and appinsights.azureedge.net.
        manager: has the sites.
        folder: for the packages; made when the first one arrives.
        index: finds the functions of a package.
        run: runs deployments.

    Attributes:
        index: see above; a test may set it.
    """

    def __init__(
        self, tls: ssl.SSLContext, manager: ResourceManager, folder: Path, index: Index, run: Run
    ) -> None:
        self._manager = manager
        self._callers = ArmCallers(manager.entra, manager.tenant_id, (*AUDIENCES, *APP_SERVICE))
        self._folder = folder
        self.index = index
        self._run = run
        self._deployments: dict[str, list[Deployment]] = {}
        routes = [
            web.post("/api/publish", self._publish),
            web.get("/api/deployments", self._list),
            web.get("/api/deployments/", self._list),
            web.get("/api/deployments/{id}", self._get),
            web.get("/api/deployments/{id}/log", self._log),
            web.get("/portal/regionMapping.json", self._regions),
        ]
        self.server = Server("publishing", routes, tls)

    def _site(self, request: web.Request) -> Resource:
        """The site that the request is for.

        Raises:
            web.HTTPException: 401, 403 or 404.
        """
        try:
            caller = self._callers.caller(request.headers)
        except ArmError as error:
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"}) from error
        host = request.host.lower()
        for type_name in (SITES, SLOTS):
            for site in self._manager.resources.of_type(type_name):
                if host in site.properties["enabledHostNames"]:
                    try:
                        self._manager.access.check(caller, RIGHT, site.id)
                    except ArmError as error:
                        raise web.HTTPForbidden(text=str(error)) from error
                    return site
        raise web.HTTPNotFound

    def _deployments_of(self, site: Resource) -> list[Deployment]:
        """Those of a site, the newest first."""
        return self._deployments.setdefault(site.id.lower(), [])

    async def _publish(self, request: web.Request) -> web.Response:
        site = self._site(request)
        if site.properties.get("sku") != FLEX:
            raise web.HTTPNotFound
        if request.content_type != ZIP:
            raise web.HTTPUnsupportedMediaType
        known = self._deployments_of(site)
        if known and not known[0].is_complete:
            raise web.HTTPConflict(text="There is a deployment currently in progress.")
        query = {name.lower(): text for name, text in request.query.items()}
        deployment = Deployment(
            str(uuid.uuid4()),
            request.host,
            query.get("remotebuild", "").lower() == "true",
            query.get("author", ""),
            query.get("deployer", ""),
        )
        known.insert(0, deployment)
        archive = self._folder / f"{deployment.id}.zip"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with archive.open("wb") as file:
                async for part in request.content.iter_any():
                    file.write(part)
        except BaseException:
            known.remove(deployment)  # the upload has broken off
            raise
        self._run(self._deploy(site, deployment, archive))
        return web.json_response(deployment.id, status=202)

    async def _deploy(self, site: Resource, deployment: Deployment, archive: Path) -> None:
        """Check the package and let the site run it; whatever is wrong, the deployment ends."""
        try:
            await self._deployed(site, deployment, archive)
        except Exception as error:
            deployment.status_text = str(error)
            deployment.say(f"Deployment failed. {error}")
            deployment.status = FAILED
            if not isinstance(error, PackageRefused):
                raise
        finally:
            await asyncio.to_thread(archive.unlink)

    async def _deployed(self, site: Resource, deployment: Deployment, archive: Path) -> None:
        deployment.say("Starting deployment pipeline.")
        deployment.status = BUILDING if deployment.is_built else DEPLOYING
        folder = archive.with_suffix("")
        deployment.say("[Kudu-ContentValidationStep] starting.")
        await asyncio.to_thread(unpack, archive, folder)
        deployment.say("[Kudu-ContentValidationStep] completed.")
        if deployment.is_built:
            deployment.say("[Kudu-OryxBuildStep] starting.")
            deployment.say(build_log(folder))
            deployment.say("[Kudu-OryxBuildStep] completed.")
        deployment.status = DEPLOYING
        deployment.say("[Kudu-SyncTriggerStep] starting.")
        functions = await self.index(site, folder)
        if site.id not in self._manager.resources:
            raise PackageRefused("The site was deleted.")
        site.hidden[PACKAGE] = str(folder)
        self._manager.deploy_functions(site.id, functions)
        self._manager.on_site_change(site)
        deployment.say("[Kudu-SyncTriggerStep] completed.")
        deployment.say("Deployment was successful.")
        deployment.status = SUCCESS

    async def _list(self, request: web.Request) -> web.Response:
        site = self._site(request)
        return web.json_response([each.answer(site.name) for each in self._deployments_of(site)])

    async def _get(self, request: web.Request) -> web.Response:
        site, deployment = self._found(request)
        return web.json_response(deployment.answer(site.name))

    async def _log(self, request: web.Request) -> web.Response:
        _, deployment = self._found(request)
        return web.json_response(deployment.log_answer())

    def _found(self, request: web.Request) -> tuple[Resource, Deployment]:
        """A site, and its deployment of the path's id, or the newest one, `latest`."""
        site, wanted = self._site(request), request.match_info["id"]
        for each in self._deployments_of(site):
            if wanted in (each.id, "latest"):
                return site, each
        raise web.HTTPNotFound

    async def _regions(self, _: web.Request) -> web.Response:
        return web.json_response(REGIONS)
