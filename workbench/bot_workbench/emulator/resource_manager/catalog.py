"""Catalog: the resource types of the local Azure, and which of them answers a request."""

from collections.abc import Callable, Iterator

from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.resource_manager.authorization.access import Access
from bot_workbench.emulator.resource_manager.authorization.principals import Principals
from bot_workbench.emulator.resource_manager.authorization.role_assignments import RoleAssignments
from bot_workbench.emulator.resource_manager.authorization.role_definitions import RoleDefinitions
from bot_workbench.emulator.resource_manager.bot_service import connections
from bot_workbench.emulator.resource_manager.bot_service.bots import Bots
from bot_workbench.emulator.resource_manager.bot_service.channels import BotChannels
from bot_workbench.emulator.resource_manager.bot_service.connections import BotConnections
from bot_workbench.emulator.resource_manager.core.arm_error import ArmError
from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest
from bot_workbench.emulator.resource_manager.core.resource import Resource, ResourceStore
from bot_workbench.emulator.resource_manager.core.resource_type import Changed, ResourceType
from bot_workbench.emulator.resource_manager.resources.deployments import Deployments
from bot_workbench.emulator.resource_manager.resources.identities import (
    Identities,
    SystemIdentities,
)
from bot_workbench.emulator.resource_manager.resources.identity_credentials import (
    IdentityCredentials,
)
from bot_workbench.emulator.resource_manager.resources.monitoring import (
    COMPONENTS,
    WORKSPACES,
    Components,
    Workspaces,
)
from bot_workbench.emulator.resource_manager.resources.service_tags import service_tags
from bot_workbench.emulator.resource_manager.resources.storage_accounts import StorageAccounts
from bot_workbench.emulator.resource_manager.resources.vaults import AccessPolicies, Vaults
from bot_workbench.emulator.resource_manager.tenancy.provider_types import (
    PROVIDER_TYPES,
    unknown_type,
)
from bot_workbench.emulator.resource_manager.tenancy.resource_tags import ResourceTags
from bot_workbench.emulator.resource_manager.web import plans
from bot_workbench.emulator.resource_manager.web.site_config import PublishingPolicies, SiteConfig
from bot_workbench.emulator.resource_manager.web.site_functions import SiteFunctions
from bot_workbench.emulator.resource_manager.web.site_identity import SiteIdentities
from bot_workbench.emulator.resource_manager.web.sites import SITES, SLOTS, Sites

Answer = Callable[[ArmRequest], ArmReply]


