"""FunctionsServer: the HTTP front of a function app."""

import asyncio
import hmac
import json
import logging
import os
import re
import time
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import parse_qsl, unquote

from emulator.cross_origin import has_loopback_host, is_cross_origin
from emulator.feed.feed_address import FeedAddress
from emulator.functions.errors import HostError, InvocationError
from emulator.functions.http_front import HttpFront, HttpRequest, HttpResponse
from emulator.functions.route import Route
from emulator.functions.timers.timer_info import timer_info
from emulator.functions.workers.function import Function
from emulator.functions.workers.protocol import Message, TypedData
from emulator.functions.workers.worker import FunctionsWorker

LOG = logging.getLogger("emulator.functions.server")

ADMIN_FUNCTION = re.compile(r"/admin/functions/([^/]+)")

PLAIN_TEXT = {"Content-Type": "text/plain; charset=utf-8"}

NOT_RUNNING = HttpResponse(503, PLAIN_TEXT, b"Function host is not running.")


class FunctionsServer(HttpFront):
    """Serves the HTTP-triggered functions of a worker on loopback, as the Functions host does.

    What it passes to the functions and how it answers follows the source of Azure's host
    (azure-functions-host: GrpcMessageConversionExtensions, FunctionInvocationMiddleware,
    HostAvailabilityCheckMiddleware, FunctionsController). Requests run on the event loop that
    `start` was called on.

    `POST /admin/functions/NAME` with `{"input": "..."}` runs a function that is not
    HTTP-triggered.

    Args:
        worker: a loaded one; without functions every call is answered 503.
        route_prefix: host.json's extensions.http.routePrefix.
        function_key: the key that calls of functions above the anonymous level, and of
            /admin/functions, must send in the header x-functions-key or the query parameter `code`.
            None: no key is needed, as in Core Tools, but the Host header of such a call must name
            this machine. Requests from pages of other sites are always refused.
    """

    def __init__(
        self, worker: FunctionsWorker, route_prefix: str = "api", function_key: str | None = None
    ) -> None:
        super().__init__(self._answer)
        self._worker = worker
        self._function_key = function_key
        # Azure matches routes in the order of the functions' names, and the first match wins.
        by_name = {each.name.lower(): each for each in worker.functions}
        self._functions = dict(sorted(by_name.items()))
        self._routes: list[Route] = []
        for function in self._functions.values():
            if function.trigger["type"] == "httpTrigger":
                self._add_route(function, route_prefix)
        self._route = lru_cache(maxsize=1024)(self._find_route)

    def _add_route(self, function: Function, prefix: str) -> None:
        try:
            self._routes.append(Route(function, prefix))
        except HostError as error:
            LOG.error("%s Calls to it are answered with 404.", error)  # noqa: TRY400 # it is all

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        path, _, query = request.target.partition("?")
        headers = request.headers
        fields = _query(query) if query else {}
        found = self._route(request.method, path)
        if found is None:
            if admin := ADMIN_FUNCTION.fullmatch(path):
                return self._refusal(True, headers, fields) or self._run_now(admin[1], request)
            return self._answer_without_function(path)
        route, params = found
        if refusal := self._refusal(route.needs_key, headers, fields):
            return refusal
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
        if not self._is_reported(http):
            milliseconds = (time.perf_counter() - started) * 1000
            LOG.info("%s answered %d in %.1f ms", name, response.status, milliseconds)
        return response

    def _is_reported(self, http: Message) -> bool:
        """Whether the local cloud has sent the request as part of a turn, which it reports."""
        return "traceparent" in http.headers and FeedAddress.of(os.environ) is not None

    def _run_now(self, name: str, request: HttpRequest) -> HttpResponse:
        """Start a function on the text that the body has as `input`, and answer 202 immediately."""
        if not self._functions:
            return NOT_RUNNING
        function = self._functions.get(name.lower())
        if function is None or request.method != "POST":
            return HttpResponse(404)
        if function.trigger["type"] == "httpTrigger":
            return HttpResponse(400, PLAIN_TEXT, b"Call it by its own URL: it has an HTTP trigger.")
        try:
            text = _input(request.body)
        except ValueError:
            return HttpResponse(400, PLAIN_TEXT, b'The body must be JSON: {"input": "TEXT"}.')
        data = TypedData() if text is None else TypedData(string=text)
        if function.trigger["type"] == "timerTrigger":
            data = timer_info()
        task = asyncio.create_task(self._run(function, data))
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        return HttpResponse(202)

    async def _run(self, function: Function, data: TypedData) -> None:
        try:
            await self._worker.invoke(function, data, {})
        except InvocationError as error:
            LOG.error("%s failed: %s", function.name, error)  # noqa: TRY400 # the text is the trace
        else:
            LOG.info("%s ran", function.name)

    def _answer_without_function(self, path: str) -> HttpResponse:
        running = bool(self._functions)
        if path == "/admin/host/status":
            state = json.dumps({"state": "Running" if running else "Error"})
            return HttpResponse(200, {"Content-Type": "application/json"}, state.encode())
        if not running:
            return NOT_RUNNING
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

    def _refusal(
        self, needs_key: bool, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> HttpResponse | None:
        """The answer to a caller that is not allowed; None if it is."""
        if self._is_from_another_site(needs_key, headers):
            return HttpResponse(403)
        if needs_key and not self._has_key(headers, query):
            return HttpResponse(401)
        return None

    def _is_from_another_site(self, needs_key: bool, headers: Mapping[str, str]) -> bool:
        # The channel may call through a tunnel, under the tunnel's name; it sends no Origin.
        is_open = needs_key and self._function_key is None
        if not (is_open or "origin" in headers):
            return False
        return is_cross_origin(headers) or not has_loopback_host(headers)

    def _has_key(self, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        if self._function_key is None:
            return True
        key = headers.get("x-functions-key", query.get("code", ""))
        return hmac.compare_digest(key.encode(), self._function_key.encode())


def _input(body: bytes) -> str | None:
    """The body's `input`; None if it has none. Raises ValueError if the body has another form."""
    match json.loads(body):
        case {"input": str(text)}:
            return text
        case dict(content) if content.get("input") is None:
            return None
    raise ValueError


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
