"""SigningKeys: the channel's public keys, fetched, kept and renewed.

Sources: Bot Connector authentication reference ("Connector to bot", step 2 to 3), OpenID Connect
discovery, RFC 7517 for the keys.
"""

import asyncio
import base64
import binascii
import json
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from auth.errors import KeysUnavailable

RENEW_AFTER = 3600.0
"""Seconds after which known keys are renewed in the background."""

KEEP = 24 * 3600.0
"""Seconds after which a caller waits for new keys before the known ones are used again."""

FETCH_TIMEOUT = 5.0
"""Seconds that one fetch may take in all."""

BUDGET, BUDGET_WINDOW = 5, 300.0
"""At most this many fetches in any window of this many seconds."""

FAILURE_PAUSES = (0.0, 2.0, 30.0, 120.0)
"""Seconds to the next fetch after the first, second ... failure: the budget must outlast an outage.
"""

SMALLEST_KEY = 2048
"""Bits (RFC 7518, 3.3)."""

GetDocument = Callable[[str], Awaitable[bytes]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SigningKey:
    """A public key of the channel, and the channel ids that it may speak for."""

    public_key: rsa.RSAPublicKey
    endorsements: frozenset[str]


class SigningKeys:
    """The channel's signing keys by their id (`kid`).

    A known key is answered at once. An unknown one makes a fetch, within a budget, so that a
    rollover is seen by the first token that uses it and a flood of made-up ids costs nothing. The
    last known good set is kept whatever the endpoint does.

    Args:
        metadata_url: the OpenID metadata document that names the key set.
        fetch: gets a URL's body, or raises OSError.
        clock: seconds, monotonic.
    """

    def __init__(
        self, metadata_url: str, fetch: GetDocument, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._metadata_url = metadata_url
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self._fetched_at = 0.0
        self._fetches: deque[float] = deque(maxlen=BUDGET)
        self._failures = 0
        self._paused_until = 0.0
        self._running: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin the first fetch before a token needs it, in the background of a running loop.

        It counts in the budget; but if it fails, callers have all pauses of an outage before them.
        """
        fetch = self._start()
        if fetch is not None:
            fetch.add_done_callback(self._forgive)

    async def find(self, kid: str) -> SigningKey | None:
        """The key with this id; None when the channel has no such key.

        Raises:
            KeysUnavailable: no keys are known, and none can be had.
        """
        await self._keep_fresh()
        if kid not in self._keys:
            await self._look_for(kid)
        if not self._keys:
            raise KeysUnavailable(f"no signing keys could be had from {self._metadata_url}")
        return self._keys.get(kid)

    async def _keep_fresh(self) -> None:
        age = self._clock() - self._fetched_at
        if not self._keys or age < RENEW_AFTER:
            return
        fetch = self._start()
        if fetch is not None and age >= KEEP:
            await asyncio.shield(fetch)

    async def _look_for(self, kid: str) -> None:
        # A fetch that was under way may have read the set before this key was in it: then one more.
        under_way = self._running
        if under_way is not None:
            await asyncio.shield(under_way)
        if kid not in self._keys and (fetch := self._start()) is not None:
            await asyncio.shield(fetch)

    def _start(self) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one; None when one may not be made now."""
        if self._running is None:
            now = self._clock()
            spent = len(self._fetches) == BUDGET and now - self._fetches[0] < BUDGET_WINDOW
            if spent or (self._failures and now < self._paused_until):
                return None
            self._fetches.append(now)
            self._running = asyncio.create_task(self._renew())
        return self._running

    async def _renew(self) -> None:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT):
                keys = await self._download()
        # It may fail in many ways, and each means the same: go on with the known keys.
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            self._note_failure(error)
        else:
            if keys.keys() != self._keys.keys():
                log.info("The channel's signing keys are now %s", ", ".join(sorted(keys)))
            self._keys = keys
            self._fetched_at = self._clock()
            self._failures = 0
        finally:
            self._running = None

    def _forgive(self, _: asyncio.Task[None]) -> None:
        self._failures = 0

    async def _download(self) -> dict[str, SigningKey]:
        metadata = json.loads(await self._fetch(self._metadata_url))
        keys = _read_keys(json.loads(await self._fetch(metadata["jwks_uri"])))
        if not keys:
            raise ValueError("the key set holds no usable key")
        return keys

    def _note_failure(self, error: Exception) -> None:
        pause = FAILURE_PAUSES[min(self._failures, len(FAILURE_PAUSES) - 1)]
        self._failures += 1
        self._paused_until = self._clock() + pause
        log.warning(
            "The channel's signing keys could not be fetched (%s: %s); %d known ones stay in use",
            type(error).__name__,
            error,
            len(self._keys),
        )


def _read_keys(key_set: dict[str, Any]) -> dict[str, SigningKey]:
    """The usable keys of a JSON Web Key Set; one that is broken does not spoil the others."""
    keys: dict[str, SigningKey] = {}
    for entry in key_set["keys"]:
        try:
            public_key = rsa.RSAPublicNumbers(_number(entry["e"]), _number(entry["n"])).public_key()
            endorsements = frozenset(str(name) for name in entry.get("endorsements", ()))
            if public_key.key_size >= SMALLEST_KEY:
                keys[str(entry["kid"])] = SigningKey(public_key, endorsements)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            log.debug("A signing key was passed over: %s", type(error).__name__)
    return keys


def _number(text: str) -> int:
    try:
        return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
