"""KeyPublisher: the channel's two documents, without a server."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

METADATA_URL = "https://login.example/openidconfiguration"
KEYS_URL = "https://login.example/keys"


class KeyPublisher:
    """Answers the fetches of SigningKeys, and counts them.

    Attributes:
        documents: bodies by URL.
        fetches: how often the metadata was asked for: each fetch of keys begins there.
        failure: raised in place of any answer.
        open: cleared, the key set is read but does not arrive.
    """

    def __init__(self, keys: Sequence[object] = ()) -> None:
        self.documents = {METADATA_URL: json.dumps({"jwks_uri": KEYS_URL}).encode()}
        self.fetches = 0
        self.failure: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.publish(*keys)

    def publish(self, *keys: Any) -> None:
        """Publish these JSON Web Keys and no others."""
        self.documents[KEYS_URL] = json.dumps({"keys": keys}).encode()

    async def __call__(self, url: str) -> bytes:
        """The body of one of the documents."""
        if url == METADATA_URL:
            self.fetches += 1
        if self.failure is not None:
            raise self.failure
        body = self.documents[url]
        if url == KEYS_URL:
            await self.open.wait()
        return body
