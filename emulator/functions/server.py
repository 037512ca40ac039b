"""FunctionsServer: the HTTP front of a function app."""

import hmac
import json
import logging
import time
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import parse_qsl, unquote

from emulator.cross_origin import has_loopback_host, is_cross_origin
from emulator.functions.errors import InvocationError
from emulator.functions.http_front import HttpFront, HttpRequest, HttpResponse
from emulator.functions.route import Route
from emulator.functions.workers.protocol import Message, TypedData
from emulator.functions.workers.worker import FunctionsWorker

LOG = logging.getLogger("emulator.functions.server")

PLAIN_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


class FunctionsServer(HttpFront):
    """Serves the HTTP-triggered functions of a worker on loopback, as the Functions host does.

    What it passes to the functions and how it answers follows the source of Azure's host
    (azure-functions-host: GrpcMessageConversionExtensions, FunctionInvocationMiddleware,
    HostAvailabilityCheckMiddleware). Requests run on the event loop that `start` was called on.

    Args:
        worker: a loaded one; without functions every call is answered 503.
        route_prefix: host.json's extensions.http.routePrefix.
        function_key: the key that calls of functions above the anonymous level must send, in the
            header x-functions-key or the query parameter `code`. None: no key is needed, as in
            Core Tools, but the Host header of such a call must name this machine. Requests from
            pages of other sites are always refused.

    Raises:
        HostError: a route has a form that this host does not know.
    """

    def __init__(
        self, worker: FunctionsWorker, route_prefix: str = "api", function_key: str | None = None
    ) -> None:
        super().__init__(self._answer)
        self._worker = worker
        self._function_key = function_key
        # Azure matches routes in the order of the functions' names, and the first match wins.
        http = [each for each in worker.functions if each.trigger["type"] == "httpTrigger"]
        by_name = sorted(http, key=lambda each: each.name.lower())
        self._routes = [Route(function, route_prefix) for function in by_name]
        self._route = lru_cache(maxsize=1024)(self._find_route)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        path, _, query = request.target.partition("?")
        found = self._route(request.method, path)
        if found is None:
            return self._answer_without_function(path)
        route, params = found
        headers = request.headers
        if self._is_from_another_site(route, headers):
            return HttpResponse(403)
        fields = _query(query) if query else {}
        if route.needs_key and not self._has_key(headers, fields):
            return HttpResponse(401)
        http = Message(
            method=request.method,
            url=f"http://{headers.get('host', '')}{request.target}",
            headers=headers,
            query=fields,
            params=params,
            # Without a Content-Length it is absent, whatever follows the headers.
            body=TypedData(bytes=request.body) if "content-length" in headers else TypedData(),
        )
        return await self._invoke(route, http)

    async def _invoke(self, route: Route, http: Message) -> HttpResponse:
        started = time.perf_counter()
        name = route.function.name
        try:
            outputs = await self._worker.invoke(
                route.function, TypedData(http=http), None, http.headers.get("traceparent", "")
            )
        except InvocationError as error:
            LOG.error("%s failed: %s", name, error)  # noqa: TRY400 # the text is the trace
            return HttpResponse(500)
        response = _response(outputs.get(route.output))
        milliseconds = (time.perf_counter() - started) * 1000
        LOG.info("%s answered %d in %.1f ms", name, response.status, milliseconds)
        return response

    def _answer_without_function(self, path: str) -> HttpResponse:
        running = bool(self._worker.functions)
        if path == "/admin/host/status":
            state = json.dumps({"state": "Running" if running else "Error"})
            return HttpResponse(200, {"Content-Type": "application/json"}, state.encode())
        if not running:
            return HttpResponse(503, PLAIN_TEXT, b"Function host is not running.")
        if path == "/":
            return HttpResponse(200, PLAIN_TEXT, b"The Functions host is running.\n")
        return HttpResponse(404)

    def _find_route(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        # An encoded slash is not a separator: Kestrel leaves it encoded.
        decoded = unquote(path.replace("%2F", "%252F").replace("%2f", "%252f"))
        for route in self._routes:
            params = route.params(method, decoded)
            if params is not None:
                return route, params
        return None

    def _is_from_another_site(self, route: Route, headers: Mapping[str, str]) -> bool:
        # The channel may call through a tunnel, under the tunnel's name; it sends no Origin.
        is_open = route.needs_key and self._function_key is None
        if not (is_open or "origin" in headers):
            return False
        return is_cross_origin(headers) or not has_loopback_host(headers)

    def _has_key(self, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        if self._function_key is None:
            return True
        key = headers.get("x-functions-key", query.get("code", ""))
        return hmac.compare_digest(key.encode(), self._function_key.encode())


def _query(query: str) -> dict[str, str]:
    """The fields of a query: repeated ones joined with a comma, empty ones left out."""
    fields: dict[str, str] = {}
    for name, value in parse_qsl(query):
        fields[name] = f"{fields[name]},{value}" if name in fields else value
    return fields


def _response(output: TypedData | None) -> HttpResponse:
    """The answer: 204 for a function without a result, 200 for one that returns text."""
    if output is None:
        return HttpResponse(204)
    if output.WhichOneof("data") != "http":
        return HttpResponse(200, PLAIN_TEXT, output.string.encode())
    http = output.http
    return HttpResponse(int(http.status_code), http.headers, http.body.bytes)