class Catalog:
    """Finds what answers a request for a resource.

    Args:
        store: of all resources.
        tenant_id: GUID.
        on_site, on_vault, on_identity, on_bot: called after each write, and after a delete.
        directory: has the principals.

    Attributes:
        access: who may do what.
        roles, assignments, identities, vaults, storage: types with switches of their own.
        bots, channels: Azure Bots and their channels.
        sites, slots, functions: sites, their slots, and the functions of sites.
        site_identities: makes the identity of sites.
    """

    def __init__(
        self,
        store: ResourceStore,
        tenant_id: str,
        *,
        on_site: Changed,
        on_vault: Changed,
        on_identity: Changed,
        on_bot: Changed,
        directory: Directory,
    ) -> None:
        self._store = store
        self._on_bot = on_bot
        self.roles = RoleDefinitions(store)
        self.access = Access(store, self.roles)
        self.identities = Identities(store, tenant_id, on_identity)
        principals = Principals(directory, self.identities)
        self.assignments = RoleAssignments(store, self.roles, self.access.owners, principals)
        self.bots = Bots(store, tenant_id, self._bot_changed)
        self.channels = BotChannels(store)
        self.vaults = Vaults(store, on_vault)
        self.storage = StorageAccounts(store)
        self.site_identities = SiteIdentities(store, self.access, tenant_id)
        self.sites = Sites(SITES, store, self.site_identities, on_site)
        self.slots = Sites(SLOTS, store, self.site_identities, on_site)
        self.functions = SiteFunctions(f"{SITES}/functions", store, self.sites)
        self._types = {each.name.lower(): each for each in (*self._generic(), *self._known())}
        self._answers = self._provider_answers()
        store.on_remove = lambda resource: self._types[resource.type.lower()].removed(resource)

    def _generic(self) -> Iterator[ResourceType]:
        """Every type, as if it had no rules."""
        for namespace, types in PROVIDER_TYPES.items():
            for name, found in types.items():
                made = ResourceType(f"{namespace}/{name}", self._store)
                made.tracked = found.has_location
                yield made

    def _known(self) -> list[ResourceType]:
        """The types with rules of their own."""
        below_sites = [
            made
            for owner in (self.sites, self.slots)
            for made in (
                SiteFunctions(f"{owner.name}/host", self._store, owner),
                SiteConfig(f"{owner.name}/config", self._store, owner),
                PublishingPolicies(f"{owner.name}/basicPublishingCredentialsPolicies", self._store),
            )
        ]
        return [
            self.roles,
            self.assignments,
            ResourceTags(self._store),
            Deployments(self._store),
            self.identities,
            IdentityCredentials(self._store),
            SystemIdentities(self._store),
            self.bots,
            self.channels,
            BotConnections(self._store),
            self.vaults,
            AccessPolicies(self._store, self.vaults),
            self.storage,
            Components(COMPONENTS, self._store),
            Workspaces(WORKSPACES, self._store),
            plans.Plans(plans.PLANS, self._store),
            self.sites,
            self.slots,
            self.functions,
            SiteFunctions(f"{SLOTS}/functions", self._store, self.slots),
            *below_sites,
        ]

    def _provider_answers(self) -> dict[tuple[str, str], Answer]:
        """The provider's answers beside resources, by method and path in lower case."""
        deleted = "microsoft.keyvault/locations/deletedvaults"
        return {
            ("POST", "microsoft.botservice/checknameavailability"): self.bots.check_name,
            ("GET", "microsoft.botservice/checknameavailability"): self.bots.check_name,
            ("POST", "microsoft.botservice/listauthserviceproviders"): connections.providers,
            ("POST", "microsoft.keyvault/checknameavailability"): self.vaults.check_name,
            ("GET", "microsoft.keyvault/deletedvaults"): self.vaults.list_deleted,
            ("GET", deleted): self.vaults.get_deleted,
            ("POST", f"{deleted}/purge"): self.vaults.purge,
            ("GET", "microsoft.network/locations/servicetags"): service_tags,
            ("POST", "microsoft.storage/checknameavailability"): self.storage.check_name,
            ("GET", "microsoft.web/functionappstacks"): plans.stacks,
            ("GET", "microsoft.web/georegions"): plans.regions,
            ("GET", "microsoft.web/locations/functionappstacks"): plans.stacks,
        }

    def _bot_changed(self, bot: Resource) -> None:
        if bot.id in self._store:
            self.channels.add_defaults(bot)
        self._on_bot(bot)

    def _type(self, name: str, request: ArmRequest) -> ResourceType:
        """The resource type of a name in any case.

        Raises:
            ArmError: 404, the provider or the type is unknown.
        """
        found = self._types.get(name.lower())
        if found is None:
            raise unknown_type(name, request.query.get("api-version", ""))
        return found

    def is_provider_call(self, request: ArmRequest) -> bool:
        """Whether a provider answers it beside its resources."""
        return (request.method, request.id.type.lower()) in self._answers

    def is_action(self, request: ArmRequest) -> bool:
        """Whether the path ends in an action."""
        return request.method == "POST" and request.id.is_collection

    def answer(self, request: ArmRequest) -> ArmReply:
        """Carry a request out.

        Raises:
            ArmError: the resource provider refuses it.
        """
        own = self._answers.get((request.method, request.id.type.lower()))
        if own is not None:
            return own(request)
        if self.is_action(request):
            owner = self._type(request.id.parent.type, request)
            return owner.act(request, request.id.last.lower())
        found = self._type(request.id.type, request)
        if request.id.is_collection:
            if request.method == "GET":
                return found.list_all(request)
            raise _not_allowed(request)
        answers: dict[str, Answer] = {
            "GET": found.get,
            "PUT": found.put,
            "PATCH": found.patch,
            "DELETE": found.delete,
            "HEAD": self._head,
        }
        if request.method not in answers:
            raise _not_allowed(request)
        return answers[request.method](request)

    def _head(self, request: ArmRequest) -> ArmReply:
        return ArmReply(status=204 if request.id.text in self._store else 404)


def _not_allowed(request: ArmRequest) -> ArmError:
    return ArmError(
        405,
        "MethodNotAllowed",
        f"The request method '{request.method}' is not allowed for '{request.id.text}'.",
    )
