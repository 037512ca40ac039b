"""ProcessSite: a site whose code runs in processes, one after the other."""

import asyncio
import logging

from aiohttp import web

from bot_workbench.emulator.sites.front_end import STOPPED_PAGE, page
from bot_workbench.emulator.sites.site import Site
from bot_workbench.emulator.sites.site_process import SiteHosting, SiteProcess, SiteStartError

LOG = logging.getLogger("bot_workbench.emulator.sites")

NO_OVERLAP = "WEBSITE_DISABLE_OVERLAPPED_RECYCLING"
FAILED_PAGE = "<h1>:( Application Error</h1>\n"


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
