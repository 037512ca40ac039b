"""ResourceManager: Azure Resource Manager of the local cloud, `management.azure.com`."""

import json
import logging
import re
import ssl
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web

from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.resource_manager.access import (
    ROLE_ASSIGNMENTS,
    ROLE_DEFINITIONS,
    ArmCaller,
    action_of,
    linked,
)
from bot_workbench.emulator.resource_manager.body_shape import check_shape
from bot_workbench.emulator.resource_manager.bot_service import BOT_SERVICES
from bot_workbench.emulator.resource_manager.callers import ArmCallers
from bot_workbench.emulator.resource_manager.catalog import PROVIDER_ANSWERS, RESOURCE_TYPES
from bot_workbench.emulator.resource_manager.errors import ArmError, error, fault
from bot_workbench.emulator.resource_manager.identities import USER_ASSIGNED_IDENTITIES
from bot_workbench.emulator.resource_manager.long_running import LongRunning
from bot_workbench.emulator.resource_manager.resource import (
    JsonObject,
    Resource,
    ResourceId,
)
from bot_workbench.emulator.resource_manager.resource_type import (
    ArmReply,
    ArmRequest,
    Tenant,
    answer,
    check_version,
)
from bot_workbench.emulator.resource_manager.site_config import (
    Functions,
    deploy_functions,
    site_key,
)
from bot_workbench.emulator.resource_manager.sites import (
    SETTINGS,
    SITES,
    SLOTS,
    find_site,
    set_settings,
)
from bot_workbench.emulator.resource_manager.subscriptions import (
    check_registered,
    check_subscription,
    cloud_endpoints,
    find_route,
)
from bot_workbench.emulator.resource_manager.throttle import READ_BUCKET, READS_PER_SECOND, Throttle
from bot_workbench.emulator.resource_manager.vaults import VAULTS
from bot_workbench.emulator.server import Server

LOG = logging.getLogger("bot_workbench.emulator.resource_manager")

OPERATIONS = {"PUT": "write", "PATCH": "write", "POST": "write", "DELETE": "delete"}
"""The kind as which Resource Manager counts a method; the others are reads."""

API_VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}(-[a-z]+)?$")
RIGHTS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
PAGE_SIZE = 1000
"""Maximum number of items in one response, unless the server's `page_size` says otherwise."""

Changed = Callable[[Resource], None]


def _nothing(_: Resource) -> None:
    """A hook that does nothing."""


