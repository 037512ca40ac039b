"""Route: a bot that a command moves to a new credential, in a local Azure whose time is moved."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from bot_workbench.emulator.entra.credentials import KeyCredential
from bot_workbench.emulator.key_vault.inventory import CertificateInventory
from tests.admin.migrate.migration import APP, BOT, VAULT, Ended, Migration
from tests.admin.moved_clock import MovedClock
from tests.support.azure.azure_thread import AzureThread
from tests.support.light_sites.light_site import LightSite

NAME = "bot-certificate"
SECRET_SETTING = "not-to-be-printed"
CERTIFICATE = ("certificate", "--bot", BOT, "--app", APP, "--vault", VAULT)
ROTATE = ("certificate", "rotate", "--bot", BOT, "--app", APP)
FEDERATED = ("federated", "--bot", BOT, "--app", APP)


class Route:
    """A bot with a secret, a Function App with a secret setting, and somebody else's certificate.

    A wait of a command moves the time of the local Azure too.

    Args:
        thread: has the local Azure.
        clock: the commands'.
        app_type: the bot's.

    Attributes:
        migration: the bot and the app.
        registration: the bot's.
        others: the key credentials that were there before.
    """

    def __init__(
        self, thread: AzureThread, clock: MovedClock, app_type: str = "SingleTenant"
    ) -> None:
        self.thread = thread
        self.azure = thread.azure
        self.clock = clock
        start, ticks = time.time(), itertools.count()

        def now() -> float:
            """No two processes start in the same microsecond."""
            return start + clock.now() + next(ticks) * 1e-6

        thread.call(setattr, self.azure.directory, "clock", now)
        self.migration = Migration(thread, app_type, clock)
        self.registration = self.migration.old.registration
        self.registration.clock = self.azure.directory.clock
        manager = self.azure.resource_manager
        started = time.monotonic()
        manager.access.clock = lambda: started + clock.now()
        self.set_settings(MicrosoftAppPassword=SECRET_SETTING, CUSTOM="kept")
        self.inventory.clock = clock.now
        self.add_other("another certificate")
        self.others = self.registered()

    def call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Call a function where the local Azure may be changed."""
        return self.thread.call(function, *arguments, **named)

    @property
    def inventory(self) -> CertificateInventory:
        """The vault's content."""
        return self.azure.vaults[f"{VAULT}.vault.azure.net"].inventory

    @property
    def code(self) -> LightSite:
        """What the Function App runs."""
        found = self.azure.sites.code(APP)
        assert isinstance(found, LightSite)
        return found

    def registered(self) -> list[KeyCredential]:
        """The certificates of the registration."""
        return list(self.call(self.registration.key_credentials))

    def added(self) -> list[str]:
        """The thumbprints of the certificates that were not there before, in upper-case hex."""
        return [thumbprint(key) for key in self.registered() if key not in self.others]

    def versions(self) -> list[str]:
        """The thumbprints of the vault's versions, oldest first."""
        self.call(self.inventory.settle)
        return [
            key_thumbprint(version.certificate) for version in self.inventory.versions.get(NAME, [])
        ]

    def add_other(self, name: str) -> None:
        """Add somebody else's certificate to the registration."""
        made = self.call(self.inventory.add_version, name)
        self.call(self.registration.register, made.certificate)

    def settings(self) -> dict[str, str]:
        """The Function App's settings."""
        return dict(self.azure.resource_manager.app_settings(self.migration.new.site.id))

    def set_settings(self, **settings: str) -> None:
        """Set settings of the Function App, and keep its others."""
        values = {**self.settings(), **settings}
        self.call(self.azure.group.set_app_settings, self.migration.new.site, values)

    def run(self, *words: str) -> Ended:
        """Run a command of `migrate`; no secret is in what it prints."""
        ended = self.migration.run(*words)
        assert SECRET_SETTING not in ended.output + ended.errors
        return ended

    def done(self, *words: str) -> Ended:
        """Run a command that must succeed."""
        ended = self.run(*words)
        assert ended.status == 0, ended.output + ended.errors
        return ended

    def refused(self, *words: str) -> str:
        """Run a command that must refuse, and return its reason."""
        ended = self.run(*words, "--json")
        assert ended.status == 1, ended.output + ended.errors
        assert ended.json["result"] == "refused", ended.output
        return str(ended.json["reason"])

    def untouched(self) -> None:
        """Check that nothing that was there before is gone."""
        assert len(self.registration.secrets) == 1
        assert [key for key in self.registered() if key in self.others] == self.others
        settings = self.settings()
        assert settings["MicrosoftAppPassword"] == SECRET_SETTING
        assert settings["CUSTOM"] == "kept"
        assert "contosofunctions" in settings["AzureWebJobsStorage__accountName"]


def thumbprint(key: KeyCredential) -> str:
    """The SHA-1 thumbprint of a key credential in upper-case hex."""
    return key_thumbprint(key.certificate)


def key_thumbprint(certificate: x509.Certificate) -> str:
    """The SHA-1 thumbprint of a certificate in upper-case hex."""
    return str(certificate.fingerprint(hashes.SHA1()).hex().upper())  # noqa: S303  # an identifier


def new_route(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    thread: AzureThread,
    app_type: str = "SingleTenant",
) -> Route:
    """A route whose commands run in this process, with a clock that moves instead of waiting."""
    clock = MovedClock()
    thread.set_environment(monkeypatch)
    monkeypatch.chdir(folder)
    return Route(thread, clock, app_type)
