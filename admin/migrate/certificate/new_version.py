"""NewVersion: the vault has a version of the certificate that the bot does not use yet."""

from collections.abc import Callable

from admin.migrate.certificate.app_registration import (
    AppRegistration,
    NoRegistration,
    UnsettledRegistration,
)
from admin.migrate.certificate.bot_vault import BotVault
from admin.migrate.certificate.policy import CertificatePolicy
from admin.migrate.certificate.vault_certificate import creation, unfinished_creation
from admin.migrate.step import Finding


class NewVersion:
    """The next version exists: made by an interrupted run or by the vault itself, or made now.

    Nothing is stored about a rotation. It is under way if the newest version is not the one that
    the app signs in with, or if the registration still has the key of an older version. Only
    otherwise is a version made.

    Args:
        vault: the vault and the certificate's name.
        registration: of the bot.
        policy: how a version is made.
        in_use: asks the app for the thumbprint that it signs in with; empty: it cannot be known.
    """

    title = "New version of the certificate"

    def __init__(
        self,
        vault: BotVault,
        registration: AppRegistration,
        policy: CertificatePolicy,
        in_use: Callable[[], str],
    ) -> None:
        self._vault = vault
        self._registration = registration
        self._policy = policy
        self._in_use = in_use
        self._first_seen = ""

    def look(self) -> Finding:
        """Compare the vault's newest version with the one that the app uses.

        Raises:
            AzureProblem: the vault, the directory or the app cannot be read.
        """
        vault = self._vault
        if unfinished := unfinished_creation(vault, vault.pending(), has_certificate=True):
            return unfinished
        versions = vault.versions()
        if not versions:
            return Finding(
                f"the vault {vault.vault} has no certificate {vault.name}",
                refusal="there is nothing to rotate: begin with `migrate certificate`",
            )
        newest = versions[0].thumbprint
        self._first_seen = self._first_seen or newest
        in_use = self._in_use()
        if not in_use:
            text = "the app does not say which certificate it signs in with"
            return Finding(f"{text}: see its log", waiting=True)
        if newest not in {in_use, self._first_seen}:
            return Finding(f"the newest version is {newest}; the app uses {in_use}")
        if newest != in_use:
            return Finding(
                f"a rotation is under way: the newest version, {newest}, is not used yet; the app"
                f" uses {in_use}"
            )
        try:
            keys = self._registration.read().keys
        except (UnsettledRegistration, NoRegistration) as unsettled:
            return Finding(str(unsettled), waiting=True)
        left = [old.thumbprint for old in versions[1:] if keys.of(old.thumbprint)]
        if left:
            return Finding(
                f"a rotation is under way: the app uses the newest version, {newest}, and the app"
                f" registration still has {', '.join(left)}"
            )
        return Finding(
            f"the app uses the newest version, {newest}", changes=(creation(vault, self._policy),)
        )
