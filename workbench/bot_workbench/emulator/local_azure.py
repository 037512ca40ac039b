"""LocalAzure: the services of Azure that a migration uses, under their public names."""

import asyncio
import logging
import ssl
import uuid
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Self

import aiohttp

from bot_workbench.emulator.bot_channel import SERVICE_DOMAIN, BotChannel, RoutedChannel
from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.channel.channel import CHANNEL_IDS, TOKEN_ISSUER, Channel
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.graph.graph import Graph
from bot_workbench.emulator.graph.requests.caller import READ_REPORTS, WRITE_ALL
from bot_workbench.emulator.key_vault.inventory import Retention
from bot_workbench.emulator.key_vault.vault import KeyVault, role_permissions
from bot_workbench.emulator.log_analytics.log_analytics import LogAnalytics
from bot_workbench.emulator.loopback import LOOPBACK, listener
from bot_workbench.emulator.network.connect_proxy import ConnectProxy
from bot_workbench.emulator.network.local_connector import local_connector
from bot_workbench.emulator.network.public_names import PublicNames
from bot_workbench.emulator.resource_manager.control_plane import ResourceManager
from bot_workbench.emulator.resource_manager.resource import Resource
from bot_workbench.emulator.resource_manager.site_config import Functions
from bot_workbench.emulator.seeds import (
    OldBot,
    Pipeline,
    PreparedFunctionApp,
    ResourceGroup,
    create_old_bot,
    deploy_app,
    prepare_function_app,
)
from bot_workbench.emulator.server import Server
from bot_workbench.emulator.sites.app_service import AppService
from bot_workbench.emulator.sites.package import functions_of
from bot_workbench.emulator.sites.process_site import ProcessSite, SiteHosting
from bot_workbench.emulator.sites.publishing import Publishing
from bot_workbench.emulator.sites.site import DOMAIN, Site, SiteCode, name_of, site_of

LOG = logging.getLogger("bot_workbench.emulator.azure")

ENTRA = "login.microsoftonline.com"
GRAPH = "graph.microsoft.com"
RESOURCE_MANAGER = "management.azure.com"
LOGS = "api.loganalytics.azure.com"
CHANNEL = "login.botframework.com"
SITES = f"*.{DOMAIN}"
PUBLISHING = f"*.scm.{DOMAIN}"
REGIONS = "appinsights.azureedge.net"
VAULT_DOMAIN = "vault.azure.net"
CERTIFIED_NAMES = (
    ENTRA,
    GRAPH,
    RESOURCE_MANAGER,
    LOGS,
    CHANNEL,
    f"*.{VAULT_DOMAIN}",
    SITES,
    PUBLISHING,
    f"*.{SERVICE_DOMAIN}",
    REGIONS,
)
"""The names in the servers' certificate."""

GROUP = "contoso-bots"


