"""NewVersion: the vault has a version of the certificate that the bot does not use yet."""

from collections.abc import Callable

from bot_workbench.admin.migrate.certificate.policy import CertificatePolicy
from bot_workbench.admin.migrate.certificate.public_certificate import PublicCertificate
from bot_workbench.admin.migrate.certificate.registration.app_registration import (
    AppRegistration,
    NoRegistration,
    UnsettledRegistration,
)
from bot_workbench.admin.migrate.certificate.registration.registered_certificate import Now, utc_now
from bot_workbench.admin.migrate.certificate.vault.bot_vault import BotVault, ListedVersion
from bot_workbench.admin.migrate.certificate.vault.vault_certificate import (
    creation,
    unfinished_creation,
)
from bot_workbench.admin.plan.step import Finding

RECENT_SECONDS = 24 * 3600
"""The age of a version below which a command that is run again was interrupted at its end, rather
than meant to rotate again."""


class NewVersion:
    """The next version exists: made by an interrupted run or by the vault itself, or made now.

    Nothing is stored about a rotation. It is under way if the newest version is not the one that
    the app signs in with, or if the registration still has the key of an older version; it is done
    if there are older versions, and the newest is younger than a day. Only otherwise is a version
    made.

    Args:
        vault: the vault and the certificate's name.
        registration: of the bot.
        policy: how a version is made.
        in_use: asks the app for the thumbprint that it signs in with; empty: it does not say.
        dry_run: whether the version that is missing is never made, so that it stays unknown.
        again: make a version even if the newest is younger than a day.
        now: the time (UTC).
    """

    title = "New version of the certificate"

    def __init__(
        self,
        vault: BotVault,
        registration: AppRegistration,
        policy: CertificatePolicy,
        in_use: Callable[[], str],
        *,
        dry_run: bool,
        again: bool = False,
        now: Now = utc_now,
    ) -> None:
        self._vault = vault
        self._registration = registration
        self._policy = policy
        self._in_use = in_use
        self._dry_run = dry_run
        self._again = again
        self._now = now
        self._planned = False
        self._first_seen = ""

    def newest(self) -> PublicCertificate | None:
        """The version that the app must use; None if it is not made yet.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        if self._dry_run and self._planned:
            return None
        versions = self._vault.enabled_versions()
        return self._vault.public(versions[0].version) if versions else None

    def thumbprint(self) -> str:
        """Its thumbprint (upper-case hex); a shell variable if it is not made yet.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        newest = self.newest()
        return newest.thumbprint if newest else "$THUMBPRINT"

    def look(self) -> Finding:
        """Compare the vault's newest version with the one that the app uses.

        Raises:
            AzureProblem: the vault, the directory or the app cannot be read.
        """
        vault = self._vault
        if unfinished := unfinished_creation(vault, vault.pending(), has_certificate=True):
            return unfinished
        listed = vault.versions()
        enabled = [each for each in listed if each.enabled]
        if not enabled:
            return Finding(
                f"the vault {vault.vault} has no certificate {vault.name}",
                refusal="there is nothing to rotate: begin with `migrate certificate`",
            )
        newest = enabled[0].thumbprint
        self._first_seen = self._first_seen or newest
        in_use = self._in_use()
        if newest != self._first_seen:
            return Finding(f"the newest version is {newest}")
        if not in_use:
            text = "the app does not say which certificate it signs in with, as it cannot sign in"
            return Finding(f"{text}: see its log", waiting=True)
        if newest != in_use:
            return Finding(
                f"a rotation is under way: the newest version is {newest}, and the app still uses"
                f" {in_use}"
            )
        others = {each.thumbprint for each in listed} - {newest}
        return self._missing(enabled[0], others, has_older=len(enabled) > 1)

    def _missing(self, newest: ListedVersion, others: set[str], *, has_older: bool) -> Finding:
        """The app uses the newest version: was it rotated to, and the old key left behind?"""
        in_use = newest.thumbprint
        try:
            keys = self._registration.read().keys
        except UnsettledRegistration as unsettled:
            return Finding(str(unsettled), waiting=True)
        except NoRegistration:
            return Finding("the app registration cannot be found")  # the next step says more
        if left := sorted(each for each in others if keys.of(each)):
            return Finding(
                f"a rotation is under way: the app uses the newest version, {in_use}, and the app"
                f" registration still has {', '.join(left)}"
            )
        age = self._now().timestamp() - newest.created
        if has_older and age < RECENT_SECONDS and not self._again:
            return Finding(
                f"the certificate was rotated {age / 3600:.0f} hours ago, and the app uses the"
                f" newest version, {in_use}: nothing to do (--again makes another version)"
            )
        self._planned = True
        text = f"the app uses the newest version, {in_use}"
        return Finding(text, changes=(creation(self._vault, self._policy),))