class ResourceManager:
    """Resources, their providers, and role-based access control.

    Args:
        entra: signs its callers' tokens; its registration's tenant is the subscriptions'.
        tls: the server side of TLS.

    Attributes:
        tenant: what there is, with the switches of what Azure's reference does not say.
        resources: everything that exists.
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
        self.on_site_change: Changed = _nothing
        self.on_vault_change: Changed = _nothing
        self.on_identity_change: Changed = _nothing
        self.on_bot_change: Changed = _nothing
        types = {kind.name.lower(): kind for kind in RESOURCE_TYPES}
        self.tenant = Tenant(self.tenant_id, entra.directory, types, self._changed)
        self.resources = self.tenant.resources
        self.access = self.tenant.access
        self.throttle = Throttle()
        self.read_throttle = Throttle(READ_BUCKET, READS_PER_SECOND)
        self.long_running = LongRunning()
        self.page_size = PAGE_SIZE
        self._callers = ArmCallers(entra, self.tenant_id)
        self.server = Server("resource-manager", [web.route("*", "/{path:.*}", self._handle)], tls)
        self.server.faults.error = fault

    @property
    def subscription_id(self) -> str:
        """GUID of the first subscription."""
        return self.tenant.subscriptions[0].id

    def app_settings(self, site_id: str) -> dict[str, str]:
        """The application settings of a site or slot (id in any case), as a copy.

        Raises:
            KeyError: there is no such site; so do the methods below.
        """
        return dict(find_site(self.resources, site_id).hidden.get(SETTINGS, {}))

    def set_app_settings(self, site: Resource, settings: dict[str, str]) -> None:
        """Replace all application settings of a site or slot.

        Raises:
            ArmError: 400, a setting is not allowed on the site's plan.
        """
        set_settings(self.tenant, site, settings)

    def deploy_functions(self, site_id: str, functions: Functions) -> None:
        """Replace the functions of a site, as a deployment of code does."""
        deploy_functions(self.resources, site_id, functions)

    def function_key(self, site_id: str, function: str) -> str:
        """The default key of a function, which its callers send as `x-functions-key`."""
        return site_key(find_site(self.resources, site_id), f"function/{function.lower()}")

    def host_key(self, site_id: str) -> str:
        """The default host key of a site, which is valid for all its functions."""
        return site_key(find_site(self.resources, site_id), "host")

    def master_key(self, site_id: str) -> str:
        """The master key of a site, which is valid for its host's own routes, too."""
        return site_key(find_site(self.resources, site_id), "master")

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
        _answer(ArmRequest("PUT", wanted, {}, body, ArmCaller("", ""), "", self.tenant))
        found = self.resources.find(resource_id)
        if found is None:
            raise KeyError(resource_id)
        return found

    def _changed(self, resource: Resource) -> None:
        hooks = {
            SITES: self.on_site_change,
            SLOTS: self.on_site_change,
            VAULTS: self.on_vault_change,
            USER_ASSIGNED_IDENTITIES: self.on_identity_change,
            BOT_SERVICES: self.on_bot_change,
        }
        hooks.get(resource.type, _nothing)(resource)

    async def _handle(self, request: web.Request) -> web.Response:
        headers = {"x-ms-request-id": str(uuid.uuid4()), "Cache-Control": "no-cache"}
        headers["x-ms-correlation-request-id"] = headers["x-ms-request-id"]
        try:
            if request.path.lower() == "/metadata/endpoints":
                return web.json_response(self._endpoints(request), headers=headers)
            reply = self._reply(await self._read(request), headers)
        except ArmError as refusal:
            reply = ArmReply(refusal.body(), refusal.status, refusal.headers)
        except Exception:
            LOG.exception("%s %s failed", request.method, request.path)
            failure = error("InternalServerError")
            reply = ArmReply(failure.body(), failure.status)
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
            raise error("MissingApiVersionParameter")
        if not API_VERSION.match(version):
            raise error("InvalidApiVersionParameter", version=version)
        path = ResourceId("/" + re.sub("/+", "/", request.path).strip("/"))
        body, url = await _body(request), f"https://{request.host}"
        return ArmRequest(request.method, path, query, body, caller, url, self.tenant)

    def _reply(self, request: ArmRequest, headers: dict[str, str]) -> ArmReply:
        self.long_running.settle()
        check_subscription(request)
        asked = self.long_running.asked(request)
        if asked is not None:
            return asked
        self._check_access(request)
        if find_route(request) is None:
            check_version(request)
        headers |= self._throttled(request)
        if request.method in ("PUT", "PATCH") and request.id.namespace:
            check_registered(request)
        if request.method in OPERATIONS:
            return self._written(request)
        reply = self.long_running.shown(request, _answer(request))
        return self._paged(request, self._visible(request, reply))

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
            return self.long_running.written(request, _answer(request))
        with self.resources.trial():
            reply = _answer(request)
        return self.long_running.started(request, reply, lambda: _answer(request))

    def _check_access(self, request: ArmRequest) -> None:
        is_route = find_route(request) is not None
        if not request.id.subscription_id:
            # Outside a subscription, there are only what providers answer, and roles to read.
            is_role = request.method == "GET" and _is_of(request, ROLE_DEFINITIONS)
            if not (is_route or is_role or _is_provider_call(request)):
                raise error("MissingSubscription")
            return
        # These show what the caller may see.
        is_listing = _is_subscription_list(request) or (request.method == "GET" and is_route)
        subscription = f"/subscriptions/{request.id.subscription_id}"
        if is_listing and self.access.reaches(request.caller.object_id, subscription):
            return
        others = linked(request.body) if request.method in ("PUT", "PATCH") else []
        self.access.check(request.caller, *_needed(request), others)

    def _visible(self, request: ArmRequest, reply: ArmReply) -> ArmReply:
        """A list without the resources that the caller may not read."""
        is_public = _is_of(request, ROLE_DEFINITIONS) or _is_provider_call(request)
        if not _is_subscription_list(request) or is_public:
            return reply
        caller, action = request.caller.object_id, f"{request.id.type}/read"
        values = [
            each
            for each in reply.body["value"]
            if self.access.is_allowed(caller, action, each["id"])
        ]
        return ArmReply({**reply.body, "value": values}, reply.status, reply.headers)

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


def _answer(request: ArmRequest) -> ArmReply:
    """Carry a request out.

    Raises:
        ArmError: it is refused.
    """
    beside = PROVIDER_ANSWERS.get((request.method, request.id.type.lower()), answer)
    return (find_route(request) or beside)(request)


def _is_of(request: ArmRequest, type_name: str) -> bool:
    return request.id.type.lower() == type_name.lower()


def _is_provider_call(request: ArmRequest) -> bool:
    """Whether a provider answers it beside its resources."""
    return (request.method, request.id.type.lower()) in PROVIDER_ANSWERS


def _is_subscription_list(request: ArmRequest) -> bool:
    """A list of one type in all groups of a subscription. Role assignments are not listed so:
    they need a role at the scope that is named."""
    is_list = request.method == "GET" and request.id.is_collection and request.id.namespace != ""
    return is_list and not request.id.group_name and not _is_of(request, ROLE_ASSIGNMENTS)


def _needed(request: ArmRequest) -> tuple[str, str]:
    """The action that the caller must be allowed, and its scope."""
    owner = request.id.parent.text
    if request.is_action:
        return f"{request.id.parent.type}/{request.id.name}/action", owner
    scope = request.id.text
    if request.id.is_collection:
        scope = owner if request.id.is_child else request.id.scope
    return action_of(request.id.type, RIGHTS.get(request.method, "action")), scope


async def _body(request: web.Request) -> JsonObject:
    raw = await request.read()
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except ValueError as invalid:
        raise error("InvalidRequestContent", reason=invalid) from invalid
    if body is None and request.method == "POST":
        return {}  # Core Tools send `null` with each action
    if not isinstance(body, dict):
        raise error("InvalidRequestContent", reason="the content is not a JSON object")
    check_shape(body)
    return body


def _number(request: ArmRequest, name: str, default: int) -> int:
    """A query parameter that is a whole number of at least 0."""
    value = request.query.get(name)
    if value is None:
        return default
    if not value.isdecimal():
        raise error("InvalidQueryParameter", name=name)
    return int(value)