class LocalAzure:
    """One tenant with one subscription, a resource group, and a pipeline that owns both.

    Everything is reached under its public name through the proxy, by clients with `environ`. All of
    it runs on one event loop, which alone may change what it stores.

    Args:
        folder: for the authority's certificate, tokens, logs of sites; it must outlive the clients.
        run_site: starts to run a site's code; None: in a process of its own, see ProcessSite.
        libraries: the folder with the pages' libraries, if there is one.

    Attributes:
        entra: signs everybody in; `directory` is its directory.
        graph: shows and changes the directory.
        resource_manager: has the resources.
        log_analytics: answers queries of logs.
        vaults: key vaults by host name.
        sites: runs the code of web apps and Function Apps.
        publishing: accepts packages for Function Apps.
        channels: of Azure Bots, by the bot's name in lower case.
        on_channel: called when a bot's channel is open.
        chat_ports: ports of chat pages by the bot's name; the others get a free one.
        proxy: leads clients to all of them.
        group: the resource group.
        pipeline: who `environ` signs in as.
        servers: by public name.
    """

    def __init__(
        self,
        folder: Path,
        run_site: "Callable[[LocalAzure, Site], SiteCode] | None" = None,
        *,
        libraries: Path | None = None,
    ) -> None:
        self.folder = folder
        self.on_channel: Callable[[BotChannel], None] = lambda _: None
        self.chat_ports: dict[str, int] = {}
        self._libraries = libraries
        self.authority = CertificateAuthority(folder)
        self._tls = self.authority.server_context(CERTIFIED_NAMES)
        self._trust = ssl.create_default_context(cafile=str(self.authority.path))
        self._names_file = folder / "names.json"
        self.names = PublicNames(self._names_file)
        self._app = folder / "app"
        self.proxy = ConnectProxy(self.names)
        pipeline = Registration(
            str(uuid.uuid4()), str(uuid.uuid4()), "SingleTenant", display_name="pipeline"
        )
        self.entra = Entra(pipeline, self._tls, f"https://{ENTRA}")
        self.directory = self.entra.directory
        self.pipeline = Pipeline(pipeline)
        self.pipeline.trust(self.directory)
        self.resource_manager = ResourceManager(self.entra, self._tls)
        self.graph = Graph(self.entra, self._tls)
        self.log_analytics = LogAnalytics(self.entra, self._tls, self.resource_manager)
        self.graph.app_roles[self.pipeline.object_id] = {WRITE_ALL, READ_REPORTS}
        self.resource_manager.access.owners.update(
            (self.pipeline.object_id, self.directory.user.object_id)
        )
        self.vaults: dict[str, KeyVault] = {}
        self._vault_ports: dict[str, int] = {}
        self._channel_keys = TokenIssuer(endorsements=CHANNEL_IDS)
        self.channels: dict[str, BotChannel] = {}
        run = partial(run_site, self) if run_site else self._in_process
        self.sites = AppService(self._tls, run)
        self.publishing = Publishing(
            self._tls, self.resource_manager, folder / "packages", self._functions_of, self._run
        )
        published = Channel(pipeline, self._tls, self._channel_keys, f"https://{CHANNEL}")
        self.servers: dict[str, Server] = {
            ENTRA: self.entra.server,
            RESOURCE_MANAGER: self.resource_manager.server,
            CHANNEL: published.server,
            SITES: self.sites.server,
            PUBLISHING: self.publishing.server,
            GRAPH: self.graph.server,
            LOGS: self.log_analytics.server,
        }
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening: dict[BotChannel, asyncio.Task[None]] = {}
        self.resource_manager.on_site_change = self._site_changed
        self.resource_manager.on_vault_change = self._vault_changed
        self.resource_manager.tenant.on_purge = self._vault_purged
        self.resource_manager.on_bot_change = self._bot_changed
        self.group = ResourceGroup(self.resource_manager, GROUP)

    @property
    def environ(self) -> dict[str, str]:
        """The variables that a shell exports to work with it: the proxy, trust, and the pipeline's
        sign-in."""
        local = f"localhost,{LOOPBACK}"
        authority = str(self.authority.path)
        return {
            "HTTPS_PROXY": self.proxy.url,
            "https_proxy": self.proxy.url,
            "NO_PROXY": local,
            "no_proxy": local,
            "REQUESTS_CA_BUNDLE": authority,
            "SSL_CERT_FILE": authority,
            "CURL_CA_BUNDLE": authority,
            "AZURE_TENANT_ID": self.directory.tenant_id,
            "AZURE_CLIENT_ID": self.pipeline.registration.app_id,
            "AZURE_FEDERATED_TOKEN_FILE": str(self._token_file),
            "AZURE_CONFIG_DIR": str(self.folder / "azure"),
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
        }

    @property
    def _token_file(self) -> Path:
        return self.folder / "pipeline-token.jwt"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, proxy_port: int = 0) -> None:
        """Start every server; there are no bots yet.

        Args:
            proxy_port: the proxy's; 0 takes a free one.

        Raises:
            OSError: the port is in use.
        """
        try:
            await self._start(proxy_port)
        except BaseException:
            await self.stop()
            raise

    async def _start(self, proxy_port: int) -> None:
        self.pipeline.write_token(self._token_file)
        deploy_app(self._app)
        await self.proxy.start(proxy_port)
        for name, server in self.servers.items():
            await server.start()
            self.names.add(name, server.port)
        self.names.add(REGIONS, self.servers[PUBLISHING].port)

    async def stop(self) -> None:
        """Stop every server, and end the code of all sites, even if one of them fails."""
        async with AsyncExitStack() as stack:  # from the last one to the first
            # Called last, when no request can create any more.
            stack.push_async_callback(self._stop_created)
            for server in self.servers.values():
                stack.push_async_callback(server.stop)
            stack.push_async_callback(self.proxy.stop)

    async def _stop_created(self) -> None:
        """Stop what clients have created: vaults, channels and the code of sites."""
        # What is being opened or closed right now takes no time, and must not stay open.
        await asyncio.gather(*self._tasks, return_exceptions=True)
        async with AsyncExitStack() as stack:
            for vault in self.vaults.values():
                stack.push_async_callback(vault.server.stop)
            for channel in self.channels.values():
                stack.push_async_callback(channel.stop)
            stack.push_async_callback(self.sites.stop)

    def add_old_bot(
        self,
        name: str = "contoso-bot",
        app_type: str = "SingleTenant",
        *,
        site: str = "",
        connection: str = "",
    ) -> OldBot:
        """A bot that signs in with a secret, on a web app of its own.

        Args:
            name: the Azure Bot's.
            app_type: SingleTenant or MultiTenant.
            site: the web app's name; empty: the bot's with `-web`.
            connection: name of an OAuth connection; empty: none.
        """
        site = site or f"{name}-web"
        return create_old_bot(self.group, self.directory, name, app_type, site, connection)

    def add_function_app(
        self, name: str = "contoso-functions", *, vault: str = ""
    ) -> PreparedFunctionApp:
        """A Function App with this project's code and an identity, but without a bot's settings.

        Args:
            name: the Function App's.
            vault: name of a key vault beside it, whose certificates the pipeline may create; empty:
                none.
        """
        officer = self.pipeline.object_id
        return prepare_function_app(self.group, name, vault, officer)

    def check_channel_token(self, token: str, app_id: str) -> None:
        """Check that a token is one of the channel's.

        Args:
            token: a JWT.
            app_id: of the bot that it is for (GUID).

        Raises:
            jwt.InvalidTokenError: it is not.
        """
        self._channel_keys.verify(token, audience=app_id, issuer=TOKEN_ISSUER)

    def vault_at(self, url: str) -> KeyVault | None:
        """The key vault with a base URL, deleted or not; None: there never was one."""
        return self.vaults.get(url.removeprefix("https://").lower())

    def connector(self) -> aiohttp.BaseConnector:
        """Connections to the public names for aiohttp's client, without a proxy."""
        return local_connector(self.names, self._trust)

    async def channel(self, bot: str) -> BotChannel:
        """The channel of an Azure Bot, by the bot's name, once it is open.

        Raises:
            KeyError: there is no such bot.
            OSError: the chat page's port is in use.
        """
        channel = self.channels[bot.lower()]
        await asyncio.shield(self._opening[channel])
        return channel

    def _bot_changed(self, bot: Resource) -> None:
        name = bot.name.lower()
        if bot.id not in self.resource_manager.resources:
            if name in self.channels:
                closed = self.channels.pop(name)
                self.names.remove(closed.host)
                self._run(self._close(closed))
        elif name not in self.channels:
            self.channels[name] = channel = self._new_channel(bot)
            self._opening[channel] = self._run(self._open(channel))

    async def _close(self, channel: BotChannel) -> None:
        await asyncio.gather(self._opening.pop(channel), return_exceptions=True)
        await channel.stop()

    async def _open(self, channel: BotChannel) -> None:
        await channel.start(self.chat_ports.get(channel.name, 0))
        self.names.add(channel.host, channel.connector.server.port)
        self.on_channel(channel)

    def _new_channel(self, bot: Resource) -> BotChannel:
        properties = bot.properties
        registration = Registration(
            properties["msaAppId"], self.directory.tenant_id, properties["msaAppType"]
        )
        channel = RoutedChannel(
            registration,
            self._tls,
            self._channel_keys,
            lambda: self._endpoint(bot.id),
            self.connector,
        )
        return BotChannel(bot.name, channel, self.entra.issuer, self._tls, self._libraries)

    def _endpoint(self, bot_id: str) -> str:
        """Where a bot is now (URL); empty if it was deleted."""
        bot = self.resource_manager.resources.find(bot_id)
        return str(bot.properties["endpoint"]) if bot else ""

    def _in_process(self, site: Site) -> SiteCode:
        authority, logs = self.authority.path, self.folder
        return ProcessSite(
            site, SiteHosting(self.entra, self._names_file, authority, self._app, logs)
        )

    async def _functions_of(self, site: Resource, package: Path) -> Functions:
        wanted = site_of(site, self.resource_manager)
        return await functions_of(package, wanted, self.authority.path, self._names_file)

    def _site_changed(self, resource: Resource) -> None:
        if resource.id in self.resource_manager.resources:
            self.sites.change(site_of(resource, self.resource_manager))
        else:
            self._run(self.sites.remove(name_of(resource)))

    def _vault_changed(self, resource: Resource) -> None:
        host = f"{resource.name}.{VAULT_DOMAIN}".lower()
        if resource.id not in self.resource_manager.resources:
            # What is in it stays, for the case that it is recovered.
            self.names.remove(host)
            return
        if host not in self.vaults:
            self._add_vault(host, resource)
        self.names.add(host, self._vault_ports[host])

    def _vault_purged(self, resource: Resource) -> None:
        """Forget a vault, so that a new one of the same name starts empty."""
        host = f"{resource.name}.{VAULT_DOMAIN}".lower()
        del self._vault_ports[host]
        self._run(self.vaults.pop(host).server.stop())

    def _uses_roles(self, vault_id: str) -> bool:
        """Whether a vault has role assignments instead of access policies."""
        vault = self.resource_manager.resources.find(vault_id)
        return vault is not None and bool(vault.properties["enableRbacAuthorization"])

    def _add_vault(self, host: str, resource: Resource) -> None:
        permissions = role_permissions(resource.id, self.resource_manager.access.is_data_allowed)
        vault = KeyVault(
            self.entra, self._tls, permissions, url=f"https://{host}", name=resource.name
        )
        vault.uses_roles = lambda: self._uses_roles(resource.id)
        vault.inventory.retention = lambda: _retention(resource)
        self.vaults[host] = vault
        # Open now: clients may call as soon as Resource Manager has answered.
        listening = listener()
        self._vault_ports[host] = listening.getsockname()[1]
        self._run(vault.server.start(listening=listening))

    def _run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            trace = None if isinstance(error, OSError) else error
            LOG.error("A part of the local Azure has failed: %s", error, exc_info=trace)


def _retention(vault: Resource) -> Retention:
    properties = vault.properties
    return Retention(
        properties["softDeleteRetentionInDays"], bool(properties.get("enablePurgeProtection"))
    )
