"""CertificateVersions: which version of the bot's certificate signs, and which is to follow it."""

import asyncio
import datetime
import logging
import time
from collections.abc import Callable, Sequence

from auth.certificate import Certificate
from auth.certificate_store import CURRENT, CertificateStore
from auth.errors import CertificateError, EndpointDown, SignInError, Throttled

CHECK_EVERY = 300.0
"""Seconds between two looks at the store."""

MOST_TRIED = 4
"""Versions that one sign-in tries."""

WARN_BEFORE = 30 * 24 * 3600.0
"""Seconds before its expiry from which a certificate is warned of."""

WARN_EVERY = 24 * 3600.0
"""Seconds between two such warnings in the log."""

log = logging.getLogger(__name__)


class CertificateVersions:
    """The versions of one certificate: looked for in the background, loaded once, told of once.

    A vault renews a certificate before anybody has uploaded its public key to Entra. So the newest
    version is tried first, and the one before it goes on signing in until Entra takes the new one.

    Args:
        store: keeps them.
        pins: the thumbprints that are allowed, SHA-1 in upper-case hex; empty: all.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        store: CertificateStore,
        pins: frozenset[str] = frozenset(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._pins = pins
        self._clock = clock
        self._versions: Sequence[str] = ()
        self._loaded: dict[str, Certificate] = {}
        self._version_in_use = ""
        self._in_use: Certificate | None = None
        self._passed_over: dict[str, SignInError] = {}
        self._check_from = 0.0
        self._warn_from = 0.0
        self._lock = asyncio.Lock()
        self._checking: asyncio.Task[None] | None = None

    def keep_up(self) -> None:
        """Look at the store in the background, when that is due, and warn of an expiry."""
        if self._in_use and self._checking is None and self._clock() >= self._check_from:
            self._checking = asyncio.create_task(self.look())
            self._checking.add_done_callback(self._checked)

    def to_try(self) -> Sequence[str]:
        """The versions to sign in with, newest first, the one in use among them."""
        in_use, newest = self._version_in_use, self._versions[:MOST_TRIED]
        if in_use in newest or in_use not in self._versions:
            return newest
        return [*newest[:-1], in_use]

    async def look(self) -> None:
        """Look at the store now.

        Raises:
            SignInError: no version is known, and none can be had.
        """
        async with self._lock:
            before = self._versions
            self._check_from = self._clock() + CHECK_EVERY
            try:
                self._versions = await self._listed()
            except SignInError as error:
                if not before:
                    raise
                log.warning("No look at the certificate's versions (%s); the known stay", error)
            if self._in_use and self._versions[0] not in before:
                await self._meet(self._versions[0])

    async def load(self, version: str) -> Certificate:
        """One version, when it may be used.

        Raises:
            CertificateError: it is not pinned, or out of its dates.
            SignInError: it cannot be had.
        """
        certificate = self._loaded.get(version)
        if certificate is None:
            async with self._lock:
                certificate = await self._found(version)
        now = datetime.datetime.fromtimestamp(self._clock(), datetime.UTC)
        certificate.check(self._pins, now)
        return certificate

    def use(
        self, version: str, certificate: Certificate, passed_over: dict[str, SignInError]
    ) -> None:
        """Entra has accepted a version; tell what is new.

        Args:
            version: that one.
            certificate: the same.
            passed_over: why the newer ones could not be used, by version.
        """
        if not self._is_in_use(certificate):
            before = f"; before it was {self._in_use}" if self._in_use else ""
            log.info("Signs in with the certificate %s%s", certificate, before)
        for newer, error in passed_over.items():
            if type(error) is not type(self._passed_over.get(newer)):
                log.warning("A newer certificate cannot be used yet: %s", error)
        # The private keys of older versions are forgotten.
        kept = {version, self._version_in_use, *passed_over}
        self._version_in_use, self._in_use, self._passed_over = version, certificate, passed_over
        self._loaded = {name: found for name, found in self._loaded.items() if name in kept}
        self._warn()

    @property
    def warnings(self) -> tuple[str, ...]:
        """An expiry that is near, and newer versions that cannot be used."""
        return (*self._near_expiry(), *map(str, self._passed_over.values()))

    async def _listed(self) -> Sequence[str]:
        versions = list(await self._store.versions())
        if versions != [CURRENT]:
            return versions
        # Its thumbprint stands for a version that has no name.
        current = await self._store.load(CURRENT)
        self._loaded[current.thumbprint] = current
        names = dict.fromkeys([current.thumbprint, self._version_in_use])
        return [name for name in names if name]

    async def _found(self, version: str) -> Certificate:
        if version not in self._loaded:
            try:
                self._loaded[version] = await self._store.load(version)
            except (EndpointDown, Throttled) as error:
                if not self._in_use:
                    raise
                raise CertificateError(f"a newer version cannot be had now: {error}") from error
        return self._loaded[version]

    async def _meet(self, version: str) -> None:
        try:
            newest = await self._found(version)
        except SignInError as error:
            log.warning("There is a newer certificate, but: %s", error)
        else:
            if not self._is_in_use(newest):
                text = "There is a newer certificate, %s; %s signs in until Entra takes it"
                log.info(text, newest, self._in_use)

    def _is_in_use(self, certificate: Certificate) -> bool:
        # A version's name does not tell: it is another when the right to list comes or goes.
        return self._in_use is not None and self._in_use.thumbprint == certificate.thumbprint

    def _checked(self, check: asyncio.Task[None]) -> None:
        self._checking = None
        error = None if check.cancelled() else check.exception()
        if error is not None:
            log.error("A look at the certificate's versions failed", exc_info=error)
        self._warn()

    def _warn(self) -> None:
        now = self._clock()
        if now >= self._warn_from:
            for text in self._near_expiry():
                self._warn_from = now + WARN_EVERY
                log.warning("%s", text)

    def _near_expiry(self) -> tuple[str, ...]:
        certificate = self._in_use
        left = certificate.expires_on - self._clock() if certificate else WARN_BEFORE
        if left >= WARN_BEFORE:
            return ()
        days = max(0, int(left // (24 * 3600)))
        return (
            f"The certificate {certificate} expires in {days} days: make a new version, and upload"
            " its public key to the app registration",
        )
