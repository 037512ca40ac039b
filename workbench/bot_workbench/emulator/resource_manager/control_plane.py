"""ResourceManager: Azure Resource Manager of the local cloud, `management.azure.com`."""

import json
import logging
import re
import ssl
import uuid
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web

from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.resource_manager.authorization.access import (
    ROLE_ASSIGNMENTS,
    action_of,
    linked,
)
from bot_workbench.emulator.resource_manager.authorization.role_definitions import ROLE_DEFINITIONS
from bot_workbench.emulator.resource_manager.callers import ArmCallers
from bot_workbench.emulator.resource_manager.catalog import Catalog
from bot_workbench.emulator.resource_manager.core.arm_error import (
    ArmError,
    bad_request,
    fault,
    internal_error,
    invalid_content,
)
from bot_workbench.emulator.resource_manager.core.arm_request import (
    PAGE_SIZE,
    ArmCaller,
    ArmReply,
    ArmRequest,
)
from bot_workbench.emulator.resource_manager.core.body_shape import check_shape
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_id import GROUP_TYPE, ResourceId
from bot_workbench.emulator.resource_manager.core.resource_type import Changed
from bot_workbench.emulator.resource_manager.long_running import LongRunning
from bot_workbench.emulator.resource_manager.resources.identities import system_client_id
from bot_workbench.emulator.resource_manager.tenancy.provider_types import check_version
from bot_workbench.emulator.resource_manager.tenancy.subscription import (
    Subscription,
    cloud_endpoints,
)
from bot_workbench.emulator.resource_manager.tenancy.tenant import Tenant
from bot_workbench.emulator.resource_manager.throttle import READ_BUCKET, READS_PER_SECOND, Throttle
from bot_workbench.emulator.resource_manager.web.site_functions import Functions
from bot_workbench.emulator.server import Server

LOG = logging.getLogger("bot_workbench.emulator.resource_manager")

OPERATIONS = {"PUT": "write", "PATCH": "write", "POST": "write", "DELETE": "delete"}
"""The kind as which Resource Manager counts a method; the others are reads."""

API_VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}(-[a-z]+)?$")
SYSTEM_PRINCIPAL = "systemPrincipal"
"""Where a site keeps the principal id of its system-assigned identity."""

RIGHTS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


def _nothing(_: Resource) -> None:
    """A hook that does nothing."""


