"""ProcessSite: a site whose code runs in processes, one after the other."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from bot_workbench.emulator.child import Child
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.identity_endpoint import IdentityEndpoint
from bot_workbench.emulator.loopback import LOOPBACK, free_port, listener
from bot_workbench.emulator.sites.app_service import STOPPED_PAGE, page
from bot_workbench.emulator.sites.environment import HOST_KEYS, launcher, site_environment
from bot_workbench.emulator.sites.site import Site
from bot_workbench.project import WORKBENCH

LOG = logging.getLogger("bot_workbench.emulator.sites")

NO_OVERLAP = "WEBSITE_DISABLE_OVERLAPPED_RECYCLING"
FAILED_PAGE = "<h1>:( Application Error</h1>\n"

START_TIMEOUT_SECONDS = 120.0
SHOWN_LOG_LINES = 10
HOST_STATUS = "/admin/host/status"
KEY_HEADER = "x-functions-key"
HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length")
)
"""Headers of one connection (RFC 9110, section 7.6.1), and the length, which is set anew."""


class SiteStartError(Exception):
    """The process ended before it served anything, or took too long."""


@dataclass(frozen=True)
class SiteHosting:
    """The common options of all processes.

    Attributes:
        entra: signs the tokens of their managed identities.
        names: file of the public names that they have.
        authority: PEM file of the authority that they trust.
        app: folder of this project's app, as it is deployed: what a site runs until a package is
            published.
        logs: folder in which each site has a log file of its name.
        interpreter: the command line of Python.
        modules: the folder of the Python modules that run the site.
        host_options: more arguments for the Functions host.
        has_storage: a stand-in answers for the sites' storage accounts.
    """

    entra: Entra
    names: Path
    authority: Path
    app: Path
    logs: Path
    interpreter: Sequence[str] = (sys.executable,)
    modules: Path = WORKBENCH
    host_options: Sequence[str] = ()
    has_storage: bool = False


class SiteProcess:
    """A process, with an identity endpoint of its own.

    Args:
        site: what it runs.
        hosting: see SiteHosting.
    """

    def __init__(self, site: Site, hosting: SiteHosting) -> None:
        self.site = site
        self._hosting = hosting
        self._port = 0
        self._identity = IdentityEndpoint(hosting.entra, site.identities)
        self._child: Child | None = None
        self._session: aiohttp.ClientSession | None = None
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def url(self) -> str:
        """Its base URL on this machine."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def is_running(self) -> bool:
        """Whether the process has been started and has not ended."""
        return self._child is not None and self._child.is_running

    async def start(self) -> None:
        """Start it, and wait until it serves.

        Raises:
            SiteStartError: see there.
        """
        await self._identity.server.start()
        identity = self._identity.settings() if self.site.identities else {}
        environ = site_environment(
            self.site,
            self._hosting.authority,
            identity,
            modules=self._hosting.modules,
            has_storage=self._hosting.has_storage,
        )
        if self.site.keys:
            own = (self.site.keys[0], self.site.master_key)
            environ |= dict(zip(HOST_KEYS, own, strict=True))  # other users see command lines
        self._child = await self._started(environ)
        self._session = aiohttp.ClientSession(auto_decompress=False)
        await self._wait_until_it_serves(self._child)

    async def _started(self, environ: Mapping[str, str]) -> Child:
        folder = self._hosting.logs
        if sys.platform == "win32":  # no process inherits a socket
            self._port = free_port()
            child = Child(self._command("--port", self._port), environ, folder)
            await child.start()
            return child
        # Inherited, so that no other program can have the port when the process listens.
        with listener() as listening:
            self._port = listening.getsockname()[1]
            descriptor = listening.fileno()
            command = self._command("--listener", descriptor)
            child = Child(command, environ, folder, descriptors=[descriptor])
            await child.start()
        return child

    def _command(self, listens: str, number: int) -> Sequence[str]:
        """Its command line.

        Args:
            listens: the option that says where it listens.
            number: the option's value.
        """
        hosting = self._hosting
        launch = launcher(hosting.interpreter, hosting.names, self._log)
        serve = [listens, str(number)]
        if not self.site.is_function_app:
            return [*launch, "bot_workbench.emulator.old_bot", *serve]
        app = self.site.package or hosting.app
        host = ["bot_workbench.emulator.functions", "--app", str(app), *hosting.host_options]
        return [*launch, *host, *serve]

    async def _wait_until_it_serves(self, child: Child) -> None:
        path = HOST_STATUS if self.site.is_function_app else "/"
        try:
            await child.answers(f"{self.url}{path}", START_TIMEOUT_SECONDS)
        except (ChildProcessError, TimeoutError) as error:
            text = f"{self.site.name} does not start. Its log ends:\n{self._log_end()}"
            raise SiteStartError(text) from error

    @property
    def _log(self) -> Path:
        return self._hosting.logs / f"{self.site.name}.log"

    def _log_end(self) -> str:
        try:
            lines = self._log.read_text("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return "(there is no log)"
        return "\n".join(lines[-SHOWN_LOG_LINES:])

    async def answer(self, request: web.Request) -> web.Response:
        """Pass a request on, and return the process's response; 502 if it breaks off."""
        with self._counted():
            return await self._passed_on(request)

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        self._running += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def _passed_on(self, request: web.Request) -> web.Response:
        if self._session is None:
            raise RuntimeError("the process is not started")
        headers = _end_to_end(request.headers)
        if headers.get(KEY_HEADER) in self.site.keys:
            headers[KEY_HEADER] = self.site.keys[0]  # the host knows one key only
        try:
            async with self._session.request(
                request.method,
                f"{self.url}{request.raw_path}",
                headers=headers,
                data=await request.read(),
                allow_redirects=False,
            ) as response:
                body = await response.read()
                answered = _end_to_end(response.headers)
                return web.Response(status=response.status, headers=answered, body=body)
        except aiohttp.ClientError:
            return web.Response(status=502, text="Bad Gateway")

    async def retire(self) -> None:
        """Let requests that it has already got finish, then stop it."""
        await self._idle.wait()
        await self.stop()

    async def stop(self) -> None:
        """Stop it now."""
        if self._child is not None:
            await self._child.stop()
        if self._session is not None:
            await self._session.close()
        await self._identity.server.stop()


def _end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    return CIMultiDict(
        (name, text) for name, text in headers.items() if name.lower() not in HOP_BY_HOP
    )


class ProcessSite:
    """Starts a new process at each change of the site.

    As on App Service, the old process answers until the new one serves, and finishes the requests
    that it has got. With the setting WEBSITE_DISABLE_OVERLAPPED_RECYCLING=1, new requests wait for
    the new process instead. Source: App Service's reference of environment variables.

    Args:
        site: what it runs first.
        hosting: what all processes share.
    """

    def __init__(self, site: Site, hosting: SiteHosting) -> None:
        self._wanted = site
        self._hosting = hosting
        self._current: SiteProcess | None = None
        self._settled = asyncio.Event()
        self._changed = asyncio.Event()
        self._retiring: set[asyncio.Task[None]] = set()
        self._failed = False
        self._changed.set()
        self._restarts = asyncio.create_task(self._restart_at_changes())

    def change(self, site: Site) -> None:
        """Restart it with the new settings."""
        self._wanted = site
        self._failed = False
        self._settled.clear()
        if not site.enabled or site.settings.get(NO_OVERLAP) == "1":
            self._replace(None)
        self._changed.set()

    @property
    def is_running(self) -> bool:
        """Whether a process runs that answers."""
        return self._current is not None and self._current.is_running

    async def settled(self) -> None:
        """Wait until it runs with its latest settings, or has failed to start with them."""
        await self._settled.wait()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer with the process, once there is one; 403 if the site is stopped."""
        while self._current is None or not self._wanted.enabled:
            if not self._wanted.enabled:
                return page(403, STOPPED_PAGE)
            if self._failed:
                return page(503, FAILED_PAGE)
            await self._settled.wait()
        return await self._current.answer(request)

    async def stop(self) -> None:
        """End every process."""
        self._restarts.cancel()
        await asyncio.gather(self._restarts, return_exceptions=True)
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        current, self._current = self._current, None
        self._failed = True
        self._settled.set()  # no request waits for a process that never starts
        if current is not None:
            await current.stop()

    async def _restart_at_changes(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._restart(self._wanted)
            if not self._changed.is_set():
                self._settled.set()

    async def _restart(self, site: Site) -> None:
        new = await self._started(site) if site.enabled else None
        if not self._changed.is_set():
            self._failed = new is None
            self._replace(new)
        elif new is not None:
            await new.stop()  # its settings are no longer the latest ones

    async def _started(self, site: Site) -> SiteProcess | None:
        """A process that serves; None if it does not start, which is logged."""
        new = SiteProcess(site, self._hosting)
        try:
            await new.start()
        except SiteStartError as error:
            LOG.warning("%s", error)
        except Exception:
            LOG.exception("%s does not start", site.name)
        except BaseException:
            await new.stop()
            raise
        else:
            return new
        await new.stop()
        return None

    def _replace(self, new: SiteProcess | None) -> None:
        old, self._current = self._current, new
        if old is not None:
            task = asyncio.create_task(_retired(old))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)


async def _retired(process: SiteProcess) -> None:
    try:
        await process.retire()
    except asyncio.CancelledError:
        await process.stop()
        raise
