"""Graph: Microsoft Graph v1.0, and what the tools use of its beta."""

import logging
import re
import ssl
from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.graph import reports
from bot_workbench.emulator.graph.application_object import FEDERATED, without_keys
from bot_workbench.emulator.graph.applications import Applications
from bot_workbench.emulator.graph.errors import (
    GraphError,
    bad_request,
    fault,
    internal_error,
    new_request_id,
    not_found,
    unlicensed,
)
from bot_workbench.emulator.graph.replica import Replica
from bot_workbench.emulator.graph.requests.alternate_key import object_id_of
from bot_workbench.emulator.graph.requests.body_shape import REFERENCE, json_object
from bot_workbench.emulator.graph.requests.caller import Caller, caller_of
from bot_workbench.emulator.graph.requests.entity_type import ENTITY_TYPES, EntityType
from bot_workbench.emulator.graph.requests.query import page, selected
from bot_workbench.emulator.graph.service_principals import ServicePrincipals, user_json
from bot_workbench.emulator.server import Server

JsonObject = dict[str, Any]

LOG = logging.getLogger("bot_workbench.emulator.graph")

PUBLIC_GRAPH = "https://graph.microsoft.com"
PAGE_SIZE = 100
VERSION = "/{version:v1\\.0|beta}{slash:/?}"
"""With a second slash at most: msgraph-sdk for Python puts one after its base URL."""

KEYS = ("/{id}", "{alternate:[^/]+}")
"""The name of a collection's object in a URL: its id, or `(appId='...')`."""

DELETED_ITEMS = "/directory/deletedItems"
DELETED_APPLICATIONS = [
    f"{DELETED_ITEMS}/{name}.application" for name in ("microsoft.graph", "graph")
]
"""Deleted applications (v1.0 reference, "List deletedItems"); SDKs write the short name."""

CHALLENGE = (
    'Bearer realm="", '
    'authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
    'client_id="00000003-0000-0000-c000-000000000000"'
)


@dataclass(frozen=True)
class GraphRequest:
    """One authenticated request.

    Attributes:
        request: without its body.
        caller: who sends it.
        body: the JSON object; empty: there is none.
    """

    request: web.Request
    caller: Caller
    body: JsonObject

    @property
    def version(self) -> str:
        """`v1.0` or `beta`."""
        return self.request.match_info["version"]


Reply = tuple[int, JsonObject | None]
Operation = Callable[[GraphRequest], Awaitable[Reply]]


