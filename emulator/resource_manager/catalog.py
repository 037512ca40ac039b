"""Catalog: the resource types of the local Azure, and which of them answers a request."""

from emulator.resource_manager.authorization.access import Access
from emulator.resource_manager.authorization.role_assignments import RoleAssignments
from emulator.resource_manager.authorization.role_definitions import RoleDefinitions
from emulator.resource_manager.bot_service.bots import Bots
from emulator.resource_manager.core.arm_error import ArmError
from emulator.resource_manager.core.arm_request import ArmReply, ArmRequest
from emulator.resource_manager.core.resource import ResourceStore
from emulator.resource_manager.core.resource_type import Changed, ResourceType
from emulator.resource_manager.resources.identities import Identities
from emulator.resource_manager.tenancy.subscription import PROVIDERS
from emulator.resource_manager.web.site_keys import SiteKeys
from emulator.resource_manager.web.sites import SITES, Sites, SiteSettings


class Catalog:
    """Finds what answers a request for a resource.

    Attributes:
        access: who may do what.
        identities, bots, sites, site_keys, assignments: types with state of their own.
    """

    def __init__(
        self,
        store: ResourceStore,
        tenant_id: str,
        *,
        on_site: Changed,
        on_vault: Changed,
        on_identity: Changed,
    ) -> None:
        self._store = store
        self.roles = RoleDefinitions(store)
        self.access = Access(store, self.roles)
        self.identities = Identities(store, tenant_id, on_identity)
        self.assignments = RoleAssignments(store, self.roles, self.identities.age)
        self.bots = Bots(store, tenant_id)
        self.sites = Sites(SITES, store, tenant_id, on_site)
        self.site_keys = SiteKeys(f"{SITES}/functions", store, self.sites)
        known = [
            self.roles,
            self.assignments,
            self.identities,
            self.bots,
            self.sites,
            self.site_keys,
            SiteKeys(f"{SITES}/host", store, self.sites),
            SiteSettings(f"{SITES}/config", store, self.sites),
        ]
        self._types = {each.name.lower(): each for each in known}

    def type(self, name: str) -> ResourceType:
        """The resource type of a name in any case.

        Raises:
            ArmError: 404, the provider is unknown.
        """
        found = self._types.get(name.lower())
        if found is None:
            found = ResourceType(_canonical(name), self._store)
            self._types[name.lower()] = found
        return found

    def is_action(self, request: ArmRequest) -> bool:
        """Whether the path ends in an action."""
        return request.method == "POST" and request.id.is_collection

    def answer(self, request: ArmRequest) -> ArmReply:
        """Carry a request out.

        Raises:
            ArmError: the resource provider refuses it.
        """
        if self.is_action(request):
            owner = self.type(request.id.parent.type)
            return owner.act(request, request.id.last.lower())
        found = self.type(request.id.type)
        if request.id.is_collection:
            if request.method == "GET":
                return found.list_all(request)
            raise _not_allowed(request)
        answers = {
            "GET": found.get,
            "PUT": found.put,
            "PATCH": found.patch,
            "DELETE": found.delete,
        }
        if request.method == "HEAD":
            return ArmReply(status=204 if request.id.text in self._store else 404)
        if request.method not in answers:
            raise _not_allowed(request)
        return answers[request.method](request)


def _canonical(name: str) -> str:
    namespace, _, rest = name.partition("/")
    for known, types in PROVIDERS.items():
        if known.lower() == namespace.lower():
            names = {each.lower(): each for each in types}
            return f"{known}/{names.get(rest.lower(), rest)}"
    raise ArmError(
        404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid."
    )


def _not_allowed(request: ArmRequest) -> ArmError:
    return ArmError(
        405,
        "MethodNotAllowed",
        f"The request method '{request.method}' is not allowed for '{request.id.text}'.",
    )
