"""BearerTokens: verifies the callers' bearer tokens with the public keys of their issuers.

Callers are the channel and other bots; SigningKeys fetches, caches and refreshes an issuer's keys.
Sources: Bot Connector authentication reference ("Connector to bot", steps 2 to 4), OpenID Connect
Discovery, RFC 7515 and RFC 7519 for tokens, RFC 7517 for keys, RFC 8725 (3.1) for what a key may be
used for.
"""

import asyncio
import base64
import binascii
import functools
import json
import logging
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, TypeIs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from auth.errors import KeysUnavailable, TokenRejected

log = logging.getLogger(__name__)

CLOCK_SKEW_SECONDS = 300
"""The difference that an issuer's clock and ours may have."""

MAX_HEADER_CHARACTERS = 16 * 1024
"""The length limit of an Authorization header; the channel's have about 1,500 characters."""

MAX_VERIFIED_TOKENS = 256
"""The number of cached tokens, a few MiB at most. The channel uses each token for hours."""

JWS_PARTS = 3
"""Header, payload and signature (RFC 7515, 3.1)."""

_SCALARS = frozenset({str, int, float, bool, type(None)})


class BearerToken(NamedTuple):
    """A token whose signature, issuer and dates are valid.

    Attributes:
        claims: the payload, read-only because turns share it.
        endorsements: the channel ids that the signing key may sign for; empty for a bot's token.
    """

    claims: Mapping[str, Any]
    endorsements: frozenset[str]


class _Jwt(NamedTuple):
    """The parts of a token that has not been verified yet.

    Attributes:
        kid: id of the signing key.
        claims: the payload, read-only.
        signed: header and payload as sent.
        signature: the signature of `signed`.
    """

    kid: str
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


