"""AzureBot and DeployedBot: everything that is read of a bot, each part beside the others."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot_workbench.admin.azure.arm_client import BOT, IDENTITY, VAULT
from bot_workbench.admin.azure.errors import AzureProblem
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import find_resource, resources_beside
from bot_workbench.admin.azure.services import IdentityAnswer
from bot_workbench.admin.migrate.deployed_bot.app_settings import (
    AUTHENTICATION,
    CERTIFICATE_NAME,
    VAULT_URL,
    identity_of,
    references_in,
    storage_identities,
    system_identity,
    telemetry_identity,
)
from bot_workbench.admin.migrate.deployed_bot.read import read
from bot_workbench.admin.migrate.deployed_bot.resources import (
    Monitoring,
    NamedResource,
    NamedVault,
    certificate_versions,
    enabled,
    read_monitoring,
    read_storage,
    read_vault,
)
from bot_workbench.admin.migrate.managed_identity.replaced_bot import REPLACED_BY
from bot_workbench.admin.migrate.steps.azure_bot import tags_of
from bot_workbench.admin.migrate.steps.identity import AppIdentity, identities_of
from bot_workbench.admin.migrate.steps.roles import (
    STORAGE_BLOB_DATA_OWNER,
    STORAGE_QUEUE_DATA_CONTRIBUTOR,
    AssignedRole,
    Role,
    read_assigned_roles,
    role_assignment,
    vault_roles,
)
from bot_workbench.admin.plan.settings import STORAGE, credential_kind, setting
from bot_workbench.admin.plan.step import Finding, Step
from bot_workbench.admin.plan.target import ENDPOINT_PATH, Target, endpoint_of, type_of
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

READER = "Reader on the resource group"
CONTRIBUTOR = (
    "Website Contributor on the app (in a pipeline, the doctor's role of docs/pipelines.md)"
)

METRICS_PUBLISHER = Role(
    "Monitoring Metrics Publisher",
    "3913510d-42f4-4e42-8a64-420c390055eb",
    frozenset({"Microsoft.Insights/Telemetry/Write"}),
)

NOTIFICATIONS_QUEUE = "bot-notifications"
QUEUES = ("bot-turns", NOTIFICATIONS_QUEUE)
POISON = "-poison"

QUERY = Path(__file__).with_name("last-day.kql")
COMPONENT_ID = "COMPONENT_ID"
"""The query's placeholder for the resource id of the component."""

RoleTarget = Literal["storage account", "certificate", "telemetry"]


@dataclass(frozen=True)
class Directory:
    """The bot's objects in Entra.

    Attributes:
        principal: the service principal of the app registration or of the managed identity; empty:
            there is none.
        application: the app registration with its credentials; empty: there is none.
        federated: its federated credentials.
        deleted: a registration of this id that was deleted and can be restored; else empty.
    """

    principal: JsonObject
    application: JsonObject
    federated: tuple[JsonObject, ...] = ()
    deleted: JsonObject | None = None


@dataclass(frozen=True)
class AppAnswers:
    """What the app itself answers.

    Attributes:
        health: the HTTP status of `/api/health`; 0: no answer.
        problem: why there is none; empty: there is.
        identity: the answer of `/api/identity`.
        unauthenticated: the HTTP status of a POST to the endpoint without a token; 0: no answer.
        barrier: what keeps every caller out before the bot is asked, with the cure; else empty.
    """

    health: int
    problem: str
    identity: IdentityAnswer
    unauthenticated: int = 0
    barrier: str = ""


@dataclass(frozen=True)
class Roles:
    """The roles of the app's identities.

    Attributes:
        needed: for each that the settings make them need, on what, and whether they have it.
        assigned: those that the bot's identity has, in the app's subscription.
    """

    needed: tuple[tuple[RoleTarget, Finding], ...]
    assigned: tuple[AssignedRole, ...]


