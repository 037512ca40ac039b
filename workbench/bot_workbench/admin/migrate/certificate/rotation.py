"""The plan of `migrate certificate rotate`."""

from collections.abc import Mapping
from functools import partial

from bot_workbench.admin.azure.errors import Refused
from bot_workbench.admin.azure.resources import host_of
from bot_workbench.admin.migrate.certificate.policy import CertificatePolicy
from bot_workbench.admin.migrate.certificate.registration.app_registration import AppRegistration
from bot_workbench.admin.migrate.certificate.registration.registered_certificate import (
    RegisteredCertificate,
)
from bot_workbench.admin.migrate.certificate.registration.withdrawn_certificates import (
    WithdrawnCertificates,
)
from bot_workbench.admin.migrate.certificate.restarted_app import RestartedApp, thumbprint_in_use
from bot_workbench.admin.migrate.certificate.route import extended_pin
from bot_workbench.admin.migrate.certificate.vault.bot_vault import BotVault
from bot_workbench.admin.migrate.certificate.vault.new_version import NewVersion
from bot_workbench.admin.migrate.certificate.vault.vault_access import VaultAccess
from bot_workbench.admin.migrate.steps.app_settings import AppSettings
from bot_workbench.admin.migrate.steps.bot_type import NO_REGISTRATION, BotType
from bot_workbench.admin.migrate.steps.deployed_code import DeployedCode
from bot_workbench.admin.migrate.steps.proven_sign_in import ProvenSignIn
from bot_workbench.admin.migrate.steps.unclaimed_app import UnclaimedApp
from bot_workbench.admin.plan.setting_names import credential_kind, setting
from bot_workbench.admin.plan.step import Plan, Step, unless_refused
from bot_workbench.admin.plan.target import Target
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

IF_SLOW = (
    "The app keeps its token for up to an hour, and signs in with the new version after that (or"
    " after a restart: --restart). Until then it uses the old one, which stays registered"
)


class Rotation:
    """The next version of the certificate that the app uses.

    Args:
        target: the bot and the Function App.
        restart: whether to restart the app, so that it signs in at once.
        again: whether to make another version soon after the last one.

    Raises:
        Refused: the app's settings name no certificate in a vault.
        AzureProblem: the bot or the app cannot be read.
    """

    def __init__(self, target: Target, *, restart: bool = False, again: bool = False) -> None:
        settings = target.settings()
        vault = host_of(setting(settings, "CertificateVaultUrl")).partition(".")[0]
        name = setting(settings, "CertificateName")
        kind = credential_kind(settings)
        if kind is None or not kind.has_certificate or not vault or not name:
            raise Refused(
                f"the settings of {target.site_id.name} name no certificate in a vault"
                " (BotCredential, CertificateVaultUrl, CertificateName): begin with"
                f" {target.options.command_line('certificate')}"
            )
        self._target = target
        self._restart = restart
        self._vault = BotVault(target, vault, name)
        self._registration = AppRegistration(target.azure.graph, target.app_id)
        self._kind = kind
        self._in_use = partial(thumbprint_in_use, target)
        policy = CertificatePolicy(exportable=kind.loads_key)
        self._version = NewVersion(
            self._vault,
            self._registration,
            policy,
            self._in_use,
            dry_run=target.options.dry_run,
            again=again,
        )

    def plan(self) -> Plan:
        """The new version is registered before it is used, and the old key deleted last."""
        target, vault, version = self._target, self._vault, self._version
        restarted = RestartedApp(target, version.thumbprint, self._in_use)
        steps: tuple[Step, ...] = (
            BotType(target, {USER_ASSIGNED_MSI: NO_REGISTRATION}),
            DeployedCode(target),
            UnclaimedApp(target, lambda: {target.app_id}),
            VaultAccess(target, vault, writes=lambda: True),
            version,
            RegisteredCertificate(
                self._registration, version.newest, vault=vault.vault, name=vault.name
            ),
            AppSettings(target, lambda current: extended_pin(current, version.thumbprint())),
            *((restarted,) if self._restart else ()),
            ProvenSignIn(target, self._expected, if_slow=IF_SLOW),
            WithdrawnCertificates(
                self._registration,
                vault,
                version.thumbprint,
                self._in_use,
                dry_run=target.options.dry_run,
            ),
        )
        return Plan(
            steps,
            way_back=unless_refused(
                "the older versions stay in the vault: their public keys can be added again"
            ),
        )

    def _expected(self) -> Mapping[str, str]:
        return {
            "kind": self._kind.name,
            "appId": self._target.app_id,
            "certificateThumbprint": self._version.thumbprint(),
        }
