"""SigningKeys: the channel's public keys, fetched, kept and renewed.

Sources: Bot Connector authentication reference ("Connector to bot", step 2 to 3), OpenID Connect
discovery, RFC 7517 for the keys, RFC 8725 (3.1) for what a key may be used for.
"""

import asyncio
import base64
import binascii
import json
import logging
import math
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

MIN_SECONDS_BETWEEN_FETCHES = 60.0
"""While keys are known. At this rate the budget is never spent."""

FAILURE_PAUSES = (0.0, 2.0, 30.0, 120.0)
"""Seconds to wait after the first, second ... failure while no keys are known: the budget must
outlast an outage. While keys are known, only the first pause is used: later fetches are
`MIN_SECONDS_BETWEEN_FETCHES` apart."""

SMALLEST_KEY = 2048
"""Bits (RFC 7518, 3.3)."""

_OPTIONAL_MEMBERS = {"use": "sig", "alg": "RS256"}
"""The values that a key's optional members must have if they are there (RFC 7517, 4.2 and 4.4): a
key for encryption, or for another algorithm, must not verify tokens (RFC 8725, 3.1)."""

GetDocument = Callable[[str], Awaitable[bytes]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SigningKey:
    """A public key of the channel, and the channel ids that it may speak for."""

    public_key: rsa.RSAPublicKey
    endorsements: frozenset[str]


class SigningKeys:
    """The channel's signing keys by their id (`kid`).

    A known key is returned at once. The first token with an unknown key id triggers a fetch at
    once; while more tokens with unknown key ids arrive, there is one fetch a minute. So a flood of
    made-up ids delays a new key by a minute at most. Two kinds of fetch are not held back by that
    minute, but count in the budget: the one that brings the first keys, and the immediate retry
    after a failure. In the five minutes after these, a flood can delay a new key by two or three
    minutes.

    The last known good set is kept whatever the endpoint does.

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
        self._fetch_count = 0
        """Number of fetches so far."""
        self._keys_fetch_number = 0
        """The number of the fetch that brought the known keys; the first is 1."""
        self._withdrawn: set[str] = set()
        """Ids of keys that were known and are no longer published."""
        self._failures = 0
        self._paused_until = 0.0
        self._running: asyncio.Task[None] | None = None

    def prefetch(self) -> None:
        """Begin the first fetch before a token needs it, in the background of a running loop.

        It counts in the budget; but if it fails, callers have all pauses of an outage before them.
        """
        fetch = self._start()
        if fetch is not None:
            fetch.add_done_callback(self._forgive)

    async def find(self, kid: str) -> SigningKey | None:
        """The key with this id; None when the channel has no such key.

        None is returned only for a key that was withdrawn, or when a fetch that started after the
        call did not bring the key.

        Raises:
            KeysUnavailable: the key is unknown, and the keys cannot be fetched now.
        """
        fetches_before = self._fetch_count
        await self._keep_fresh()
        if kid not in self._keys:
            await self._look_for(kid, fetches_before)
        key = self._keys.get(kid)
        if key is None and self._keys_fetch_number <= fetches_before and kid not in self._withdrawn:
            self._check_known()
            raise self._unavailable(
                f"the signing key {kid!r:.80} is unknown, and keys cannot be fetched now"
            )
        return key

    async def ensure_known(self) -> None:
        """Fetch the keys if none are known and the budget allows a fetch.

        Raises:
            KeysUnavailable: none are known, and they cannot be fetched now.
        """
        await self._keep_fresh()
        if not self._keys and (fetch := self._start()) is not None:
            await asyncio.shield(fetch)
        self._check_known()

    def _check_known(self) -> None:
        if not self._keys:
            raise self._unavailable(f"no signing keys could be fetched from {self._metadata_url}")

    async def _keep_fresh(self) -> None:
        age = self._clock() - self._fetched_at
        if not self._keys or age < RENEW_AFTER:
            return
        fetch = self._start()
        if fetch is not None and age >= KEEP:
            await asyncio.shield(fetch)

    async def _look_for(self, kid: str, fetches_before: int) -> None:
        # A fetch that was under way may have read the set before this key was in it: then one more.
        if self._running is not None:
            await asyncio.shield(self._running)
        if kid in self._keys or self._keys_fetch_number > fetches_before:
            return
        if (fetch := self._start()) is not None:
            await asyncio.shield(fetch)

    def _start(self) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one; None when one may not be made now."""
        if self._running is None:
            now = self._clock()
            if now < self._next_fetch_at():
                return None
            self._fetches.append(now)
            if self._keys:
                self._paused_until = now + MIN_SECONDS_BETWEEN_FETCHES
            self._fetch_count += 1
            self._running = asyncio.create_task(self._renew(self._fetch_count))
        return self._running

    def _next_fetch_at(self) -> float:
        budget_spent = len(self._fetches) == BUDGET
        return max(self._paused_until, self._fetches[0] + BUDGET_WINDOW if budget_spent else 0.0)

    def _unavailable(self, text: str) -> KeysUnavailable:
        wait = math.ceil(self._next_fetch_at() - self._clock())
        return KeysUnavailable(text, max(1, wait))

    async def _renew(self, number: int) -> None:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT):
                keys = await self._download()
        # It may fail in many ways, and each means the same: go on with the known keys.
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            self._note_failure(error)
        else:
            if keys.keys() != self._keys.keys():
                log.info("The channel's signing keys are now %s", ", ".join(sorted(keys)))
            self._withdrawn = (self._withdrawn | self._keys.keys()) - keys.keys()
            self._keys = keys
            self._keys_fetch_number = number
            self._failures = 0
            self._fetched_at = self._clock()
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
        if not self._keys or not self._failures:
            pause = FAILURE_PAUSES[min(self._failures, len(FAILURE_PAUSES) - 1)]
            self._paused_until = self._clock() + pause
        self._failures += 1
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
            if not _verifies_tokens(entry):
                continue
            public_key = rsa.RSAPublicNumbers(_number(entry["e"]), _number(entry["n"])).public_key()
            endorsements = frozenset(str(name) for name in entry.get("endorsements", ()))
            if public_key.key_size >= SMALLEST_KEY:
                keys[str(entry["kid"])] = SigningKey(public_key, endorsements)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            log.debug("A signing key was passed over: %s", type(error).__name__)
    return keys


def _verifies_tokens(entry: dict[str, Any]) -> bool:
    return entry["kty"] == "RSA" and all(
        entry.get(name, value) == value for name, value in _OPTIONAL_MEMBERS.items()
    )


def _number(text: str) -> int:
    try:
        return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