class BearerTokens:
    """Verifies the tokens of callers.

    A verified token is cached with the key that verified it. Its signature is not verified again
    until the keys have been fetched again, but its dates are checked each time, and a token that
    fails leaves the cache. Tokens are compared in full.

    Args:
        keys: the signing keys by issuer: the accepted values of `iss`.
        clock: seconds since the epoch.
    """

    def __init__(
        self, keys: Mapping[str, "SigningKeys"], clock: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._verified: dict[str, tuple[_Jwt, SigningKey]] = {}
        """The verified tokens by Authorization header, the most recently used last."""

    async def read(self, authorization: str) -> BearerToken:
        """The verified token of an Authorization header.

        Raises:
            TokenRejected: there is no token, or the token is not valid.
            KeysUnavailable: the signing key is unknown, and keys cannot be fetched now.
        """
        # Taken out of the cache, and put back only after all checks: a token that fails is gone.
        jwt, verified_by = self._verified.pop(authorization, (None, None))
        if jwt is None:
            jwt = self._parsed(authorization)
        # Checked before the signature: an expired token must not cost a fetch of keys.
        self._check_dates(jwt.claims)
        key = await self._keys[jwt.claims["iss"]].find(jwt.kid)
        if key is None:
            raise TokenRejected(f"the issuer has no signing key {jwt.kid!r:.80}")
        # Compared by identity, not equality: each fetch creates new key objects.
        if key is not verified_by:
            _verify(jwt, key)
        self._remember(authorization, jwt, key)
        return BearerToken(jwt.claims, key.endorsements)

    def _parsed(self, authorization: str) -> _Jwt:
        if len(authorization) > MAX_HEADER_CHARACTERS:
            raise TokenRejected("the Authorization header is too long")
        if not authorization:
            raise TokenRejected("there is no bearer token")
        scheme, _, token = authorization.partition(" ")
        parts = token.split(".", JWS_PARTS)  # a fourth part, if there is one, must be noticed
        if scheme.lower() != "bearer" or len(parts) != JWS_PARTS:
            raise TokenRejected("not a JWT")
        header, payload, signature = parts
        kid, claims = _kid(header), _json_object(payload)
        issuer = claims.get("iss")
        if not isinstance(issuer, str) or issuer not in self._keys:
            raise TokenRejected(f"the issuer is not {' or '.join(self._keys)}")
        signed = f"{header}.{payload}".encode()
        return _Jwt(kid, MappingProxyType(claims), signed, _base64url(signature))

    def _check_dates(self, claims: Mapping[str, Any]) -> None:
        now = self._clock()
        expires, starts = claims.get("exp"), claims.get("nbf")
        if not _is_number(expires) or not _is_number(starts):
            raise TokenRejected("exp or nbf is missing")
        if now >= expires + CLOCK_SKEW_SECONDS:
            raise TokenRejected("the token has expired")
        if now < starts - CLOCK_SKEW_SECONDS:
            raise TokenRejected("the token is not valid yet")

    def _remember(self, authorization: str, jwt: _Jwt, key: "SigningKey") -> None:
        # Turns share the claims: a list in them could be changed by one turn for the next.
        if not _SCALARS.issuperset(map(type, jwt.claims.values())):
            return
        if len(self._verified) >= MAX_VERIFIED_TOKENS:
            del self._verified[next(iter(self._verified))]
        self._verified[authorization] = jwt, key


ALGORITHM = "RS256"
"""The only algorithm accepted: with several, the token would choose how it is verified (RFC 8725,
3.1)."""


@functools.lru_cache(maxsize=64)  # all tokens of one key have the same header
def _kid(part: str) -> str:
    header = _json_object(part)
    if header.get("alg") != ALGORITHM:
        raise TokenRejected(f"the algorithm is not {ALGORITHM}")
    if "crit" in header:
        raise TokenRejected("the header asks for an extension")  # RFC 7515, 4.1.11
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise TokenRejected("the header names no key")
    return kid


_PKCS1 = padding.PKCS1v15()

_SHA256 = hashes.SHA256()


def _verify(jwt: _Jwt, key: "SigningKey") -> None:
    try:
        key.public_key.verify(jwt.signature, jwt.signed, _PKCS1, _SHA256)
    except InvalidSignature as error:
        raise TokenRejected("the signature is wrong") from error


def _is_number(value: object) -> TypeIs[int | float]:
    # 1e999 is valid JSON, and Python reads it as infinity.
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _json_object(part: str) -> dict[str, Any]:
    try:
        value = _JSON.decode(_base64url(part).decode())
    except (ValueError, RecursionError) as error:
        raise TokenRejected("not a JWT") from error
    if not isinstance(value, dict):
        raise TokenRejected("not a JWT")
    return value


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


_JSON = json.JSONDecoder(parse_constant=_no_constant)

_TO_BASE64 = bytes.maketrans(b"-_+/=", b"+/!!!")
"""Maps base64url without padding (RFC 7515, 2) to base64. The three characters of base64 that
base64url lacks become `!`, which the decoder rejects."""

_CANONICAL_ENDS = {2: "AQgw", 3: "AEIMQUYcgkosw048"}
"""The allowed last characters by the text's length modulo 4: those whose unused bits are zero.
Otherwise one signature would have several encodings (RFC 4648, 3.5)."""


def _base64url(text: str) -> bytes:
    remainder = len(text) % 4
    try:
        padded = text.encode("ascii").translate(_TO_BASE64) + b"=" * (-remainder % 4)
        decoded = binascii.a2b_base64(padded, strict_mode=True)
    except ValueError as error:
        raise TokenRejected("not a JWT") from error
    if not decoded or (remainder and text[-1] not in _CANONICAL_ENDS[remainder]):
        raise TokenRejected("not a JWT")
    return decoded


REFRESH_AFTER_SECONDS = 3600.0
"""The age from which the keys are refreshed in the background."""

MAX_AGE_SECONDS = 24 * 3600.0
"""The age from which callers wait for the refresh; if it fails, the known keys are used."""

FETCH_TIMEOUT_SECONDS = 5.0
"""The time limit of one fetch, including both documents."""

MAX_FETCHES, FETCH_WINDOW_SECONDS = 5, 300.0
"""At most this many fetches in any window of this length."""

MIN_SECONDS_BETWEEN_FETCHES = 60.0
"""The interval between fetches while keys are known. At this rate, the limit above is not reached.
"""

FAILURE_PAUSES_SECONDS = (0.0, 2.0, 30.0, 120.0)
"""The pauses after the first, second, third and each further failure while no keys are known, so
that the allowed fetches outlast an outage. While keys are known, only the first pause applies:
later fetches are `MIN_SECONDS_BETWEEN_FETCHES` apart."""

GetDocument = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True)
class SigningKey:
    """A public key, and the channel ids that it may sign for; Entra's keys name none."""

    public_key: rsa.RSAPublicKey
    endorsements: frozenset[str]