class AzureBot:
    """An Azure Bot, and what belongs to it in Entra.

    Args:
        target: names the bot.
        bot: the Azure Bot, as Resource Manager returns it.

    Attributes:
        target, bot: as given.
        endpoint: URL; empty: it has none.
        app_id: the bot's id (GUID).
        app_type: SingleTenant, MultiTenant or UserAssignedMSI.
        tenant_id: its tenant (GUID); may be empty.
        tags: all of them.
    """

    def __init__(self, target: Target, bot: JsonObject) -> None:
        self.target, self.bot, self._azure = target, bot, target.azure
        self.endpoint = endpoint_of(bot)
        self.app_id = str(bot["properties"]["msaAppId"])
        self.app_type = type_of(bot)
        self.tenant_id = str(bot["properties"].get("msaAppTenantId") or "")
        self.tags = tags_of(bot)

    @read("the bot's channels", READER)
    def channels(self) -> list[JsonObject]:
        """The channels, with their settings."""
        return list(self._azure.arm.pages(f"{self.bot['id']}/channels"))

    @read()
    def connections(self) -> list[JsonObject]:
        """The OAuth connections."""
        return list(self._azure.arm.pages(f"{self.bot['id']}/connections"))

    @read("the app registration")
    def application(self) -> JsonObject:
        """The app registration with its credentials; empty: a managed identity has none."""
        return {} if self.app_type == USER_ASSIGNED_MSI else self.target.application()

    @read()
    def federated(self) -> list[JsonObject]:
        """The app registration's federated credentials."""
        found = self.application.require()
        return self._azure.graph.federated_credentials(str(found["id"])) if found else []

    @read()
    def last_sign_ins(self) -> dict[str, str]:
        """The last sign-in (ISO 8601) with a credential, by its key id (lower-case)."""
        return self._azure.graph.last_sign_ins(self.app_id) if self.application.require() else {}

    @read("the app registration", "Directory Readers in Entra (a pipeline: Application.Read.All)")
    def directory(self) -> Directory:
        """All of the bot's objects in the directory."""
        graph = self._azure.graph
        principal = graph.service_principal(self.app_id) or {}
        if self.app_type == USER_ASSIGNED_MSI:
            return Directory(principal, {})
        application = graph.application(self.app_id)
        if application is None:
            return Directory(principal, {}, deleted=graph.deleted_application(self.app_id))
        federated = graph.federated_credentials(str(application["id"]))
        return Directory(principal, application, tuple(federated))

    @read()
    def replacing_id(self) -> str:
        """The app id (GUID) of the Azure Bot that replaces this one; empty: none does."""
        name, arm = self.tags.get(REPLACED_BY, ""), self._azure.arm
        found = arm.get(find_resource(arm, BOT, name).id) if name else {}
        return str(found["properties"]["msaAppId"]) if found else ""


