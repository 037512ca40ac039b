"""CertificateVersions: decides which version of the bot's certificate signs in."""

import asyncio
import datetime
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from auth.certificates.certificate import Certificate
from auth.errors import CertificateError, EndpointDown, SignInError, Throttled, VaultForbidden

CHECK_INTERVAL_SECONDS = 300.0
"""The interval between two listings of the versions."""

MAX_CANDIDATES = 4
"""The number of versions that one sign-in tries."""

POSTPONED_SECONDS = 60.0
"""The time for which a version that could not be used is tried last, unless a sign-in succeeds
before: if Entra is slow, there is no time to try a failing version first."""

DAY_SECONDS = 24 * 3600.0

WARN_BEFORE_SECONDS = 30 * DAY_SECONDS
"""The time before the certificate expires at which the warnings start."""

log = logging.getLogger(__name__)


class CertificateStore(Protocol):
    """Stores the versions of a certificate: a vault or a file."""

    async def versions(self) -> Sequence[str]:
        """The enabled versions, newest first; empty if only the current version is available.

        Raises:
            VaultForbidden, CertificateError: they cannot be listed; `load(None)` may still work.
            SignInError: the store is unavailable.
        """
        ...

    async def load(self, version: str | None) -> Certificate:
        """One version of the certificate.

        Args:
            version: the version's name; None loads the current version.

        Raises:
            SignInError: the version cannot be read.
        """
        ...