class SigningKeys:
    """An issuer's signing keys by their id (`kid`).

    A known key is returned immediately. The first token with an unknown key id triggers a fetch
    immediately; while more such tokens arrive, there is one fetch a minute. So a flood of made-up
    ids usually delays a new key by a minute at most. Two kinds of fetch do not wait for that
    minute but count toward the limit: the fetch that brings the first keys, and the immediate retry
    after a failure. In the five minutes after these, a flood can delay a new key by two or three
    minutes.

    If a fetch fails, the known keys stay in use.

    Args:
        metadata_url: URL of the OpenID metadata document, which names the key set's URL.
        get_document: returns the body of the document at a URL, or raises OSError.
        owner: whose keys they are, for the log.
        fetch_timeout: seconds that one fetch may take, including both documents.
        clock: returns monotonic time in seconds.
    """

    def __init__(
        self,
        metadata_url: str,
        get_document: GetDocument,
        *,
        owner: str = "The channel's",
        fetch_timeout: float = FETCH_TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metadata_url = metadata_url
        self._get_document = get_document
        self._owner = owner
        self._fetch_timeout = fetch_timeout
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self._fetched_at = 0.0
        self._fetches: deque[float] = deque(maxlen=MAX_FETCHES)
        self._fetch_count = 0
        """Number of fetches so far."""
        self._keys_fetch_number = 0
        """The number of the fetch that brought the known keys; the first fetch is 1."""
        self._withdrawn: set[str] = set()
        """Ids of keys that were known and are no longer published."""
        self._failures = 0
        self._paused_until = 0.0
        self._running: asyncio.Task[None] | None = None

    def prefetch(self) -> None:
        """Start the first fetch as a task of the running event loop, before a token needs the keys.

        The fetch counts toward the limit. If it fails, the pauses start again from the first.
        """
        fetch = self._start()
        if fetch is not None:
            fetch.add_done_callback(self._forget_failures)

    async def find(self, kid: str) -> SigningKey | None:
        """The key with this id; None if the issuer has no such key.

        None is returned only if the key was withdrawn, or if a fetch that started after this call
        did not bring the key.

        Raises:
            KeysUnavailable: the key is unknown, and the keys cannot be fetched now.
        """
        fetches_before = self._fetch_count
        await self._refresh_if_due()
        if kid not in self._keys:
            await self._fetch_for(kid, fetches_before)
        key = self._keys.get(kid)
        if key is None and self._keys_fetch_number <= fetches_before and kid not in self._withdrawn:
            self._ensure_any()
            # Queries tell an outage from made-up ids by how the text ends: the id is the caller's.
            problem = "is unknown, though the keys were fetched just now"
            if self._failures:
                problem = "is unknown, and keys cannot be fetched now"
            raise self._unavailable(f"the signing key {kid!r:.80} {problem}")
        return key

    async def ensure_known(self) -> None:
        """Fetch the keys if none are known and a fetch is allowed now.

        Raises:
            KeysUnavailable: no keys are known, and they cannot be fetched now.
        """
        await self._refresh_if_due()
        if not self._keys and (fetch := self._start()) is not None:
            await asyncio.shield(fetch)
        self._ensure_any()

    def _ensure_any(self) -> None:
        if not self._keys:
            raise self._unavailable(f"no signing keys could be fetched from {self._metadata_url}")

    async def _refresh_if_due(self) -> None:
        age = self._clock() - self._fetched_at
        if not self._keys or age < REFRESH_AFTER_SECONDS:
            return
        fetch = self._start()
        if fetch is not None and age >= MAX_AGE_SECONDS:
            await asyncio.shield(fetch)

    async def _fetch_for(self, kid: str, fetches_before: int) -> None:
        # A running fetch may have read the key set before this key was added: if so, fetch again.
        if self._running is not None:
            await asyncio.shield(self._running)
        if kid in self._keys or self._keys_fetch_number > fetches_before:
            return
        if (fetch := self._start()) is not None:
            await asyncio.shield(fetch)

    def _start(self) -> asyncio.Task[None] | None:
        """The running fetch, or a new one; None if no fetch is allowed now."""
        if self._running is None:
            now = self._clock()
            if now < self._next_fetch_at():
                return None
            self._fetches.append(now)
            if self._keys:
                self._paused_until = now + MIN_SECONDS_BETWEEN_FETCHES
            self._fetch_count += 1
            self._running = asyncio.create_task(self._fetch(self._fetch_count))
        return self._running

    def _next_fetch_at(self) -> float:
        limit_reached = len(self._fetches) == MAX_FETCHES
        window_end = self._fetches[0] + FETCH_WINDOW_SECONDS if limit_reached else 0.0
        return max(self._paused_until, window_end)

    def _unavailable(self, text: str) -> KeysUnavailable:
        wait = math.ceil(self._next_fetch_at() - self._clock())
        return KeysUnavailable(text, max(1, wait))

    async def _fetch(self, number: int) -> None:
        try:
            async with asyncio.timeout(self._fetch_timeout):
                keys = await self._download()
        # Whatever the endpoint did wrong, the known keys stay in use.
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            self._note_failure(error)
        else:
            if self._keys and keys.keys() != self._keys.keys():
                log.info("%s signing keys are now %s", self._owner, ", ".join(sorted(keys)))
            self._withdrawn = (self._withdrawn | self._keys.keys()) - keys.keys()
            self._keys = keys
            self._keys_fetch_number = number
            self._failures = 0
            self._fetched_at = self._clock()
        finally:
            self._running = None

    def _forget_failures(self, _: asyncio.Task[None]) -> None:
        self._failures = 0

    async def _download(self) -> dict[str, SigningKey]:
        metadata = json.loads(await self._get_document(self._metadata_url))
        keys = _read_keys(json.loads(await self._get_document(metadata["jwks_uri"])))
        if not keys:
            raise ValueError("the key set contains no usable key")
        return keys

    def _note_failure(self, error: Exception) -> None:
        if not self._keys or not self._failures:
            pause = FAILURE_PAUSES_SECONDS[min(self._failures, len(FAILURE_PAUSES_SECONDS) - 1)]
            self._paused_until = self._clock() + pause
        self._failures += 1
        log.warning(
            "%s signing keys could not be fetched (%s: %s); %d known keys stay in use",
            self._owner,
            type(error).__name__,
            error,
            len(self._keys),
        )


MIN_KEY_BITS = 2048
"""RFC 7518, 3.3."""


def _read_keys(key_set: dict[str, Any]) -> dict[str, SigningKey]:
    """The usable keys of a JSON Web Key Set; malformed keys are skipped."""
    keys: dict[str, SigningKey] = {}
    for entry in key_set["keys"]:
        try:
            if not _verifies_tokens(entry):
                continue
            public_key = rsa.RSAPublicNumbers(
                _integer(entry["e"]), _integer(entry["n"])
            ).public_key()
            endorsements = frozenset(str(name) for name in entry.get("endorsements", ()))
            if public_key.key_size >= MIN_KEY_BITS:
                keys[str(entry["kid"])] = SigningKey(public_key, endorsements)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            log.debug("A malformed signing key was skipped: %s", type(error).__name__)
    return keys


_OPTIONAL_MEMBERS = {"use": "sig", "alg": ALGORITHM}
"""The values that a key's optional members must have if they are present (RFC 7517, 4.2 and 4.4):
a key for encryption or for another algorithm must not verify tokens (RFC 8725, 3.1)."""


def _verifies_tokens(entry: dict[str, Any]) -> bool:
    return entry["kty"] == "RSA" and all(
        entry.get(name, value) == value for name, value in _OPTIONAL_MEMBERS.items()
    )


def _integer(text: str) -> int:
    """An integer in base64url, with or without padding (RFC 7518, 6.3.1)."""
    try:
        return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
