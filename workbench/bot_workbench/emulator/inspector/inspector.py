"""Inspector: the bot's turns and the local cloud's services, as the inspector page shows them."""

from collections.abc import Callable

from aiohttp import web

from bot_workbench.emulator.channel.channel import Channel
from bot_workbench.emulator.channel.connector import BotConnector
from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.feed.feed_server import FeedServer
from bot_workbench.emulator.inspector.activity_sender import ActivitySender, InvalidActivityError
from bot_workbench.emulator.inspector.bot_status import BotStatus
from bot_workbench.emulator.inspector.channel_watch import ChannelWatch
from bot_workbench.emulator.inspector.curl_command import curl_command
from bot_workbench.emulator.inspector.feed_events import FeedEvents
from bot_workbench.emulator.inspector.live_pages import LivePages
from bot_workbench.emulator.inspector.turns.turn import Turn
from bot_workbench.emulator.inspector.turns.turn_details import JsonObject, without_tokens
from bot_workbench.emulator.inspector.turns.turn_log import TurnLog
from bot_workbench.emulator.server import Server
from bot_workbench.emulator.services.services import Services, json_body

BASE = "/api/inspector"


class Inspector:
    """Watches the channel and what the bot's processes report; a server has its routes.

    It watches only once `watch` is called: deliveries of tests and benchmarks cost what they did.

    GET    /live                     WebSocket with all rows, and then with each change
    GET    /turns?search=WORDS       ids of the turns whose details contain all words
    GET    /turns/{id}               a turn with its details
    DELETE /turns                    removes all turns
    POST   /turns/{id}/replay        delivers the turn's activity again
    POST   /send                     delivers `{"activity": ...}`
    POST   /token?service_url=URL    a token of this run's channel for its bot, as text
    GET    /services                 the services with their faults
    PUT    /services/{name}/faults   a JSON object of Faults' switches
    POST   /services/{name}/stop     closes the service's port
    POST   /services/{name}/start    opens it again

    Args:
        channel: whose deliveries are shown.
        connector: what the bot calls; its conversations are the users'.
        services: whose faults can be switched.
        pages_url: returns the base URL of the server that has these routes.
        new_address: returns what an activity of a new user has, without its content.

    Attributes:
        feed: where the bot's processes report.
        log: the turns.
        status: whether the bot answers.
    """

    def __init__(
        self,
        channel: Channel,
        connector: BotConnector,
        services: Services,
        pages_url: Callable[[], str],
        new_address: Callable[[], Activity],
    ) -> None:
        self.feed = FeedServer()
        self.log = TurnLog()
        self.status = BotStatus()
        self._channel = channel
        self._connector = connector
        self._services = services
        self._pages_url = pages_url
        self._watch = ChannelWatch(channel, connector.conversations, self.log, self.status)
        self._events = FeedEvents(self.log, self.status)
        self._sender = ActivitySender(
            channel, self._watch, connector.conversations, lambda: connector.url, new_address
        )
        self._pages = LivePages(self.log, self._hello)
        self.feed.on_event = self._events.handle
        self.status.listen(self._send_status)
        services.listen(self._send_services)

    @property
    def url(self) -> str:
        """The base URL of the server that has the routes."""
        return self._pages_url()

    def routes(self) -> list[web.RouteDef]:
        """The routes under /api/inspector."""
        turn, service = f"{BASE}/turns/{{turn}}", f"{BASE}/services/{{service}}"
        return [
            web.get(f"{BASE}/live", self._pages.serve),
            web.get(f"{BASE}/turns", self._search),
            web.delete(f"{BASE}/turns", self._clear),
            web.get(turn, self._turn),
            web.post(f"{turn}/replay", self._replay),
            web.post(f"{BASE}/send", self._send),
            web.post(f"{BASE}/token", self._token),
            web.get(f"{BASE}/services", self._list_services),
            web.put(f"{service}/faults", self._set_faults),
            web.post(f"{service}/{{change:stop|start}}", self._switch_service),
        ]

    def watch(self, token_service: Server) -> None:
        """Observe deliveries and the bot's calls from now on.

        Args:
            token_service: the server of the user token service.
        """
        self._channel.observer = self._watch
        self._connector.server.observer = self._watch.connector_called
        token_service.observer = self._watch.token_service_called

    async def start(self) -> None:
        """Start the feed."""
        await self.feed.start()

    async def close(self) -> None:
        """Close the connections of pages, and the feed."""
        await self._pages.close()
        await self.feed.stop()

    def _hello(self) -> JsonObject:
        return {
            "status": self.status.as_json(),
            "services": self._services.as_json(),
            "logs": list(self.log.lines),
        }

    def _send_status(self) -> None:
        self._pages.send({"type": "status", "status": self.status.as_json()})

    def _send_services(self) -> None:
        self._pages.send({"type": "services", "services": self._services.as_json()})

    async def _search(self, request: web.Request) -> web.Response:
        words = request.query.get("search", "").lower().split()
        return web.json_response({"turns": self.log.search(words)})

    async def _clear(self, _: web.Request) -> web.Response:
        self.log.clear()
        return web.json_response({})

    async def _turn(self, request: web.Request) -> web.Response:
        turn = self._requested(request)
        activity = turn.first("activity")
        curl = ""
        if activity is not None and turn.first("request") is not None:
            curl = curl_command(activity, self._channel.bot_endpoint, self.url)
        text = without_tokens({**turn.details(), "curl": curl})
        return web.json_response(text=text, headers={"Cache-Control": "no-store"})

    def _requested(self, request: web.Request) -> Turn:
        turn = self.log.find(request.match_info["turn"])
        if turn is None:
            raise web.HTTPNotFound(text="There is no such turn, or it is no longer kept.")
        return turn

    async def _replay(self, request: web.Request) -> web.Response:
        turn = self._requested(request)
        activity = turn.first("activity")
        if activity is None:
            raise web.HTTPConflict(
                text="The turn's activity is no longer kept: it cannot be repeated."
            )
        return await self._deliver(activity, turn.id)

    async def _send(self, request: web.Request) -> web.Response:
        body = await json_body(request)
        if not isinstance(body, dict) or "activity" not in body:
            raise web.HTTPBadRequest(text='The body must be {"activity": ...}.')
        replay_of = body.get("replay_of")
        known = self.log.find(replay_of) if isinstance(replay_of, str) else None
        return await self._deliver(body["activity"], known.id if known else None)

    async def _deliver(self, activity: object, replay_of: str | None) -> web.Response:
        try:
            answer = await self._sender.send(activity, replay_of)
        except InvalidActivityError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.json_response(
            {"turn": answer.turn, "status": answer.status, "body": answer.content}
        )

    async def _token(self, request: web.Request) -> web.Response:
        # Tokens of this run's channel, with keys of this run, which only its bot accepts. POST,
        # because browsers name the origin of every page that sends one, and Server refuses others.
        service_url = request.query.get("service_url") or f"{self._connector.url}/"
        return web.Response(
            text=self._channel.token(service_url), headers={"Cache-Control": "no-store"}
        )

    async def _list_services(self, _: web.Request) -> web.Response:
        return web.json_response(self._services.as_json())

    async def _set_faults(self, request: web.Request) -> web.Response:
        await self._services.set_faults(request.match_info["service"], request)
        return web.json_response(self._services.as_json())

    async def _switch_service(self, request: web.Request) -> web.Response:
        name, change = request.match_info["service"], request.match_info["change"]
        await self._services.switch(name, change)
        return web.json_response(self._services.as_json())