class ResourceManager:
    """Resources, their providers, and role-based access control.

    Args:
        entra: signs its callers' tokens; its registration's tenant is the subscriptions'.
        tls: the server side of TLS.

    Attributes:
        resources: everything that exists.
        catalog: the resource types, and what they can do.
        access: who may do what.
        throttle: of writes and of deletes, by subscription and caller.
        read_throttle: the same of reads.
        long_running: which writes are answered before they end.
        page_size: maximum number of items in one response.
        on_site_change, on_vault_change, on_identity_change, on_bot_change: called after each write
            of such a resource, of a site's settings, too, and after a delete, when the resource is
            no longer in `resources`.
    """

    def __init__(self, entra: Entra, tls: ssl.SSLContext) -> None:
        self.entra = entra
        self.tenant_id = entra.registration.tenant_id
        self.resources = ResourceStore()
        self.on_site_change: Changed = _nothing
        self.on_vault_change: Changed = _nothing
        self.on_identity_change: Changed = _nothing
        self.on_bot_change: Changed = _nothing
        self.catalog = Catalog(
            self.resources,
            self.tenant_id,
            on_site=self._site_changed,
            on_vault=self._vault_changed,
            on_identity=self._identity_changed,
            on_bot=self._bot_changed,
            directory=entra.directory,
        )
        self.access = self.catalog.access
        self.tenant = Tenant(self.tenant_id, self.resources, self.access)
        self.throttle = Throttle()
        self.read_throttle = Throttle(READ_BUCKET, READS_PER_SECOND)
        self.long_running = LongRunning()
        self.page_size = PAGE_SIZE
        self._callers = ArmCallers(entra, self.tenant_id)
        self.server = Server("resource-manager", [web.route("*", "/{path:.*}", self._handle)], tls)
        self.server.faults.error = fault

    @property
    def subscriptions(self) -> list[Subscription]:
        """The tenant's; more may be added."""
        return self.tenant.subscriptions

    @property
    def subscription_id(self) -> str:
        """GUID of the first subscription."""
        return self.subscriptions[0].id

    @property
    def owners(self) -> set[str]:
        """Object ids (GUID) that are Owner of every subscription."""
        return self.access.owners

    def is_data_allowed(self, principal_id: str, action: str, scope: str) -> bool:
        """Whether a principal may perform a data action.

        Args:
            principal_id: GUID, the object id.
            action: such as `Microsoft.KeyVault/vaults/keys/sign/action`.
            scope: id of a resource, or of an object in a vault (`.../vaults/NAME/keys/KEY`).
        """
        return self.access.is_data_allowed(principal_id, action, scope)

    def app_settings(self, site_id: str) -> dict[str, str]:
        """The application settings of a site or slot."""
        return self.catalog.sites.settings(site_id)

    def function_key(self, site_id: str, function: str) -> str:
        """The default key of a function, which its callers send as `x-functions-key`."""
        return self.catalog.functions.function_key(site_id, function)

    def host_key(self, site_id: str) -> str:
        """The default host key of a site, which is valid for all its functions."""
        return self.catalog.functions.host_key(site_id)

    def deploy_functions(self, site_id: str, functions: Functions) -> None:
        """Replace the functions of a site, as a deployment of code does."""
        self.catalog.functions.deploy(site_id, functions)

    def master_key(self, site_id: str) -> str:
        """The master key of a site, which is valid for its host's own routes, too."""
        return self.catalog.functions.master_key(site_id)

    def put(self, resource_id: str, body: JsonObject) -> Resource:
        """Create or replace a resource as a client's PUT does, whoever calls.

        The resource group is created where it does not exist.

        Raises:
            ArmError: the resource provider refuses it.
        """
        wanted = ResourceId(resource_id)
        if wanted.group_id and wanted.group_id not in self.resources and wanted.namespace:
            group = resource_id[: len(wanted.group_id)]
            self.put(group, {"location": "westeurope"})
        request = ArmRequest("PUT", wanted, {}, body, ArmCaller("", ""), "")
        self._answer(request)
        found = self.resources.find(resource_id)
        if found is None:
            raise KeyError(resource_id)
        return found

    def _identity_changed(self, identity: Resource) -> None:
        """Give an identity its service principal, or take it away."""
        if self.resources.is_trial:
            return
        properties = identity.properties
        if identity.id in self.resources:
            self._add_principal(identity, properties["principalId"], properties["clientId"])
        else:
            self.entra.directory.identities.pop(properties["principalId"], None)
        self.on_identity_change(identity)

    def _site_changed(self, site: Resource) -> None:
        """Give a system-assigned identity its service principal, or take it away."""
        if self.resources.is_trial:
            return
        identity = site.body.get("identity") or {}
        principal_id = identity.get("principalId") if site.id in self.resources else None
        old = site.hidden.get(SYSTEM_PRINCIPAL)
        if old and old != principal_id:
            self.entra.directory.identities.pop(old, None)
        if principal_id and principal_id != old:
            self._add_principal(site, principal_id, system_client_id(principal_id))
        site.hidden[SYSTEM_PRINCIPAL] = principal_id
        self.on_site_change(site)

    def _vault_changed(self, vault: Resource) -> None:
        if not self.resources.is_trial:
            self.on_vault_change(vault)

    def _bot_changed(self, bot: Resource) -> None:
        if not self.resources.is_trial:
            self.on_bot_change(bot)

    def _add_principal(self, resource: Resource, principal_id: str, client_id: str) -> None:
        self.entra.directory.add_identity(
            principal_id, client_id, display_name=resource.name, resource_id=resource.id
        )

    async def _handle(self, request: web.Request) -> web.Response:
        headers = {"x-ms-request-id": str(uuid.uuid4()), "Cache-Control": "no-cache"}
        headers["x-ms-correlation-request-id"] = headers["x-ms-request-id"]
        try:
            if request.path.lower() == "/metadata/endpoints":
                return web.json_response(self._endpoints(request), headers=headers)
            reply = self._reply(await self._read(request), headers)
        except ArmError as error:
            headers |= error.headers
            return web.json_response(error.body(), status=error.status, headers=headers)
        except Exception:
            LOG.exception("%s %s failed", request.method, request.path)
            failure = internal_error()
            return web.json_response(failure.body(), status=failure.status, headers=headers)
        headers |= reply.headers
        if reply.xml:
            return web.Response(
                status=reply.status, text=reply.xml, content_type="application/xml", headers=headers
            )
        if reply.body is None:
            return web.Response(status=reply.status, headers=headers)
        return web.json_response(reply.body, status=reply.status, headers=headers)

    def _endpoints(self, request: web.Request) -> Any:
        authority = self.entra.authority.url
        here = cloud_endpoints(authority, f"https://{request.host}")
        return [here] if request.query.get("api-version", "") >= "2019" else here

    async def _read(self, request: web.Request) -> ArmRequest:
        caller = self._callers.caller(request.headers)
        query = {name.lower(): value for name, value in request.query.items()}
        version = query.get("api-version", "")
        if not version:
            raise bad_request(
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            )
        if not API_VERSION.match(version):
            raise bad_request(
                "InvalidApiVersionParameter",
                f"The api-version '{version}' is invalid. The supported versions are of the form "
                "'yyyy-MM-dd' or 'yyyy-MM-dd-preview'.",
            )
        path = "/" + re.sub("/+", "/", request.path).strip("/")
        return ArmRequest(
            request.method,
            ResourceId(path),
            query,
            await _body(request),
            caller,
            f"https://{request.host}",
        )

    def _reply(self, request: ArmRequest, headers: dict[str, str]) -> ArmReply:
        self.long_running.settle()
        self.tenant.check_subscription(request)
        asked = self.long_running.asked(request)
        if asked is not None:
            return asked
        self._check_access(request)
        if self.tenant.find(request) is None:
            check_version(request)
        headers |= self._throttled(request)
        if request.method in ("PUT", "PATCH") and request.id.namespace:
            self.tenant.check_registered(request.id.namespace)
        if request.method in OPERATIONS:
            return self._written(request)
        reply = self._answer(request)
        return self._paged(request, self._visible(request, self.long_running.shown(request, reply)))

    def _throttled(self, request: ArmRequest) -> dict[str, str]:
        """Count a request, and say how many of its kind are left."""
        operation = OPERATIONS.get(request.method, "read")
        throttle = self.read_throttle if operation == "read" else self.throttle
        scope = "subscription" if request.id.subscription_id else "tenant"
        key = f"{operation}/{request.id.subscription_id}/{request.caller.object_id}".lower()
        left = throttle.take(key, operation)
        return {f"x-ms-ratelimit-remaining-{scope}-{operation}s": str(left)}

    def _written(self, request: ArmRequest) -> ArmReply:
        """Carry a write out; one that takes time is tried now, so that it can be refused."""
        if not self.long_running.is_operation(request):
            return self.long_running.written(request, self._answer(request))
        with self.resources.trial():
            reply = self._answer(request)
        return self.long_running.started(request, reply, lambda: self._answer(request))

    def _check_access(self, request: ArmRequest) -> None:
        if not request.id.subscription_id:
            self._check_tenant_level(request)
            return
        # These show what the caller may see.
        is_group = request.id.type == GROUP_TYPE and not request.id.is_collection
        is_listing = self._is_subscription_list(request) or (
            request.method == "GET" and self.tenant.find(request) is not None and not is_group
        )
        subscription = f"/subscriptions/{request.id.subscription_id}"
        if is_listing and self.access.reaches(request.caller.object_id, subscription):
            return
        self.access.check(request.caller, *self._needed(request))
        if request.method in ("PUT", "PATCH"):
            self.access.check_linked(request.caller, self._needed(request), linked(request.body))

    @staticmethod
    def _is_subscription_list(request: ArmRequest) -> bool:
        """A list of one type in all groups of a subscription. Role assignments are not listed so:
        they need a role at the scope that is named."""
        if request.id.type.lower() == ROLE_ASSIGNMENTS.lower():
            return False
        is_list = request.method == "GET" and request.id.is_collection and request.id.namespace
        return bool(is_list) and not request.id.group_name

    def _visible(self, request: ArmRequest, reply: ArmReply) -> ArmReply:
        """A list without the resources that the caller may not read."""
        if not self._is_subscription_list(request) or self.catalog.is_provider_call(request):
            return reply
        caller, action = request.caller.object_id, f"{request.id.type}/read"
        is_public = action.lower() == f"{ROLE_DEFINITIONS}/read".lower()
        values = [
            each
            for each in reply.body["value"]
            if is_public or self.access.is_allowed(caller, action, each["id"])
        ]
        return ArmReply({**reply.body, "value": values}, reply.status, reply.headers)

    def _check_tenant_level(self, request: ArmRequest) -> None:
        """Outside a subscription, there are only what providers answer, and roles to read."""
        if self.tenant.find(request) is not None or self.catalog.is_provider_call(request):
            return
        if request.method == "GET" and request.id.type.lower() == ROLE_DEFINITIONS.lower():
            return
        raise ArmError(
            404,
            "MissingSubscription",
            "The request did not have a subscription or a valid tenant level resource provider.",
        )

    def _needed(self, request: ArmRequest) -> tuple[str, str]:
        """The action that the caller must be allowed, and its scope."""
        owner = request.id.parent.text
        if self.catalog.is_action(request):
            return f"{request.id.parent.type}/{request.id.last}/action", owner
        scope = request.id.text
        if request.id.is_collection:
            scope = owner if request.id.is_child else request.id.scope
        return action_of(request.id.type, RIGHTS.get(request.method, "action")), scope

    def _answer(self, request: ArmRequest) -> ArmReply:
        answer = self.tenant.find(request)
        if answer is not None:
            return answer(request)
        return self.catalog.answer(request)

    def _paged(self, request: ArmRequest, reply: ArmReply) -> ArmReply:
        """A list's page, with the link to the next one."""
        if request.method != "GET" or not isinstance(reply.body, dict):
            return reply
        values = reply.body.get("value")
        if not isinstance(values, list):
            return reply
        start = _number(request, "$skiptoken", 0)
        size = max(1, min(_number(request, "$top", self.page_size), self.page_size))
        page = {**reply.body, "value": values[start : start + size]}
        if start + size < len(values):
            query = {**request.query, "$skiptoken": str(start + size)}
            page["nextLink"] = f"{request.base_url}{quote(request.id.text)}?{urlencode(query)}"
        return ArmReply(page, reply.status, reply.headers)


async def _body(request: web.Request) -> JsonObject:
    raw = await request.read()
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise invalid_content(str(error)) from error
    if body is None and request.method == "POST":
        return {}  # Core Tools send `null` with each action
    if not isinstance(body, dict):
        raise invalid_content("the content is not a JSON object")
    check_shape(body)
    return body


def _number(request: ArmRequest, name: str, default: int) -> int:
    """A query parameter that is a whole number of at least 0."""
    value = request.query.get(name)
    if value is None:
        return default
    if not value.isdecimal():
        raise bad_request("InvalidQueryParameter", f"The value of '{name}' must be a number.")
    return int(value)
