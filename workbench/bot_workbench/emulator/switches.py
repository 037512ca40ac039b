"""Switches: the local cloud's faults over HTTP, for benchmarks and for people with curl."""

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from bot_workbench.emulator.channel.channel import Channel
from bot_workbench.emulator.channel.user_tokens import UserTokens
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.key_vault.inventory import VaultCertificate
from bot_workbench.emulator.key_vault.vault import KeyVault
from bot_workbench.emulator.server import Server
from bot_workbench.emulator.services.services import Services


class Switches:
    """Lets another process inject faults into the local cloud, and read its counters.

    GET  /state                  requests and connections of each part; Entra's token requests by
                                 outcome, the vault's operations by permission
    POST /faults/{part}          a JSON object of Faults' switches; {} makes the part healthy
    POST /stop/{part}            closes the part's port
    POST /start/{part}           opens the same port again
    POST /keys/{keep|drop}       makes a new signing key of the channel, and keeps or drops the old
    POST /connections/{unknown|known}/{name}  makes an OAuth connection unknown to the token
                                 service, or known again
    POST /certificate            makes a new version of the bot's certificate, known to Entra;
                                 ?lag=10: known only ten seconds later
    POST /certificate/withdraw-old  removes all but the newest certificate from the registration

    Args:
        servers: the servers whose requests are counted, by name; read on each request.
        services: switches them.
        entra: the token endpoint, whose registration has the bot's certificates.
        vault: the vault whose operations are counted.
        channel: the channel whose signing keys are replaced.
        user_tokens: the token service's store of users and connections.
        renew_certificate: makes a new certificate version, known to Entra after so many seconds.
    """

    def __init__(
        self,
        servers: Mapping[str, Server],
        services: Services,
        entra: Entra,
        vault: KeyVault,
        channel: Channel,
        user_tokens: UserTokens,
        renew_certificate: Callable[[float], VaultCertificate],
    ) -> None:
        self._servers = servers
        self._services = services
        self._entra = entra
        self._vault = vault
        self._channel = channel
        self._user_tokens = user_tokens
        self._renew_certificate = renew_certificate
        self.server = Server(
            "switches",
            [
                web.get("/state", self._get_state),
                web.post("/faults/{part}", self._set_faults),
                web.post("/{change:stop|start}/{part}", self._switch_part),
                web.post("/keys/{old:keep|drop}", self._roll_keys),
                web.post("/connections/{known:known|unknown}/{name}", self._set_connection),
                web.post("/certificate", self._add_certificate),
                web.post("/certificate/withdraw-old", self._withdraw_old),
            ],
            loopback_host_only=True,
        )

    async def _get_state(self, _: web.Request) -> web.Response:
        state: dict[str, Any] = {
            name: {"requests": dict(server.requests), "connections": server.connections}
            for name, server in self._servers.items()
        }
        state[self._entra.server.name] |= {
            "tokens_issued": self._entra.tokens_issued,
            "token_requests": self._entra.token_requests,
            "token_outcomes": dict(self._entra.token_outcomes),
        }
        state[self._vault.server.name] |= {"operations": dict(self._vault.operations)}
        return web.json_response(state)

    async def _set_faults(self, request: web.Request) -> web.Response:
        await self._services.set_faults(request.match_info["part"], request)
        return web.json_response({})

    async def _switch_part(self, request: web.Request) -> web.Response:
        change, part = request.match_info["change"], request.match_info["part"]
        await self._services.switch(part, change)
        return web.json_response({})

    async def _roll_keys(self, request: web.Request) -> web.Response:
        key = self._channel.issuer.roll(keep_old=request.match_info["old"] == "keep")
        return web.json_response({"kid": key.kid})

    async def _set_connection(self, request: web.Request) -> web.Response:
        unknown, name = self._user_tokens.unknown_connections, request.match_info["name"]
        change = unknown.add if request.match_info["known"] == "unknown" else unknown.discard
        change(name)
        return web.json_response({"unknown": sorted(unknown)})

    async def _add_certificate(self, request: web.Request) -> web.Response:
        try:
            lag = float(request.query.get("lag", "0"))
        except ValueError as error:
            raise web.HTTPBadRequest(text="lag must be a number of seconds.") from error
        return web.json_response({"version": self._renew_certificate(lag).version})

    async def _withdraw_old(self, _: web.Request) -> web.Response:
        self._entra.registration.withdraw_old()
        return web.json_response({})
