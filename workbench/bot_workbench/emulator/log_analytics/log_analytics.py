"""LogAnalytics: the query API of Log Analytics workspaces, without a query engine.

Shapes: Microsoft reference, "Logs query API", v1: request format, response format and errors.
"""

import json
import re
import ssl
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import jwt
from aiohttp import web

from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import issuer_of
from bot_workbench.emulator.resource_manager.catalog import WORKSPACES
from bot_workbench.emulator.resource_manager.control_plane import ResourceManager
from bot_workbench.emulator.resource_manager.resource import JsonObject, Resource
from bot_workbench.emulator.server import Server

AUDIENCES = frozenset(
    f"https://api.loganalytics.{domain}{end}" for domain in ("io", "azure.com") for end in ("", "/")
)
"""The `aud` claims of tokens for the public cloud's query API."""

QUERY_RIGHT = "Microsoft.OperationalInsights/workspaces/query/read"
DURATION = re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?")


@dataclass(frozen=True)
class QueryResult:
    """The primary result of a query.

    Attributes:
        columns: Kusto's type by name, such as "long".
        rows: the values, in the order of the columns.
    """

    columns: dict[str, str]
    rows: tuple[tuple[object, ...], ...]


REFUSALS: Mapping[str, tuple[int, str]] = {
    "AuthorizationRequiredError": (401, "Valid authentication was not provided"),
    "BadArgumentError": (400, "The request had some invalid properties"),
    "InsufficientAccessError": (
        403,
        "The provided credentials have insufficient access to perform the requested operation",
    ),
    "InvalidTokenError": (
        401,
        "The provided authentication is not valid for this resource",
    ),
    "MethodNotAllowedError": (405, "The method is not allowed"),
    "PathNotFoundError": (404, "The requested path does not exist"),
}
"""HTTP status and message by the code of an error object."""


class QueryRefused(Exception):
    """A refusal; its text is a key of REFUSALS."""


class LogAnalytics:
    """Answers queries with what a test has put there.

    Args:
        entra: must have signed the callers' tokens.
        tls: the server side of TLS.
        manager: has the workspaces, and knows who may read them.

    Attributes:
        results: the result of each query that names a table, by the table's name.
        queries: those that were accepted, with the workspace's name.
    """

    def __init__(self, entra: Entra, tls: ssl.SSLContext, manager: ResourceManager) -> None:
        self.results: dict[str, QueryResult] = {}
        self.queries: list[tuple[str, str]] = []
        self._entra = entra
        self._manager = manager
        routes = [web.route("*", "/v1/workspaces/{id}/query", self._handle)]
        self.server = Server("log-analytics", routes, tls)

    async def _handle(self, request: web.Request) -> web.Response:
        try:
            return web.json_response(self._answer(request, await _parameters(request)))
        except QueryRefused as refusal:
            status, message = REFUSALS[str(refusal)]
            error = {"message": message, "code": str(refusal), "correlationId": str(uuid.uuid4())}
            return web.json_response({"error": error}, status=status)

    def _answer(self, request: web.Request, parameters: JsonObject) -> JsonObject:
        caller = self._caller(request.headers.get("Authorization", ""))
        workspace = self._workspace(request.match_info["id"])
        if not self._manager.access.is_allowed(caller, QUERY_RIGHT, workspace.id):
            raise QueryRefused("InsufficientAccessError")
        query = str(parameters.get("query") or "")
        timespan = str(parameters.get("timespan") or "P1D")
        if not query or not DURATION.fullmatch(timespan):
            raise QueryRefused("BadArgumentError")
        found = next((each for name, each in self.results.items() if name in query), None)
        self.queries.append((workspace.name, query))
        result = found or QueryResult({}, ())
        columns = [{"name": name, "type": kind} for name, kind in result.columns.items()]
        table = {
            "name": "PrimaryResult",
            "columns": columns,
            "rows": [list(row) for row in result.rows],
        }
        return {"tables": [table]}

    def _workspace(self, customer_id: str) -> Resource:
        for each in self._manager.resources.of_type(WORKSPACES):
            if str(each.properties["customerId"]).lower() == customer_id.lower():
                return each
        raise QueryRefused("PathNotFoundError")

    def _caller(self, authorization: str) -> str:
        """The object id (GUID) of who sends a token.

        Raises:
            QueryRefused: 401, it is missing or not valid here.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise QueryRefused("AuthorizationRequiredError")
        try:
            issuer = issuer_of(self._entra.directory.tenant_id)
            return str(self._entra.issuer.verify(token, AUDIENCES, issuer)["oid"])
        except jwt.InvalidTokenError as error:
            raise QueryRefused("InvalidTokenError") from error


async def _parameters(request: web.Request) -> JsonObject:
    """The parameters of a GET's URL, or of a POST's JSON body.

    Raises:
        QueryRefused: 400, the body is no JSON object; 405, the method is another one.
    """
    if request.method == "GET":
        return dict(request.query)
    if request.method != "POST":
        raise QueryRefused("MethodNotAllowedError")
    try:
        body = json.loads(await request.text())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise QueryRefused("BadArgumentError")
    return body
