"""ScriptedStore: a certificate store in memory, and the steps of its renewal."""

import asyncio
import time
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric import rsa

from auth.certificates.certificate import Certificate
from auth.certificates.private_key import LocalKey
from auth.certificates.versions import CHECK_INTERVAL_SECONDS, CertificateVersions
from auth.errors import SignInError
from bot_workbench.emulator.certificates import self_signed
from tests.support.timing.clock import Clock
from tests.support.timing.loop_turns import settled

DAY_SECONDS = 24 * 3600.0


class ScriptedStore:
    """A store whose versions and failures a test sets.

    Attributes:
        clock: the bot's clock; it starts at the real time, by which certificates are made.
        certificates: by version, the newest last.
        listable: False: the list of the versions is empty.
        failure: raised in place of a list.
        unreadable: raised in place of a version's certificate.
        listings: how often the versions were listed.
        loads: the versions that were read, in order; None for the current one.
        open: cleared, calls wait.
    """

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self.clock = Clock(time.time())
        self.certificates: dict[str, Certificate] = {}
        self.listable = True
        self.failure: Exception | None = None
        self.unreadable: dict[str | None, Exception] = {}
        self.listings = 0
        self.loads: list[str | None] = []
        self.open = asyncio.Event()
        self.open.set()
        self._key = key

    def add(self, version: str, *, starts_in_days: float = -1, ends_in_days: float = 365) -> None:
        """Make a new version, which is the current one from now on."""
        public = self_signed(
            "bot", self._key, starts_in_days=starts_in_days, ends_in_days=ends_in_days
        )
        self.certificates[version] = Certificate(public, LocalKey(self._key))

    async def versions(self) -> Sequence[str]:
        """List the versions, the newest first."""
        self.listings += 1
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        return list(reversed(self.certificates)) if self.listable else []

    async def load(self, version: str | None) -> Certificate:
        """Read a version's certificate."""
        self.loads.append(version)
        await self.open.wait()
        if version in self.unreadable:
            raise self.unreadable[version]
        return self.certificates[version or list(self.certificates)[-1]]


async def sign_in(
    versions: CertificateVersions, version: str, passed_over: dict[str, SignInError] | None = None
) -> None:
    """Sign in with a version that Entra accepts, after it has refused others."""
    before = versions.in_use
    versions.accept(version, await versions.load(version), passed_over or {}, before)


async def check(versions: CertificateVersions, store: ScriptedStore) -> None:
    """Run a turn when the next listing of the store is due, and wait for the listing."""
    store.clock.advance(CHECK_INTERVAL_SECONDS)
    versions.refresh_if_due()
    await settled()
