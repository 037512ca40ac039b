"""Channel: the Bot Framework channel service, as the authority of its tokens and as a caller."""

import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from emulator.channel.conversations import Activity
from emulator.entra.registration import Registration
from emulator.entra.token_issuer import TokenIssuer
from emulator.server import Server

TOKEN_ISSUER = "https://api.botframework.com"  # noqa: S105  # a URL
CHANNEL_IDS = ("webchat", "directline", "msteams", "emulator", "slack", "email")
TOKEN_REUSE = 300.0
"""Seconds for which one token serves all deliveries to the same service URL."""

_JSON = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class BotAnswer:
    """What the bot answered to one delivered activity.

    Attributes:
        status: HTTP status; 502 when the bot could not be reached, 504 when it took too long.
        headers: the bot's response headers.
        body: the bot's response body.
        reached: False when the status is the channel's own word, not the bot's.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    reached: bool = True

    @property
    def ok(self) -> bool:
        """Whether the bot took the activity."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class _Minted:
    token: str
    kid: str
    at: float


class Channel:
    """Publishes the channel's signing keys and delivers activities to the bot.

    Rules: Bot Connector authentication reference, "Authenticate requests from the Bot Connector
    service to your bot".

    Args:
        registration: the bot that is called; its app id is the audience of every token.
        tls: the server side of TLS for the published documents.
        channel_ids: the endorsements of the signing keys.

    Attributes:
        issuer: the signing keys; roll them to play a key rollover.
        token_issuer: the `iss` claim (URL).
        bot_endpoint: the bot's messaging endpoint (URL), set when it is known.
        timeout: seconds that the bot has for one activity.
    """

    def __init__(
        self,
        registration: Registration,
        tls: ssl.SSLContext,
        channel_ids: Sequence[str] = CHANNEL_IDS,
    ) -> None:
        self.registration = registration
        self.issuer = TokenIssuer(endorsements=channel_ids)
        self.token_issuer = TOKEN_ISSUER
        self.bot_endpoint = ""
        self.timeout = 15.0
        self.server = Server(
            "channel",
            [
                web.get("/v1/.well-known/openidconfiguration", self._configuration),
                web.get("/v1/.well-known/keys", self._keys),
            ],
            tls,
        )
        self._session: aiohttp.ClientSession | None = None
        self._minted: dict[str, _Minted] = {}

    def token(self, service_url: str) -> str:
        """A new token as the channel sends it: valid for an hour, bound to one service URL."""
        claims = {
            "serviceurl": service_url,
            "iss": self.token_issuer,
            "aud": self.registration.app_id,
        }
        return self.issuer.sign(claims, lifetime=3600)

    async def deliver(self, activity: Activity) -> BotAnswer:
        """POST an activity to the bot; failures are answers too, nothing is raised for them."""
        token = self._reused_token(activity["serviceUrl"])
        headers = {"Authorization": f"Bearer {token}", **_JSON}
        try:
            async with self._pool().post(
                self.bot_endpoint,
                json=activity,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self.timeout),
            ) as response:
                return BotAnswer(response.status, response.headers, await response.read())
        except TimeoutError:
            return BotAnswer(504, reached=False)
        except aiohttp.ClientError:
            return BotAnswer(502, reached=False)

    async def close(self) -> None:
        """Close the connections to the bot; a later delivery opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            # A bench has more requests under way than aiohttp's default limit of 100.
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self._session

    def _reused_token(self, service_url: str) -> str:
        kid = self.issuer.keys[-1].kid
        minted = self._minted.get(service_url)
        now = time.monotonic()
        if minted is None or minted.kid != kid or now - minted.at > TOKEN_REUSE:
            minted = _Minted(self.token(service_url), kid, now)
            self._minted[service_url] = minted
        return minted.token

    async def _configuration(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self.token_issuer,
                "authorization_endpoint": "https://invalid.botframework.com",
                "jwks_uri": f"{self.server.url}/v1/.well-known/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            }
        )

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response(self.issuer.jwks())
