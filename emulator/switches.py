"""Switches: the local cloud's faults over HTTP, for benchmarks and for people with curl."""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from emulator.server import Server

if TYPE_CHECKING:
    from emulator.cloud import Cloud


class Switches:
    """Lets another process inject faults into the local cloud, and read its counters.

    Requests from pages of other sites are refused: see Server.

    GET  /state                  requests and connections of each part; Entra's token requests by
                                 outcome, the vault's operations by permission
    POST /faults/{part}          a JSON object of Faults' switches; {} makes the part healthy
    POST /stop/{part}            callers find a closed port
    POST /start/{part}           the same port is open again
    POST /keys/{keep|drop}       new signing keys of the channel; the old ones stay, or go
    POST /certificate            a new version of the bot's certificate, known to Entra; ?lag=10:
                                 only ten seconds later
    POST /certificate/withdraw-old  the registration keeps its newest certificate only

    Args:
        cloud: the local cloud.
    """

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self.server = Server(
            "switches",
            [
                web.get("/state", self._state),
                web.post("/faults/{part}", self._faults),
                web.post("/stop/{part}", self._stop),
                web.post("/start/{part}", self._start),
                web.post("/keys/{old:keep|drop}", self._keys),
                web.post("/certificate", self._certificate),
                web.post("/certificate/withdraw-old", self._withdraw_old),
            ],
            only_local=True,
        )

    def _part(self, request: web.Request) -> Server:
        name = request.match_info["part"]
        servers = self._cloud.servers
        if name not in servers:
            raise web.HTTPNotFound(text=f"There is no part {name!r}: {', '.join(servers)}")
        return servers[name]

    async def _state(self, _: web.Request) -> web.Response:
        state: dict[str, Any] = {
            name: {"requests": dict(server.requests), "connections": server.connections}
            for name, server in self._cloud.servers.items()
        }
        entra, vault = self._cloud.entra, self._cloud.vault
        state["entra"]["tokens_issued"] = entra.tokens_issued
        state["entra"]["token_requests"] = entra.token_requests
        state["entra"]["token_outcomes"] = dict(entra.token_outcomes)
        state["vault"]["operations"] = dict(vault.operations)
        return web.json_response(state)

    async def _faults(self, request: web.Request) -> web.Response:
        part, switches = self._part(request), await request.json()
        try:
            part.faults.set(**switches)
        except TypeError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.json_response({})

    async def _stop(self, request: web.Request) -> web.Response:
        await self._part(request).stop()
        return web.json_response({})

    async def _start(self, request: web.Request) -> web.Response:
        await self._part(request).start()
        return web.json_response({})

    async def _keys(self, request: web.Request) -> web.Response:
        key = self._cloud.channel.issuer.roll(keep_old=request.match_info["old"] == "keep")
        return web.json_response({"kid": key.kid})

    async def _certificate(self, request: web.Request) -> web.Response:
        try:
            lag = float(request.query.get("lag", "0"))
        except ValueError as error:
            raise web.HTTPBadRequest(text="lag must be a number of seconds.") from error
        return web.json_response({"version": self._cloud.renew_certificate(lag=lag).version})

    async def _withdraw_old(self, _: web.Request) -> web.Response:
        self._cloud.registration.withdraw_old()
        return web.json_response({})