class Graph:
    """Serves one directory; with Graph's rules, permissions and eventual consistency.

    Args:
        entra: must have signed the callers' tokens; its directory is served.
        tls: the server side of TLS.

    Attributes:
        app_roles: the app roles (for example `Application.ReadWrite.All`) of service principals, by
            object id (GUID). Users may do everything.
        licensed: whether the directory has a licence for reports of sign-ins (Entra ID P1).
        report_delay: seconds until a sign-in is in the reports.
        page_size: items in one response without `$top`.
    """

    def __init__(self, entra: Entra, tls: ssl.SSLContext) -> None:
        self.app_roles: dict[str, frozenset[str] | set[str]] = {}
        self.licensed = True
        self.report_delay = 0.0
        self.page_size = PAGE_SIZE
        self._entra = entra
        self._directory = entra.directory
        self._replica = Replica(lambda: self._directory.clock(), self._directory.propagation)
        self._applications = Applications(self._directory, self._replica)
        self._principals = ServicePrincipals(self._directory, self._replica)
        self.server = Server("graph", self._routes(), tls)
        self.server.faults.error = fault

    def _routes(self) -> list[web.AbstractRouteDef]:
        one = [f"/applications{key}" for key in KEYS]
        federated = [f"{path}/{FEDERATED}" for path in one]
        named = [f"{path}{key}" for path in federated for key in ("/{name}", "(name='{name}')")]
        principal = [f"/servicePrincipals{key}" for key in KEYS]
        table: list[tuple[str, list[str], Operation]] = [
            ("GET", ["/applications"], self._list_applications),
            ("POST", ["/applications"], self._create_application),
            ("GET", one, self._get_application),
            ("PATCH", one, self._update_application),
            ("DELETE", one, self._delete_application),
            ("GET", [f"{path}/owners" for path in one], self._list_owners),
            ("POST", [f"{path}/owners/$ref" for path in one], self._add_owner),
            ("DELETE", [f"{path}/owners/{{owner}}/$ref" for path in one], self._remove_owner),
            ("POST", [f"{path}/addPassword" for path in one], self._add_password),
            ("POST", [f"{path}/removePassword" for path in one], self._remove_password),
            ("POST", [f"{path}/addKey" for path in one], self._add_key),
            ("POST", [f"{path}/removeKey" for path in one], self._remove_key),
            ("GET", federated, self._list_federated),
            ("POST", federated, self._add_federated),
            ("GET", named, self._get_federated),
            ("PATCH", named, self._change_federated),
            ("DELETE", named, self._remove_federated),
            ("GET", DELETED_APPLICATIONS, self._list_deleted),
            ("POST", [f"{DELETED_ITEMS}/{{id}}/restore"], self._restore),
            ("GET", ["/servicePrincipals"], self._list_principals),
            ("POST", ["/servicePrincipals"], self._create_principal),
            ("GET", principal, self._get_principal),
            ("PATCH", principal, self._update_principal),
            ("DELETE", principal, self._delete_principal),
            ("POST", ["/directoryObjects/getByIds"], self._get_by_ids),
            ("GET", ["/me"], self._me),
            ("GET", ["/users"], self._list_users),
            ("GET", ["/users/{id}"], self._get_user),
            ("GET", ["/reports/appCredentialSignInActivities"], self._activities),
            ("GET", ["/auditLogs/signIns"], self._sign_ins),
            ("*", ["/{rest:.*}"], self._unknown),
        ]
        routes = [
            web.route(method, VERSION + path, self._guarded(operation, _kind_at(path)))
            for method, paths, operation in table
            for path in paths
        ]
        return [*routes, web.route("*", "/{rest:.*}", self._guarded(self._unknown_version, ""))]

    def _guarded(self, operation: Operation, kind: str) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            client_request_id = request.headers.get("client-request-id", "")
            request_id = new_request_id()
            headers = {
                "request-id": request_id,
                "client-request-id": client_request_id or request_id,
            }
            try:
                authorization = request.headers.get("Authorization", "")
                caller = caller_of(authorization, self._entra, self.app_roles)
                call = GraphRequest(request, caller, await json_object(request, kind))
                self._replica.start_request()
                status, body = await operation(call)
            except GraphError as error:
                status, body = error.status, error.body(request_id, client_request_id)
                if status == 401:
                    headers["WWW-Authenticate"] = CHALLENGE
            except Exception:
                # az crashes on an error whose body is not Graph's.
                LOG.exception("%s %s failed", request.method, request.path)
                failure = internal_error()
                status, body = failure.status, failure.body(request_id, client_request_id)
            if body is None:
                return web.Response(status=status, headers=headers)
            return web.json_response(body, status=status, headers=headers)

        return handle

    # Applications

    async def _list_applications(self, call: GraphRequest) -> Reply:
        call.caller.check_read()
        return self._page(call, "applications", self._applications.all())

    async def _create_application(self, call: GraphRequest) -> Reply:
        call.caller.check_create()
        made = self._applications.create(call.body, call.caller.object_id)
        return 201, self._entity(call, "applications", _public(made))

    async def _get_application(self, call: GraphRequest) -> Reply:
        call.caller.check_read()
        found = self._applications.get(self._application_id(call))
        has_keys = "keyCredentials" in call.request.query.get("$select", "")
        shown = found if has_keys else _public(found)
        return 200, self._selected_entity(call, "applications", shown)

    async def _update_application(self, call: GraphRequest) -> Reply:
        self._applications.update(self._changeable(call), call.body)
        return 204, None

    async def _delete_application(self, call: GraphRequest) -> Reply:
        self._applications.delete(self._changeable(call))
        return 204, None

    async def _list_owners(self, call: GraphRequest) -> Reply:
        call.caller.check_read()
        owners = self._applications.changeable(self._application_id(call)).owners
        context = f"{PUBLIC_GRAPH}/{call.version}/$metadata#directoryObjects"
        return 200, {"@odata.context": context, "value": _typed(self._possible_owners(), owners)}

    async def _add_owner(self, call: GraphRequest) -> Reply:
        registration = self._changeable(call)
        owner = str(call.body.get(REFERENCE)).rpartition("/")[2]
        if not _typed(self._possible_owners(), (owner,)):
            raise not_found(owner)
        if owner in registration.owners:
            raise bad_request(
                "One or more added object references already exist for the following modified "
                "properties: 'owners'."
            )
        registration.owners.add(owner)
        return 204, None

    async def _remove_owner(self, call: GraphRequest) -> Reply:
        registration, owner = self._changeable(call), call.request.match_info["owner"]
        if owner not in registration.owners:
            raise not_found(owner)
        registration.owners.remove(owner)
        return 204, None

    def _possible_owners(self) -> dict[str, list[JsonObject]]:
        """Service principals and users, by their types."""
        return {
            "servicePrincipal": self._principals.all(),
            "user": [user_json(self._directory.user)],
        }

    async def _list_deleted(self, call: GraphRequest) -> Reply:
        call.caller.check_read()
        return self._page(call, "applications", self._applications.deleted())

    async def _restore(self, call: GraphRequest) -> Reply:
        call.caller.check_create()
        restored = self._applications.restore(call.request.match_info["id"])
        return 200, self._entity(call, "applications", _public(restored))

    async def _add_password(self, call: GraphRequest) -> Reply:
        made = self._applications.add_password(self._changeable(call), call.body)
        context = f"{PUBLIC_GRAPH}/{call.version}/$metadata#microsoft.graph.passwordCredential"
        return 200, {"@odata.context": context, **made}

    async def _remove_password(self, call: GraphRequest) -> Reply:
        self._applications.remove_password(self._changeable(call), call.body)
        return 204, None

    async def _add_key(self, call: GraphRequest) -> Reply:
        registration = self._own_or_changeable(call)
        with self._applications.change(registration):
            made = self._applications.keys.add(registration, call.body)
        context = f"{PUBLIC_GRAPH}/{call.version}/$metadata#microsoft.graph.keyCredential"
        return 200, {"@odata.context": context, **made}

    async def _remove_key(self, call: GraphRequest) -> Reply:
        registration = self._own_or_changeable(call)
        with self._applications.change(registration):
            self._applications.keys.remove(registration, call.body)
        return 204, None

    def _application_id(self, call: GraphRequest) -> str:
        alternate = call.request.match_info.get("alternate")
        if alternate is not None:
            return object_id_of(alternate, self._applications.all())
        return call.request.match_info["id"]

    def _changeable(self, call: GraphRequest) -> Registration:
        registration = self._applications.changeable(self._application_id(call))
        call.caller.check_write(registration)
        return registration

    def _own_or_changeable(self, call: GraphRequest) -> Registration:
        """An application needs no permission to roll its own keys."""
        registration = self._applications.changeable(self._application_id(call))
        if registration.service_principal_id != call.caller.object_id:
            call.caller.check_write(registration)
        return registration

    # Federated credentials

    async def _list_federated(self, call: GraphRequest) -> Reply:
        call.caller.check_read()
        object_id = self._application_id(call)
        listed = self._applications.get(object_id)[FEDERATED]
        return self._page(call, f"applications('{object_id}')/{FEDERATED}", listed)

    async def _add_federated(self, call: GraphRequest) -> Reply:
        registration = self._changeable(call)
        with self._applications.change(registration):
            made = self._applications.federated.add(registration, call.body)
        name = f"applications('{registration.object_id}')/{FEDERATED}"
        return 201, self._entity(call, name, made)

    async def _get_federated(self, call: GraphRequest) -> Reply:
        call.caller.check_read()
        object_id, name = self._application_id(call), call.request.match_info["name"]
        for each in self._applications.get(object_id)[FEDERATED]:
            if name in (each["id"], each["name"]):
                collection = f"applications('{object_id}')/{FEDERATED}"
                return 200, self._selected_entity(call, collection, each)
        raise not_found(name)

    async def _change_federated(self, call: GraphRequest) -> Reply:
        registration, name = self._changeable(call), call.request.match_info["name"]
        with self._applications.change(registration):
            self._applications.federated.change(registration, name, call.body)
        return 204, None

    async def _remove_federated(self, call: GraphRequest) -> Reply:
        registration, name = self._changeable(call), call.request.match_info["name"]
        with self._applications.change(registration):
            self._applications.federated.remove(registration, name)
        return 204, None

    # Service principals and users

    async def _list_principals(self, call: GraphRequest) -> Reply:
        call.caller.check_read()
        return self._page(call, "servicePrincipals", self._principals.all())

    async def _create_principal(self, call: GraphRequest) -> Reply:
        call.caller.check_create()
        made = self._principals.create(call.body)
        return 201, self._entity(call, "servicePrincipals", made)

    async def _get_principal(self, call: GraphRequest) -> Reply:
        call.caller.check_read()
        found = self._principals.get(self._principal_id(call))
        return 200, self._selected_entity(call, "servicePrincipals", found)

    async def _update_principal(self, call: GraphRequest) -> Reply:
        self._principals.update(self._changeable_principal(call), call.body)
        return 204, None

    async def _delete_principal(self, call: GraphRequest) -> Reply:
        self._principals.delete(self._changeable_principal(call))
        return 204, None

    def _changeable_principal(self, call: GraphRequest) -> JsonObject:
        found = self._principals.get(self._principal_id(call))
        call.caller.check_write(self._directory.find(found["appId"]))
        return found

    def _principal_id(self, call: GraphRequest) -> str:
        alternate = call.request.match_info.get("alternate")
        if alternate is not None:
            return object_id_of(alternate, self._principals.all())
        return call.request.match_info["id"]

    async def _get_by_ids(self, call: GraphRequest) -> Reply:
        call.caller.check_read()
        applications = [_public(each) for each in self._applications.all()]
        kinds = {"application": applications, **self._possible_owners()}
        wanted = [name.lower() for name in call.body.get("types") or kinds]
        chosen = {kind: listed for kind, listed in kinds.items() if kind.lower() in wanted}
        value = _typed(chosen, call.body.get("ids", ()))
        context = f"{PUBLIC_GRAPH}/{call.version}/$metadata#directoryObjects"
        return 200, {"@odata.context": context, "value": value}

    async def _me(self, call: GraphRequest) -> Reply:
        if not call.caller.is_user:
            message = "/me request is only valid with delegated authentication flow."
            raise bad_request(message, "BadRequest")
        return 200, self._selected_entity(call, "users", user_json(self._directory.user))

    async def _list_users(self, call: GraphRequest) -> Reply:
        call.caller.check_read()
        return self._page(call, "users", [user_json(self._directory.user)])

    async def _get_user(self, call: GraphRequest) -> Reply:
        call.caller.check_read()
        user, name = self._directory.user, call.request.match_info["id"]
        if name not in (user.object_id, user.name):
            raise not_found(name)
        return 200, self._selected_entity(call, "users", user_json(user))

    # Reports

    async def _activities(self, call: GraphRequest) -> Reply:
        if call.version != "beta":
            return await self._unknown(call)
        self._check_reports(call)
        listed = reports.credential_activities(self._directory, self._reported_until())
        return self._page(call, "reports/appCredentialSignInActivities", listed)

    async def _sign_ins(self, call: GraphRequest) -> Reply:
        """Without a filter for other types, only interactive sign-ins, of which there are none."""
        self._check_reports(call)
        asked = reports.SERVICE_PRINCIPAL in call.request.query.get("$filter", "")
        shown = call.version == "beta" and asked
        listed = reports.sign_ins(self._directory, self._reported_until()) if shown else []
        return self._page(call, "auditLogs/signIns", listed)

    def _check_reports(self, call: GraphRequest) -> None:
        call.caller.check_reports()
        if not self.licensed:
            raise unlicensed()

    def _reported_until(self) -> float:
        return self._directory.clock() - self.report_delay

    # Shapes

    async def _unknown(self, call: GraphRequest) -> Reply:
        segment = call.request.path.split("/")[-1]
        raise bad_request(f"Resource not found for the segment '{segment}'.", "BadRequest")

    async def _unknown_version(self, call: GraphRequest) -> Reply:
        version = call.request.path.strip("/").partition("/")[0]
        raise bad_request(f"Invalid version: {version}", "BadRequest")

    @staticmethod
    def _entity(call: GraphRequest, collection: str, item: JsonObject) -> JsonObject:
        context = f"{PUBLIC_GRAPH}/{call.version}/$metadata#{collection}/$entity"
        return {"@odata.context": context, **item}

    def _selected_entity(self, call: GraphRequest, collection: str, item: JsonObject) -> JsonObject:
        shown = selected(item, call.request.query, _type_of(collection))
        return self._entity(call, collection, shown)

    def _page(self, call: GraphRequest, collection: str, items: list[JsonObject]) -> Reply:
        public = [_public(each) for each in items]
        is_eventual = call.request.headers.get("ConsistencyLevel", "").lower() == "eventual"
        query, kind = call.request.query, _type_of(collection)
        shown = page(public, query, kind, self.page_size, is_eventual=is_eventual)
        body: JsonObject = {
            "@odata.context": f"{PUBLIC_GRAPH}/{call.version}/$metadata#{collection}",
        }
        if shown.total is not None:
            body["@odata.count"] = shown.total
        if shown.following:
            url = call.request.url.update_query({"$skiptoken": shown.following})
            body["@odata.nextLink"] = str(url)
        return 200, {**body, "value": shown.items}


def _kind_at(path: str) -> str:
    """The type of a body that is sent to a path, such as `application`; empty for actions."""
    collection = re.sub(r"/?{[^}]*}$", "", path).rpartition("/")[2]
    return ENTITY_TYPES[collection].name if collection in ENTITY_TYPES else ""


def _type_of(collection: str) -> EntityType:
    return ENTITY_TYPES[collection.rpartition("/")[2]]


def _typed(kinds: Mapping[str, list[JsonObject]], ids: Container[str]) -> list[JsonObject]:
    """The objects with these ids, each with its type."""
    return [
        {"@odata.type": f"#microsoft.graph.{kind}", **each}
        for kind, listed in kinds.items()
        for each in listed
        if each["id"] in ids
    ]


def _public(item: JsonObject) -> JsonObject:
    """An object as Graph shows it without `$select`: no keys, no relationships."""
    shown = without_keys(item) if "keyCredentials" in item else item
    return {name: value for name, value in shown.items() if name != FEDERATED}
