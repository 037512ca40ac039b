"""CertificateVersions: which version of the bot's certificate signs, and which is to follow it."""

import asyncio
import datetime
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from auth.certificates.certificate import Certificate
from auth.errors import CertificateError, EndpointDown, SignInError, Throttled, VaultForbidden

CHECK_EVERY = 300.0
"""Seconds between two looks at the store."""

MOST_TRIED = 4
"""Versions that one sign-in tries."""

SET_ASIDE = 60.0
"""Seconds for which a version that could not be used is tried after the others, unless the sign-in
came to an end all the same: where Entra is slow, one has no time for both."""

log = logging.getLogger(__name__)


class CertificateStore(Protocol):
    """A vault, or a file."""

    async def versions(self) -> Sequence[str]:
        """The enabled versions, newest first; none, when the current one must do.

        Raises:
            VaultForbidden, CertificateError: they cannot be listed; reading may work all the same.
            SignInError: they cannot be had.
        """
        ...

    async def load(self, version: str | None) -> Certificate:
        """One version; None: the current one.

        Raises:
            SignInError: it cannot be had.
        """
        ...


class ExpiryWarning:
    """Warns once a day, however often it is asked to.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next = 0.0

    def text(self, certificate: Certificate) -> str:
        """The warning; empty while there is none to give."""
        left = certificate.expires_on - self._clock()
        if left >= WARN_BEFORE:
            return ""
        return (
            f"The certificate {certificate} expires soon (days left: {max(0, int(left // DAY))}):"
            " make a new version, and upload its public key to the app registration"
        )

    def log(self, certificate: Certificate) -> None:
        """Put the warning into the log, if there is one to give today."""
        now, text = self._clock(), self.text(certificate)
        if text and now >= self._next:
            self._next = now + DAY
            log.warning("%s", text)


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
        self._passed_over: dict[str, SignInError] = {}
        self._aside_until: dict[str, float] = {}
        self._met: set[str] = set()
        self._unseen = ""
        self._expiry = ExpiryWarning(clock)
        self._check_from = 0.0
        self._lock = asyncio.Lock()
        self._checking: asyncio.Task[None] | None = None

    @property
    def in_use(self) -> Certificate | None:
        """The one that Entra accepted last."""
        return self._loaded.get(self._version_in_use)

    @property
    def warnings(self) -> tuple[str, ...]:
        """An expiry that is near, and newer versions that cannot be used."""
        expiry = self._expiry.text(self.in_use) if self.in_use else ""
        unused = (_cannot_be_used(error) for error in self._passed_over.values())
        return (*([expiry] if expiry else []), *unused)

    def refresh_if_due(self) -> None:
        """Look at the store in the background, when that is due, and warn of an expiry."""
        if self.in_use and self._checking is None and self._clock() >= self._check_from:
            self._checking = asyncio.create_task(self.look())
            self._checking.add_done_callback(self._checked)

    def to_try(self) -> Sequence[str]:
        """The versions to sign in with, newest first, the one in use among them."""
        in_use, chosen = self._version_in_use, list(self._versions[:MOST_TRIED])
        if in_use in self._versions and in_use not in chosen:
            chosen[-1] = in_use
        now = self._clock()
        return sorted(chosen, key=lambda version: self._aside_until.get(version, 0.0) > now)

    def set_aside(self, version: str) -> None:
        """It could not be used: until a sign-in succeeds, the others are tried before it."""
        self._aside_until[version] = self._clock() + SET_ASIDE

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
                if str(error) != self._unseen:
                    text = "No look at the certificate's versions (%s); the known stay"
                    log.warning(text, error)
                self._unseen = str(error)
            else:
                self._unseen = ""
            if self.in_use and self._versions[0] not in before:
                await self._meet(self._versions[0], self.in_use)

    async def load(self, version: str) -> Certificate:
        """One version, when it may be used.

        Raises:
            CertificateError: it is not pinned, out of its dates, or not at hand while another is.
            SignInError: it cannot be had.
        """
        certificate = self._loaded.get(version)
        if certificate is None:
            try:
                async with self._lock:
                    certificate = await self._found(version)
            except (EndpointDown, Throttled) as error:
                if not self.in_use:
                    raise
                raise CertificateError(f"it cannot be had now: {error}") from error
        now = datetime.datetime.fromtimestamp(self._clock(), datetime.UTC)
        certificate.check(self._pins, now)
        return certificate

    def use(
        self,
        version: str,
        certificate: Certificate,
        failures: dict[str, SignInError],
        before: Certificate | None,
    ) -> None:
        """Entra has accepted a version; tell what is new.

        Args:
            version: that one.
            certificate: the same.
            failures: why others could not be used, by version.
            before: what was in use when this sign-in began.
        """
        if not _is_same(self.in_use, before):
            return  # another audience's sign-in has gone further meanwhile
        if not _is_same(certificate, before):
            former = f"; before it was {before}" if before else ""
            log.info("Signs in with the certificate %s%s", certificate, former)
        known = {**self._passed_over, **failures}
        passed_over = {newer: known[newer] for newer in self._newer_than(version) if newer in known}
        for newer, error in passed_over.items():
            if type(error) is not type(self._passed_over.get(newer)):
                log.warning("%s", _cannot_be_used(error))
        # The private keys of older versions are forgotten.
        kept = {name: found for name, found in self._loaded.items() if name in passed_over}
        self._loaded = {**kept, version: certificate}
        self._version_in_use, self._passed_over = version, passed_over
        self._aside_until.clear()
        self._expiry.log(certificate)

    def _newer_than(self, version: str) -> Sequence[str]:
        versions = self._versions
        return versions[: versions.index(version)] if version in versions else ()

    async def _listed(self) -> Sequence[str]:
        versions: Sequence[str] = ()
        try:
            versions = await self._store.versions()
        except (VaultForbidden, CertificateError) as error:
            # The right to read may come without the right to list.
            log.debug("The certificate's versions cannot be listed: %s", error)
        if versions:
            return versions
        current = await self._store.load(None)
        # Its thumbprint stands for a version that has no name.
        self._loaded[current.thumbprint] = current
        names = dict.fromkeys([current.thumbprint, self._version_in_use])
        return [name for name in names if name]

    async def _found(self, version: str) -> Certificate:
        if version not in self._loaded:
            self._loaded[version] = await self._store.load(version)
        return self._loaded[version]

    async def _meet(self, version: str, in_use: Certificate) -> None:
        try:
            newest = await self._found(version)
        except SignInError as error:
            log.warning("There is a newer certificate, but: %s", error)
        else:
            # A version's name does not tell: it is another when the right to list comes or goes.
            if not _is_same(newest, in_use) and newest.thumbprint not in self._met:
                self._met.add(newest.thumbprint)
                text = "There is a newer certificate, %s; %s signs in until Entra takes it"
                log.info(text, newest, in_use)

    def _checked(self, check: asyncio.Task[None]) -> None:
        self._checking = None
        error = None if check.cancelled() else check.exception()
        if error is not None:
            log.error("A look at the certificate's versions failed", exc_info=error)
        if self.in_use:
            self._expiry.log(self.in_use)


def _is_same(certificate: Certificate | None, other: Certificate | None) -> bool:
    if certificate is None or other is None:
        return certificate is other
    return certificate.thumbprint == other.thumbprint


def _cannot_be_used(error: SignInError) -> str:
    return f"A newer certificate cannot be used yet: {error}"


DAY = 24 * 3600.0
"""Seconds."""

WARN_BEFORE = 30 * DAY
"""Seconds before the expiry from which it is warned of."""
