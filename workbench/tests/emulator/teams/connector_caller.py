"""ConnectorCaller: calls the Bot Connector over HTTP, as the bot."""

import ssl
from typing import Any, Self

import aiohttp

from bot_workbench.emulator.cloud import Cloud
from tests.emulator.registered_bot import BOT_FRAMEWORK


class ConnectorCaller:
    """Calls with a valid token of the cloud's bot."""

    def __init__(self, cloud: Cloud) -> None:
        bot = cloud.registration
        issuer = f"https://sts.windows.net/{bot.tenant_id}/"
        claims = {"aud": BOT_FRAMEWORK, "iss": issuer, "appid": bot.app_id}
        trusted = ssl.create_default_context(cafile=str(cloud.authority.path))
        self._http = aiohttp.ClientSession(
            cloud.connector.server.url,
            connector=aiohttp.TCPConnector(ssl=trusted),
            headers={"Authorization": f"Bearer {cloud.entra.issuer.sign(claims)}"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the JSON of the answer."""
        async with self._http.request(method, f"/v3{path}", json=body) as response:
            content = await response.read()
            return response.status, await response.json() if content else None

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
        """The status, code and message of a refusal."""
        status, answer = await self.call(method, path, body)
        return status, answer["error"]["code"], answer["error"]["message"]

    async def send(self, chat: str, text: str = "hello", **more: Any) -> tuple[int, Any]:
        """Send a message to a conversation."""
        message = {"type": "message", "text": text, **more}
        return await self.call("POST", f"/conversations/{chat}/activities", message)
