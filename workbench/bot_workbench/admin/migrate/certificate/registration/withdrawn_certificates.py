"""WithdrawnCertificates: the app registration has no key of an older version any more."""

from collections.abc import Callable, Collection
from functools import partial

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.certificate.registration.app_registration import (
    AppRegistration,
    NoRegistration,
    RegistrationState,
    UnsettledRegistration,
)
from bot_workbench.admin.migrate.certificate.registration.key_credentials import entry_thumbprint
from bot_workbench.admin.migrate.certificate.registration.registered_certificate import (
    UNKNOWN_KEY,
    Now,
    utc_now,
)
from bot_workbench.admin.migrate.certificate.vault.bot_vault import BotVault
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import Finding


class WithdrawnCertificates:
    """The keys of older versions of the vault's certificate are deleted, and no others.

    Nothing is deleted unless, at this moment, the app signs in with the newest version, and the
    registration has its key. So a key remains with which the app has just signed in.

    Args:
        registration: of the bot.
        vault: the vault and the certificate's name.
        newest: thumbprint of the version that must be in use; a shell variable if it is unknown.
        in_use: asks the app for the thumbprint that it signs in with; empty: it does not say.
        dry_run: whether earlier steps are only planned, so that the proof is still to come.
        kept: thumbprints of versions whose keys stay all the same.
        now: the time (UTC).
    """

    title = "Older keys on the app registration"

    def __init__(
        self,
        registration: AppRegistration,
        vault: BotVault,
        newest: Callable[[], str],
        in_use: Callable[[], str],
        *,
        dry_run: bool,
        kept: Callable[[], Collection[str]] = tuple,
        now: Now = utc_now,
    ) -> None:
        self._registration = registration
        self._vault = vault
        self._newest = newest
        self._in_use = in_use
        self._dry_run = dry_run
        self._kept = kept
        self._now = now
        self._leaving: set[str] = set()

    def look(self) -> Finding:
        """Compare the registration's keys with the vault's versions.

        Raises:
            AzureProblem: the vault, the directory or the app cannot be read.
        """
        newest = self._newest()
        in_use = "" if self._dry_run else self._in_use()
        if not self._dry_run and in_use != newest:
            text = f"the app signs in with {in_use or 'no certificate'}, not with {newest}"
            return Finding(f"nothing is deleted while {text}", waiting=True)
        try:
            state = self._registration.read(leaving=self._leaving)
        except (UnsettledRegistration, NoRegistration) as unsettled:
            return Finding(str(unsettled), waiting=True)
        if not self._dry_run and state.keys.usable(newest, self._now()) is None:
            text = f"the app registration does not show the certificate {newest}"
            return Finding(f"nothing is deleted while {text}", waiting=True)
        older = self._older(newest)
        old = [entry for entry in state.keys.entries if entry_thumbprint(entry) in older]
        if not old:
            return Finding("the app registration has no key of an older version")
        self._leaving |= older
        names = ", ".join(entry_thumbprint(entry) for entry in old)
        text = f"the app registration still has {names}"
        return Finding(text, changes=(self._change(state, old, newest),))

    def _older(self, newest: str) -> set[str]:
        """The thumbprints of the versions made before the newest."""
        listed = self._vault.versions()
        made = [each.thumbprint for each in listed]
        older = made[made.index(newest) + 1 :] if newest in made else made
        return set(older) - {"", *self._kept()}

    def _change(self, state: RegistrationState, old: list[JsonObject], newest: str) -> Change:
        key_ids = [str(entry["keyId"]) for entry in old]
        kept = state.keys.without(key_ids)
        if newest.startswith("$"):
            kept.append(UNKNOWN_KEY)
        names = ", ".join(entry_thumbprint(entry) for entry in old)
        return Change(
            method="PATCH",
            url=self._registration.url(state),
            body={"keyCredentials": kept},
            summary=f"Delete the public key {names} of an older version from the app registration,"
            f" and keep its other certificates ({len(kept)})",
            az=tuple(
                az(
                    "ad app credential delete",
                    {"--id": self._registration.app_id, "--cert": None, "--key-id": key_id},
                )
                for key_id in key_ids
            ),
            service="graph",
            send=partial(self._registration.replace_keys, state, kept),
        )