class DeployedBot(AzureBot):
    """An Azure Bot and one of its apps. What a read needs of another one stands above it.

    Args:
        target: the bot and the app.
        bot: the Azure Bot.
        site: the app, as Resource Manager returns it.
        refused: names the settings that the bot's rules refuse; without it, none is.

    Attributes:
        site: as given.
        app: the app's resource id.
        properties: the app's.
        host: its default host name; empty if it has none.
        is_flex: whether it runs on Flex Consumption.
        assigned: its user-assigned identities.
    """

    def __init__(
        self,
        target: Target,
        bot: JsonObject,
        site: JsonObject,
        refused: Callable[[Mapping[str, str]], Collection[str]] = lambda _: (),
    ) -> None:
        super().__init__(target, bot)
        self.site, self.app, self._refused = site, target.site_id, refused
        self.properties: JsonObject = site.get("properties") or {}
        self.host = str(self.properties.get("defaultHostName") or "")
        self.is_flex = bool(self.properties.get("functionAppConfig"))
        self.assigned = identities_of(site)

    @read("the app settings", CONTRIBUTOR)
    def settings(self) -> dict[str, str]:
        """The app settings; they hold secret values."""
        return self.target.settings()

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
        unknown = {*references_in(values), *self._refused(values)}
        return {
            name: value if name.startswith(STORAGE) else value.strip()
            for name, value in values.items()
            if name not in unknown
        }

    @property
    def known_if_read(self) -> Mapping[str, str]:
        """The same; empty if they could not be read."""
        return {} if self.settings.error else self.known

    @property
    def identity(self) -> AppIdentity | None:
        """The identity that the bot works with; None if that is not clear."""
        return identity_of(self.site, self.known_if_read)

    @property
    def resolves_references(self) -> bool:
        """Whether the app has the identity with which it reads key vault references. Microsoft
        reference: "Use Key Vault references", `keyVaultReferenceIdentity`."""
        named = str(self.properties.get("keyVaultReferenceIdentity") or "")
        if named.startswith("/"):
            return named.lower() in {one.id.lower() for one in self.assigned}
        return bool(system_identity(self.site))

    @read("the app's configuration", READER)
    def web(self) -> JsonObject:
        """The app's configuration."""
        return self._azure.arm.get(f"{self.site['id']}/config/web")

    @read("the app's publishing policies", READER)
    def publishing(self) -> dict[str, bool]:
        """Whether publishing with a password is allowed, by "scm" and "ftp"."""
        found = self._azure.arm.pages(f"{self.site['id']}/basicPublishingCredentialsPolicies")
        return {
            str(one["id"]).rpartition("/")[2]: one["properties"]["allow"] is not False
            for one in found
        }

    @read("the app's identities", READER)
    def identities(self) -> dict[str, str]:
        """The client ids (GUID) of the identities' own resources, by id in lower case; empty: it
        was deleted. If the app has none, those of the identities in its group, one of which may be
        its own."""
        arm = self._azure.arm
        own = [one.id for one in self.assigned]
        ids = own or [one.id for one in resources_beside(arm, IDENTITY, self.app)]
        found = {each.lower(): arm.find(each) for each in ids}
        return {
            key: str(one["properties"]["clientId"]) if one else "" for key, one in found.items()
        }

    @read("the storage account", READER)
    def storage(self) -> NamedResource:
        """The storage account that the settings name."""
        return read_storage(self._azure, self.app, self.known)

    @read("the key vault", "Reader on the vault, and Key Vault Reader to see its certificates")
    def vault(self) -> NamedVault:
        """The key vault that the settings name, with the certificate's versions."""
        return read_vault(self._azure, self.app, self.known)

    @read("Application Insights", READER)
    def monitoring(self) -> Monitoring:
        """Application Insights and its workspace."""
        return read_monitoring(self._azure.arm, self.app, self.known)

    @read("the roles of the app's identity", READER)
    def roles(self) -> Roles:
        """What the app's identities may do, and what they must be able to do."""
        identity = identity_of(self.site, self.known)
        if identity is None:
            return Roles((), ())
        needed = tuple((on, each.look()) for on, each in self._needed_roles(identity))
        found = read_assigned_roles(self._azure.arm, self.app, identity.principal_id)
        return Roles(needed, tuple(found))

    @read("the app's own answers", CONTRIBUTOR)
    def answers(self) -> AppAnswers:
        """What the app itself answers; no answer is a finding."""
        sites, endpoint = self._azure.site, f"https://{self.host}{ENDPOINT_PATH}"
        health = f"https://{self.host}/api/health"
        try:
            status = sites.respond("GET", health, None, None).status_code
        except AzureProblem as error:
            return AppAnswers(0, str(error), IdentityAnswer(problem=str(error)))
        identity = self._identity_answer()
        return AppAnswers(status, "", identity, sites.probe(endpoint), sites.barrier(endpoint))

    @read("the last 24 hours", "Log Analytics Reader on the workspace")
    def logs(self) -> Counter[str]:
        """What the component has sent to its workspace in the last 24 hours, by the columns of
        QUERY; empty: there is no workspace to ask."""
        found = self.monitoring.require()
        if found.refusal:
            raise found.refusal
        if not found.workspace:
            return Counter()
        workspace = str(found.workspace["properties"]["customerId"])
        query = QUERY.read_text("utf-8").replace(f"'{COMPONENT_ID}'", f"'{found.component['id']}'")
        row = self._azure.logs.row(workspace, query, "P1D")
        return Counter({column: int(count or 0) for column, count in row.items()})

    @read("the queues", READER)
    def queues(self) -> dict[str, int]:
        """The approximate number of messages by the queue's name; a queue that does not exist has
        none.

        Resource Manager knows it (REST reference, "Queue - Get": `approximateMessageCount`), so
        that no role on the account's data is needed.
        """
        account = self.storage.require()
        names = [each + end for each in QUEUES for end in ("", POISON)] if account.id else []
        paths = {name: f"{account.id}/queueServices/default/queues/{name}" for name in names}
        found = {name: self._azure.arm.find(path) for name, path in paths.items()}
        return {
            name: int(one["properties"].get("approximateMessageCount") or 0)
            for name, one in found.items()
            if one is not None
        }

    @read("the app's sign-in")
    def proof(self) -> IdentityAnswer:
        """The answer of the app's `/api/identity`."""
        return self._identity_answer()

    @read()
    def versions(self) -> list[JsonObject]:
        """The enabled versions of the certificate that the settings name, the newest first."""
        url, name = (setting(self.known_if_read, each) for each in (VAULT_URL, CERTIFICATE_NAME))
        return enabled(certificate_versions(self._azure, url, name)) if url and name else []

    @read()
    def assigned_roles(self) -> list[AssignedRole]:
        """The roles of the identity with which the app signs in, by scope and name."""
        identity = self.identity or system_identity(self.site)
        if identity is None:
            return []
        found = read_assigned_roles(self._azure.arm, self.app, identity.principal_id)
        return sorted(found, key=lambda one: (one.scope, one.name))

    @read()
    def vaults(self) -> list[str]:
        """The names of the key vaults in the app's resource group."""
        return sorted(one.name for one in resources_beside(self._azure.arm, VAULT, self.app))

    def _identity_answer(self) -> IdentityAnswer:
        return self._azure.site.identity(self._azure.arm, str(self.site["id"]), self.host)

    def _needed_roles(self, identity: AppIdentity) -> Iterator[tuple[RoleTarget, Step]]:
        """Each role that the settings make an identity need, with what it is on."""
        account, vault = self.storage.require(), self.vault.require()
        component = self.monitoring.require().component
        for one in storage_identities(self.site, identity, self.known) if account.id else ():
            for role in (STORAGE_BLOB_DATA_OWNER, STORAGE_QUEUE_DATA_CONTRIBUTOR):
                yield "storage account", self._assignment(account.id, role, one)
        kind = credential_kind(self.known)
        if vault.id and vault.certificate and kind and kind.has_certificate:
            for each in vault_roles(
                self._azure.arm,
                vault_id=vault.id,
                certificate=vault.certificate,
                kind=kind,
                principal_id=lambda: identity.principal_id,
                whose=f"the identity {identity.name}",
                identity_id=lambda: identity.id,
            ):
                yield "certificate", each
        writer = telemetry_identity(self.site, setting(self.known, AUTHENTICATION))
        if component and writer:
            yield "telemetry", self._assignment(str(component["id"]), METRICS_PUBLISHER, writer)

    def _assignment(self, scope: str, role: Role, identity: AppIdentity) -> Step:
        return role_assignment(
            self._azure.arm,
            scope=scope,
            role=role,
            principal_id=lambda: identity.principal_id,
            whose=f"the identity {identity.name}",
            identity_id=lambda: identity.id,
        )
