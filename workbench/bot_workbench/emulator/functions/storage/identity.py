"""ManagedIdentity: gets tokens for storage from the identity endpoint of the app's settings."""

import json
import time
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from bot_workbench.emulator.functions.errors import StorageError
from bot_workbench.emulator.functions.http_front import HttpRequest
from bot_workbench.emulator.functions.workers.upstream import HttpUpstream

AUDIENCE = "https://storage.azure.com"
API_VERSION = "2019-08-01"
MARGIN_SECONDS = 300.0


class ManagedIdentity:
    """A managed identity of the app.

    Source: App Service's REST reference for managed identities.

    Args:
        client_id: GUID; empty: the system-assigned identity.
        environ: the app's settings.
    """

    def __init__(self, client_id: str, environ: Mapping[str, str]) -> None:
        self._client_id = client_id
        self._endpoint = urlsplit(environ.get("IDENTITY_ENDPOINT", ""))
        self._secret = environ.get("IDENTITY_HEADER", "")
        self._token = ""
        self._expires_on = 0.0

    async def token(self) -> str:
        """A token that is valid for some minutes.

        Raises:
            OSError: the endpoint cannot be reached.
            StorageError: it does not issue one.
        """
        if self._expires_on < time.time() + MARGIN_SECONDS:
            await self._request()
        return self._token

    async def _request(self) -> None:
        endpoint = self._endpoint
        if endpoint.scheme != "http" or not endpoint.hostname:
            raise StorageError("IDENTITY_ENDPOINT is not the URL of an identity endpoint")
        query = {"api-version": API_VERSION, "resource": AUDIENCE}
        if self._client_id:
            query["client_id"] = self._client_id
        headers = {"host": endpoint.netloc, "x-identity-header": self._secret}
        target = f"{endpoint.path}?{urlencode(query)}"
        upstream = HttpUpstream(endpoint.port or 80, endpoint.hostname)
        answer = await upstream.send(HttpRequest("GET", target, headers, b""))
        upstream.close()
        try:
            found = json.loads(answer.body)
            self._token, self._expires_on = found["access_token"], float(found["expires_on"])
        except (ValueError, KeyError, TypeError):
            raise StorageError(f"the identity endpoint answers {answer.status}, no token") from None
