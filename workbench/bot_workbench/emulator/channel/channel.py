"""Channel: the Bot Framework channel service, which publishes its keys and calls the bot."""

import json
import secrets
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol

import aiohttp
from aiohttp import web

from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.server import Server

TOKEN_ISSUER = "https://api.botframework.com"  # noqa: S105  # a URL
CHANNEL_IDS = (
    "agents",
    "alexa",
    "console",
    "cortana",
    "directline",
    "directlinespeech",
    "email",
    "emulator",
    "facebook",
    "groupme",
    "kik",
    "line",
    "msteams",
    "pva-studio",
    "skype",
    "skypeforbusiness",
    "slack",
    "sms",
    "telegram",
    "test",
    "twilio-sms",
    "webchat",
)
"""The channel ids that the SDKs know: `Channels` of botframework.connector and of
microsoft_agents.activity. The live service endorses those of its published channels."""

TOKEN_REUSE_SECONDS = 300.0
"""The time for which one token is used for all deliveries with the same service URL."""

_JSON = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class BotAnswer:
    """The bot's response to one delivered activity.

    Attributes:
        status: HTTP status; 502 when the bot could not be reached, 504 when it took too long.
        headers: the bot's response headers.
        body: the bot's response body.
        reached: False when there was no response and the status is the channel's own.
        turn: the delivery's trace id (32 hex digits, W3C Trace Context); empty if nobody watches.
        sent: False when the bot got nothing, so that the activity can be delivered again.
        failure: why the bot did not accept the activity, in a sentence; empty if it did.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    reached: bool = True
    turn: str = ""
    sent: bool = True
    failure: str = ""

    @property
    def ok(self) -> bool:
        """Whether the bot accepted the activity."""
        return not self.failure

    @property
    def content(self) -> object:
        """The body as JSON; its text if it is none, and None if it is empty."""
        try:
            return json.loads(self.body) if self.body else None
        except (ValueError, RecursionError):
            return self.body.decode("utf-8", "replace")


@dataclass(frozen=True)
class _ReusableToken:
    token: str
    kid: str
    made_at: float


class DeliveryObserver(Protocol):
    """Watches what the channel delivers to the bot."""

    def delivering(self, turn: str, activity: Activity, token: str) -> None:
        """The activity is about to be sent, with this bearer token, in the trace `turn`."""

    def delivered(self, answer: BotAnswer) -> None:
        """The bot has answered, or could not be reached."""


class Channel:
    """Publishes the channel's signing keys and delivers activities to the bot.

    Rules: Bot Connector authentication reference, "Authenticate requests from the Bot Connector
    service to your bot".

    Args:
        registration: the bot's; its app id is the audience of every token.
        tls: the server side of TLS for the published documents.
        issuer: the signing keys; None makes new ones, endorsed for CHANNEL_IDS.
        public_url: base URL of the published documents, where bots reach the server under another
            name than its own; empty: the server's.

    Attributes:
        issuer: the signing keys; `roll` makes a new one.
        token_issuer: the `iss` claim (URL).
        bot_endpoint: the bot's messaging endpoint (URL), set when it is known.
        timeout: seconds that the bot has for one activity.
        token_reuse: seconds for which a token is reused.
        observer: watches the deliveries; None: nobody does.
    """

    def __init__(
        self,
        registration: Registration,
        tls: ssl.SSLContext,
        issuer: TokenIssuer | None = None,
        public_url: str = "",
    ) -> None:
        self.registration = registration
        self.issuer = issuer or TokenIssuer(endorsements=CHANNEL_IDS)
        self._public_url = public_url
        self.token_issuer = TOKEN_ISSUER
        self.bot_endpoint = ""
        self.timeout = 15.0
        self.token_reuse = TOKEN_REUSE_SECONDS
        self.observer: DeliveryObserver | None = None
        self.server = Server(
            "channel",
            [
                web.get("/v1/.well-known/openidconfiguration", self._configuration),
                web.get("/v1/.well-known/keys", self._keys),
            ],
            tls,
        )
        self._session: aiohttp.ClientSession | None = None
        self._tokens: dict[str, _ReusableToken] = {}

    def token(self, service_url: str) -> str:
        """A new token as the channel sends it: valid for an hour, for one service URL."""
        claims = {
            "serviceurl": service_url,
            "iss": self.token_issuer,
            "aud": self.registration.app_id,
        }
        return self.issuer.sign(claims, lifetime=3600)

    def new_turn(self) -> str:
        """A trace id for one delivery; empty if nobody watches."""
        return secrets.token_hex(16) if self.observer is not None else ""

    async def deliver(self, activity: Activity, turn: str = "") -> BotAnswer:
        """POST an activity to the bot; a failed request is a BotAnswer too, not an exception.

        Args:
            activity: as JSON.
            turn: see `new_turn`; empty: a new one.
        """
        token = self._reused_token(activity["serviceUrl"])
        if self.observer is None:
            return await self._post(activity, token)
        turn = turn or self.new_turn()
        self.observer.delivering(turn, activity, token)
        trace = {"traceparent": f"00-{turn}-{secrets.token_hex(8)}-01"}
        answer = replace(await self._post(activity, token, trace), turn=turn)
        self.observer.delivered(answer)
        return answer

    async def _post(
        self, activity: Activity, token: str, trace: Mapping[str, str] = MappingProxyType({})
    ) -> BotAnswer:
        headers = {"Authorization": f"Bearer {token}", **_JSON, **trace}
        try:
            async with self._pool().post(
                self.bot_endpoint,
                json=activity,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self.timeout),
            ) as response:
                failure = (
                    "" if 200 <= response.status < 300 else f"The bot answered {response.status}."
                )
                body = await response.read()
                return BotAnswer(response.status, response.headers, body, failure=failure)
        except TimeoutError:
            failure = f"The bot did not answer within {self.timeout:g} seconds."
            return BotAnswer(504, reached=False, failure=failure)
        except aiohttp.ClientConnectorError:
            return self.unreachable()
        except aiohttp.ClientError:
            failure = "The connection was lost before the bot answered."
            return BotAnswer(502, reached=False, failure=failure)

    def unreachable(self) -> BotAnswer:
        """The stand-in for the answer of a bot that got nothing."""
        failure = f"The bot cannot be reached at {self.bot_endpoint}"
        return BotAnswer(502, reached=False, sent=False, failure=failure)

    async def close(self) -> None:
        """Close the connections to the bot; a later delivery opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=self._connector())
        return self._session

    def _connector(self) -> aiohttp.BaseConnector:
        """The channel's connections to the bot."""
        # A benchmark has more requests in flight than aiohttp's default limit of 100.
        return aiohttp.TCPConnector(limit=0)

    def _reused_token(self, service_url: str) -> str:
        kid = self.issuer.keys[-1].kid
        found = self._tokens.get(service_url)
        now = time.monotonic()
        if found is None or found.kid != kid or now - found.made_at > self.token_reuse:
            found = _ReusableToken(self.token(service_url), kid, now)
            self._tokens[service_url] = found
        return found.token

    async def _configuration(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self.token_issuer,
                "authorization_endpoint": "https://invalid.botframework.com",
                "jwks_uri": f"{self._public_url or self.server.url}/v1/.well-known/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            }
        )

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response(self.issuer.jwks())
