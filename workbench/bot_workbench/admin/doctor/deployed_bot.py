"""DeployedBot: everything that the doctor reads of a bot, each part in a thread of its own."""

from collections.abc import Mapping
from functools import partial

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.doctor.background_read import BackgroundRead
from bot_workbench.admin.doctor.parts.answers import AppAnswers, read_answers
from bot_workbench.admin.doctor.parts.directory import DirectoryPart, read_directory
from bot_workbench.admin.doctor.parts.identities import identity_of, read_identities
from bot_workbench.admin.doctor.parts.logs import Logs, Monitoring, read_logs, read_monitoring
from bot_workbench.admin.doctor.parts.resources import (
    NamedResource,
    VaultPart,
    read_storage,
    read_vault,
)
from bot_workbench.admin.doctor.parts.roles import RolePart, read_roles
from bot_workbench.admin.doctor.parts.storage_queues import read_queues
from bot_workbench.admin.doctor.setting_rules import refused
from bot_workbench.admin.migrate.status.parts.app import settings_status
from bot_workbench.admin.migrate.steps.assigned_identity import AppIdentity, identities_of
from bot_workbench.admin.plan.setting_names import STORAGE
from bot_workbench.admin.plan.site_settings import SiteSettings
from bot_workbench.admin.plan.target import Target, type_of

READER = "Reader on the resource group"
CONTRIBUTOR = (
    "Website Contributor on the app (in a pipeline, the doctor's role of docs/pipelines.md)"
)


class DeployedBot:
    """A bot and its app, as they were when the doctor looked.

    Args:
        target: the bot and its app.
        bot: the Azure Bot.
        site: the app.

    Attributes:
        target, bot, site: as given.
        channels: the Azure Bot's, with their settings.
        settings: the app settings; they hold secret values.
        web: the app's configuration.
        publishing: whether publishing with a password is allowed, by "scm" and "ftp".
        identities: the client ids of the user-assigned identities, by their resource ids in lower
            case; empty: it was deleted.
        storage: the storage account that the settings name.
        vault: the key vault that the settings name, with the certificate's versions.
        monitoring: Application Insights and its workspace.
        roles: those that the app's identities lack, and those that they have.
        directory: the app registration and the service principal.
        answers: what the app itself answers.
        logs: the last 24 hours.
        queues: the number of messages by the queue's name.
    """

    def __init__(self, target: Target, bot: JsonObject, site: JsonObject) -> None:
        self.target, self.bot, self.site = target, bot, site
        azure, app = target.azure, str(site["id"])
        arm, group = azure.arm, target.site_id
        self.channels = BackgroundRead(
            "the bot's channels", lambda: list(arm.pages(f"{bot['id']}/channels")), READER
        )
        self.settings = BackgroundRead(
            "the app settings", lambda: dict(SiteSettings.read(arm, app).values), CONTRIBUTOR
        )
        self.web = BackgroundRead(
            "the app's configuration", lambda: arm.get(f"{app}/config/web"), READER
        )
        self.publishing = BackgroundRead(
            "the app's publishing policies", lambda: _publishing(azure, app), READER
        )
        self.identities = BackgroundRead(
            "the app's identities", lambda: read_identities(arm, self.assigned, group), READER
        )
        self.storage: BackgroundRead[NamedResource] = BackgroundRead(
            "the storage account", lambda: read_storage(azure, group, self.known), READER
        )
        self.vault: BackgroundRead[VaultPart] = BackgroundRead(
            "the key vault",
            lambda: read_vault(azure, group, self.known),
            "Reader on the vault, and Key Vault Reader to see its certificates",
        )
        self.monitoring: BackgroundRead[Monitoring] = BackgroundRead(
            "Application Insights", lambda: read_monitoring(arm, group, self.known), READER
        )
        self.roles: BackgroundRead[RolePart] = BackgroundRead(
            "the roles of the app's identity", self._roles, READER
        )
        self.directory: BackgroundRead[DirectoryPart] = BackgroundRead(
            "the app registration",
            partial(read_directory, azure.graph, self.app_id, type_of(bot)),
            "Directory Readers in Entra (a pipeline: Application.Read.All)",
        )
        self.answers: BackgroundRead[AppAnswers] = BackgroundRead(
            "the app's own answers", lambda: read_answers(azure, site), CONTRIBUTOR
        )
        self.logs: BackgroundRead[Logs | None] = BackgroundRead(
            "the last 24 hours",
            lambda: read_logs(azure.logs, self.monitoring),
            "Log Analytics Reader on the workspace",
        )
        self.queues: BackgroundRead[dict[str, int]] = BackgroundRead(
            "the queues", lambda: read_queues(arm, self.storage), READER
        )

    @property
    def reads(self) -> list[BackgroundRead[object]]:
        """All of them, in the order in which they are reported."""
        return [each for each in vars(self).values() if isinstance(each, BackgroundRead)]

    @property
    def app_id(self) -> str:
        """The bot's id (GUID)."""
        return str(self.bot["properties"]["msaAppId"])

    @property
    def app_name(self) -> str:
        """The Function App's name."""
        return self.target.site_id.name

    @property
    def assigned(self) -> list[AppIdentity]:
        """The user-assigned identities of the app."""
        return identities_of(self.site)

    @property
    def known(self) -> Mapping[str, str]:
        """The app settings without key vault references, whose values only the app sees, and
        without those that the bot's rules refuse, each of which is a finding; waits for them. As
        the bot reads them, they have no white space around them, but for those that the Functions
        host reads, too.

        Raises:
            Unread: they could not be read.
        """
        values = self.settings.require()
        unknown = {*settings_status(values).references, *refused(values)}
        return {
            name: value if name.startswith(STORAGE) else value.strip()
            for name, value in values.items()
            if name not in unknown
        }

    @property
    def known_if_read(self) -> Mapping[str, str]:
        """The same; empty if they could not be read."""
        return self.known if self.settings.value is not None else {}

    @property
    def identity(self) -> AppIdentity | None:
        """The identity that the bot works with; None if that is not clear."""
        return identity_of(self.site, self.known_if_read)

    @property
    def is_flex(self) -> bool:
        """Whether the app runs on Flex Consumption."""
        return bool(self.site["properties"].get("functionAppConfig"))

    @property
    def resolves_references(self) -> bool:
        """Whether the app has the identity with which it reads key vault references. Microsoft
        reference: "Use Key Vault references", `keyVaultReferenceIdentity`."""
        named = str(self.site["properties"].get("keyVaultReferenceIdentity") or "")
        if named.startswith("/"):
            return named.lower() in {one.id.lower() for one in self.assigned}
        return bool((self.site.get("identity") or {}).get("principalId"))

    def _roles(self) -> RolePart:
        return read_roles(
            self.target.azure.arm,
            self.site,
            identity_of(self.site, self.known),
            self.known,
            self.storage,
            self.vault,
            self.monitoring,
        )


def _publishing(azure: AzureClients, app: str) -> dict[str, bool]:
    path = f"{app}/basicPublishingCredentialsPolicies"
    return {
        str(one["id"]).rpartition("/")[2]: one["properties"]["allow"] is not False
        for one in azure.arm.pages(path)
    }