class ExpiryWarning:
    """Warns of a certificate's expiry, once a day.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next = 0.0

    def text(self, certificate: Certificate) -> str:
        """The warning; empty if the certificate does not expire soon."""
        left = certificate.expires_on - self._clock()
        if left >= WARN_BEFORE_SECONDS:
            return ""
        days = max(0, int(left // DAY_SECONDS))
        return (
            f"The certificate {certificate} expires soon (days left: {days}):"
            " make a new version, and upload its public key to the app registration"
        )

    def log(self, certificate: Certificate) -> None:
        """Log the warning, unless it was logged within the last day."""
        now, text = self._clock(), self.text(certificate)
        if text and now >= self._next:
            self._next = now + DAY_SECONDS
            log.warning("%s", text)


class CertificateVersions:
    """The versions of one certificate: listed in the background, and each loaded once.

    A vault may renew a certificate before anyone uploads the new public key to Entra. So the newest
    version is tried first, and the version in use signs in until Entra accepts the newest.

    Args:
        store: the vault or the file.
        thumbprints: SHA-1 thumbprints of the allowed certificates in upper-case hex; empty allows
            any.
        clock: returns the time in seconds since the epoch.
    """

    def __init__(
        self,
        store: CertificateStore,
        thumbprints: frozenset[str] = frozenset(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._thumbprints = thumbprints
        self._clock = clock
        self._versions: Sequence[str] = ()
        self._loaded: dict[str, Certificate] = {}
        self._version_in_use = ""
        self._failures: dict[str, SignInError] = {}
        """The errors of the versions newer than the one in use."""
        self._postponed_until: dict[str, float] = {}
        self._announced: set[str] = set()
        """Thumbprints of the newer certificates that have been logged."""
        self._listing_failure = ""
        self._expiry = ExpiryWarning(clock)
        self._check_from = 0.0
        self._lock = asyncio.Lock()
        self._checking: asyncio.Task[None] | None = None

    @property
    def in_use(self) -> Certificate | None:
        """The certificate that Entra accepted last."""
        return self._loaded.get(self._version_in_use)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about an approaching expiry, and about newer versions that cannot be used."""
        expiry = self._expiry.text(self.in_use) if self.in_use else ""
        unusable = (_cannot_be_used(error) for error in self._failures.values())
        return (*([expiry] if expiry else []), *unusable)

    def refresh_if_due(self) -> None:
        """Start to list the versions in the background, if a check is due."""
        if self.in_use and self._checking is None and self._clock() >= self._check_from:
            self._checking = asyncio.create_task(self.refresh())
            self._checking.add_done_callback(self._checked)

    def candidates(self) -> Sequence[str]:
        """The versions to sign in with, newest first but postponed ones last, with that in use."""
        in_use, chosen = self._version_in_use, list(self._versions[:MAX_CANDIDATES])
        if in_use in self._versions and in_use not in chosen:
            chosen[-1] = in_use
        now = self._clock()
        return sorted(chosen, key=lambda version: self._postponed_until.get(version, 0.0) > now)

    def postpone(self, version: str) -> None:
        """Try the other versions first for a while, because this one could not be used."""
        self._postponed_until[version] = self._clock() + POSTPONED_SECONDS

    async def refresh(self) -> None:
        """List the versions now.

        Raises:
            SignInError: the versions cannot be listed, and none are known.
        """
        async with self._lock:
            before = self._versions
            self._check_from = self._clock() + CHECK_INTERVAL_SECONDS
            try:
                self._versions = await self._listed()
            except SignInError as error:
                if not before:
                    raise
                if str(error) != self._listing_failure:
                    text = (
                        "The certificate's versions cannot be listed (%s); known ones stay in use"
                    )
                    log.warning(text, error)
                self._listing_failure = str(error)
            else:
                self._listing_failure = ""
            if self.in_use and self._versions[0] not in before:
                await self._announce(self._versions[0], self.in_use)

    async def load(self, version: str) -> Certificate:
        """The certificate of a version, if it may be used.

        Raises:
            CertificateError: the certificate is not allowed or not valid now, or it cannot be
                loaded now while another version is in use.
            SignInError: the certificate cannot be loaded.
        """
        certificate = self._loaded.get(version)
        if certificate is None:
            try:
                async with self._lock:
                    certificate = await self._load_once(version)
            except (EndpointDown, Throttled) as error:
                if not self.in_use:
                    raise
                raise CertificateError(f"the version cannot be loaded now: {error}") from error
        now = datetime.datetime.fromtimestamp(self._clock(), datetime.UTC)
        certificate.check(self._thumbprints, now)
        return certificate

    def accept(
        self,
        version: str,
        certificate: Certificate,
        failures: dict[str, SignInError],
        before: Certificate | None,
    ) -> None:
        """Use a version from now on, because Entra has accepted it. Logs what changes.

        Args:
            version: the version that was accepted.
            certificate: the certificate of that version.
            failures: the errors of the other versions that this sign-in tried.
            before: the certificate that was in use when this sign-in started.
        """
        if not _is_same(self.in_use, before):
            return  # a concurrent sign-in, for another audience, has changed the certificate
        if not _is_same(certificate, before):
            former = f"; the previous one was {before}" if before else ""
            log.info("Signs in with the certificate %s%s", certificate, former)
        known = {**self._failures, **failures}
        newer_failures = {
            newer: known[newer] for newer in self._newer_than(version) if newer in known
        }
        for newer, error in newer_failures.items():
            if type(error) is not type(self._failures.get(newer)):
                log.warning("%s", _cannot_be_used(error))
        # This drops the private keys of older versions.
        remaining = {name: found for name, found in self._loaded.items() if name in newer_failures}
        self._loaded = {**remaining, version: certificate}
        self._version_in_use, self._failures = version, newer_failures
        self._postponed_until.clear()
        self._expiry.log(certificate)

    def _newer_than(self, version: str) -> Sequence[str]:
        versions = self._versions
        return versions[: versions.index(version)] if version in versions else ()

    async def _listed(self) -> Sequence[str]:
        versions: Sequence[str] = ()
        try:
            versions = await self._store.versions()
        except (VaultForbidden, CertificateError) as error:
            # Permission to read does not imply permission to list.
            log.debug("The certificate's versions cannot be listed: %s", error)
        if versions:
            return versions
        current = await self._store.load(None)
        # The version's name is not known; the thumbprint takes its place.
        self._loaded[current.thumbprint] = current
        names = dict.fromkeys([current.thumbprint, self._version_in_use])
        return [name for name in names if name]

    async def _load_once(self, version: str) -> Certificate:
        if version not in self._loaded:
            self._loaded[version] = await self._store.load(version)
        return self._loaded[version]

    async def _announce(self, version: str, in_use: Certificate) -> None:
        try:
            newest = await self._load_once(version)
        except SignInError as error:
            log.warning("There is a newer certificate, but it cannot be read: %s", error)
        else:
            # A version's name changes when permission to list is granted or revoked.
            if not _is_same(newest, in_use) and newest.thumbprint not in self._announced:
                self._announced.add(newest.thumbprint)
                text = "There is a newer certificate, %s; %s signs in until Entra accepts it"
                log.info(text, newest, in_use)

    def _checked(self, check: asyncio.Task[None]) -> None:
        self._checking = None
        error = None if check.cancelled() else check.exception()
        if error is not None:
            log.error("Checking the certificate's versions failed", exc_info=error)
        if self.in_use:
            self._expiry.log(self.in_use)


def _is_same(certificate: Certificate | None, other: Certificate | None) -> bool:
    if certificate is None or other is None:
        return certificate is other
    return certificate.thumbprint == other.thumbprint


def _cannot_be_used(error: SignInError) -> str:
    return f"A newer certificate cannot be used yet: {error}"
