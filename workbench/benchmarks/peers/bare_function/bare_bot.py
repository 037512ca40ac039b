"""BareBot: an echo turn without an SDK, with the minimum that the protocol requires of a bot.

Rules: Bot Connector authentication reference. The channel's keys, the bot's token and connections
are cached. Each caller's token is verified.
"""

import asyncio
import base64
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from yarl import URL

AUDIENCE = "https://api.botframework.com"
CHANNEL_ISSUER = "https://api.botframework.com"
CLOCK_SKEW_SECONDS = 300
KEYS_REFETCH_SECONDS = 300
"""Minimum time between two fetches of the keys, for an unknown key."""
TOKEN_RESERVE_SECONDS = 60
"""A token is not used in this time before its expiry."""

PADDING, HASH = PKCS1v15(), SHA256()


class UnauthenticatedError(Exception):
    """The caller's token is not one of the channel's for this bot and this service URL."""


class BareBot:
    """Answers activities, with a managed identity.

    Args:
        environ: the settings that a bot has in Azure.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._app_id = environ["MicrosoftAppId"]
        self._metadata_url = environ["ToBotFromChannelOpenIdMetadataUrl"]
        self._identity_url = URL(environ["IDENTITY_ENDPOINT"]).with_query(
            {"api-version": "2019-08-01", "resource": AUDIENCE, "client_id": self._app_id}
        )
        self._identity_headers = {"X-IDENTITY-HEADER": environ["IDENTITY_HEADER"]}
        self._lock = asyncio.Lock()
        self._keys: dict[str, RSAPublicKey] = {}
        self._keys_wanted_at = 0.0
        self._reply_headers: dict[str, str] = {}
        self._token_ends_at = 0.0
        self._session: aiohttp.ClientSession | None = None

    async def turn(self, authorization: str, body: bytes) -> None:
        """Handle one activity, and reply if it is a message.

        Args:
            authorization: the request's header of this name.
            body: the request's body.

        Raises:
            UnauthenticatedError: the caller's token is not valid.
        """
        activity = json.loads(body)
        await self._check(authorization, activity["serviceUrl"])
        if activity["type"] == "message":
            await self._reply(activity)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _check(self, authorization: str, service_url: str) -> None:
        scheme, _, token = authorization.partition(" ")
        signed, _, signature = token.rpartition(".")
        head, _, payload = signed.partition(".")
        try:
            key = await self._key(json.loads(_decoded(head))["kid"])
            key.verify(_decoded(signature), signed.encode(), PADDING, HASH)
            claims = json.loads(_decoded(payload))
            entitled = (
                scheme == "Bearer"
                and claims["iss"] == CHANNEL_ISSUER
                and claims["aud"] == self._app_id
                and claims["exp"] + CLOCK_SKEW_SECONDS > time.time()
                and claims["serviceurl"] == service_url
            )
        except (ValueError, KeyError, TypeError, InvalidSignature) as error:
            raise UnauthenticatedError from error
        if not entitled:
            raise UnauthenticatedError

    async def _key(self, kid: str) -> RSAPublicKey:
        if kid not in self._keys:
            async with self._lock:
                if kid not in self._keys and time.monotonic() >= self._keys_wanted_at:
                    await self._fetch_keys()
        return self._keys[kid]

    async def _fetch_keys(self) -> None:
        metadata = await self._get(URL(self._metadata_url))
        found = await self._get(URL(metadata["jwks_uri"]))
        self._keys = {
            key["kid"]: RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
            for key in found["keys"]
        }
        self._keys_wanted_at = time.monotonic() + KEYS_REFETCH_SECONDS

    async def _reply(self, activity: dict[str, Any]) -> None:
        if time.time() >= self._token_ends_at:
            async with self._lock:
                if time.time() >= self._token_ends_at:
                    await self._fetch_token()
        conversation = activity["conversation"]
        url = (
            f"{activity['serviceUrl']}v3/conversations/{quote(conversation['id'], safe='')}"
            f"/activities/{quote(activity['id'], safe='')}"
        )
        reply = {
            "type": "message",
            "text": f"You said: {activity['text']}",
            "from": activity["recipient"],
            "recipient": activity["from"],
            "conversation": conversation,
            "replyToId": activity["id"],
        }
        async with self._pool().post(
            URL(url, encoded=True), data=json.dumps(reply).encode(), headers=self._reply_headers
        ) as response:
            response.raise_for_status()
            await response.read()

    async def _fetch_token(self) -> None:
        answer = await self._get(self._identity_url, self._identity_headers)
        self._reply_headers = {
            "Authorization": f"Bearer {answer['access_token']}",
            "Content-Type": "application/json; charset=utf-8",
        }
        self._token_ends_at = int(answer["expires_on"]) - TOKEN_RESERVE_SECONDS

    async def _get(self, url: URL, headers: Mapping[str, str] | None = None) -> Any:
        async with self._pool().get(url, headers=headers) as response:
            response.raise_for_status()
            return await response.json()

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=10),
            )
        return self._session


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


def _number(text: str) -> int:
    return int.from_bytes(_decoded(text))
