"""FunctionsServer: the HTTP front of a function app."""

import asyncio
import json
import logging
import os
import re
import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from urllib.parse import quote, unquote

from bot_workbench.emulator.feed.feed_address import FeedAddress
from bot_workbench.emulator.functions.errors import InvocationError
from bot_workbench.emulator.functions.http_front import (
    HttpFront,
    HttpRequest,
    HttpResponse,
    query_fields,
)
from bot_workbench.emulator.functions.key_access import KeyAccess
from bot_workbench.emulator.functions.route import ADMIN, Route
from bot_workbench.emulator.functions.timers.timer_info import timer_info
from bot_workbench.emulator.functions.workers.function import Function
from bot_workbench.emulator.functions.workers.protocol import Message, RpcHttpCookie, TypedData
from bot_workbench.emulator.functions.workers.worker import FunctionsWorker

LOG = logging.getLogger("bot_workbench.emulator.functions.server")

HOST_STATUS = "/admin/host/status"
ADMIN_FUNCTION = re.compile(r"/admin/functions/([^/]+)")
JSON = re.compile(r"((application|text)/|application/.+\+)json *(;.*)?", re.IGNORECASE)
"""The content types that the host reads JSON from."""

HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [ -~]*")
"""The characters that a header may have, by Kestrel's HttpCharacters."""
OWN_HEADERS = ("connection", "content-length", "date", "transfer-encoding")
"""The headers of an answer that the server writes itself."""

PLAIN_TEXT = {"Content-Type": "text/plain; charset=utf-8"}

NOT_RUNNING = HttpResponse(503, PLAIN_TEXT, b"Function host is not running.")
FRONT_PAGE = HttpResponse(200, PLAIN_TEXT, b"The Functions host is running.\n")


class FunctionsServer(HttpFront):
    """Serves the HTTP-triggered functions of a worker on loopback, as the Functions host does.

    What it passes to the functions and how it answers follows the source of Azure's host
    (azure-functions-host: GrpcMessageConversionExtensions, FunctionInvocationMiddleware,
    HostAvailabilityCheckMiddleware, FunctionsController). Requests run on the event loop that
    `start` was called on.

    `POST /admin/functions/NAME` with `{"input": "..."}` runs a function that is not
    HTTP-triggered.

    Args:
        worker: every call is answered 503 if it could not be loaded.
        function_key: see KeyAccess.
        master_key: see there.
    """

    def __init__(
        self,
        worker: FunctionsWorker,
        function_key: str | None = None,
        master_key: str | None = None,
    ) -> None:
        super().__init__(self._answer)
        self._worker = worker
        self._access = KeyAccess(function_key, master_key)
        self._functions = {each.name.lower(): each for each in worker.functions}
        self._routes = [
            Route(each, worker.route_prefix) for each in worker.functions if each.is_http
        ]
        self._disabled = [each for each in worker.functions if each.is_disabled(os.environ)]
        self._route = lru_cache(maxsize=1024)(self._find_route)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        path, _, query = request.target.partition("?")
        headers = request.headers
        fields = query_fields(query) if query else {}
        # The host's own routes come first.
        if path == HOST_STATUS:
            return self._access.refusal(ADMIN, headers, fields) or self._status()
        if request.method == "POST" and (admin := ADMIN_FUNCTION.fullmatch(path)):
            return self._access.refusal(ADMIN, headers, fields) or self._run_now(admin[1], request)
        if not self._worker.is_loaded:
            return NOT_RUNNING
        found = self._route(request.method, path)
        if found is None:
            return FRONT_PAGE if path == "/" else HttpResponse(404)
        route, params = found
        if refusal := self._access.refusal(route.level, headers, fields):
            return refusal
        if route.function in self._disabled and not self._access.opens(ADMIN, headers, fields):
            return HttpResponse(404)
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
            response = _response(outputs.get(route.output))
        except InvocationError as error:
            LOG.error("%s failed: %s", name, error)  # noqa: TRY400 # the text is the trace
            return HttpResponse(500)
        if FeedAddress.of(os.environ) is None:  # with a feed, each turn has a line of its own
            milliseconds = (time.perf_counter() - started) * 1000
            LOG.info("%s answered %d in %.1f ms", name, response.status, milliseconds)
        return response

    def _run_now(self, name: str, request: HttpRequest) -> HttpResponse:
        """Start a function on the text that the body has as `input`, and answer 202 immediately."""
        if not self._worker.is_loaded:
            return NOT_RUNNING
        if not JSON.fullmatch(request.headers.get("content-type", "")):
            return HttpResponse(415, PLAIN_TEXT, b"Content-Type must be application/json.")
        function = self._functions.get(name.lower())
        if function is None:
            return HttpResponse(404)
        if function.is_http:
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

    def _status(self) -> HttpResponse:
        state = json.dumps({"state": "Running" if self._worker.is_loaded else "Error"})
        return HttpResponse(200, {"Content-Type": "application/json"}, state.encode())

    def _find_route(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        # An encoded slash is not a separator: Kestrel leaves it encoded.
        decoded = unquote(path.replace("%2F", "%252F").replace("%2f", "%252f"))
        for route in self._routes:
            params = route.params(method, decoded)
            if params is not None:
                return route, params
        return None


def _input(body: bytes) -> str | None:
    """The body's `input`; None if it has none. Raises ValueError if the body has another form."""
    match json.loads(body):
        case {"input": str(text)}:
            return text
        case dict(content) if content.get("input") is None:
            return None
    raise ValueError


def _response(output: TypedData | None) -> HttpResponse:
    """The answer: 204 for a function without a result, 200 for one that returns text.

    Raises:
        InvocationError: Kestrel cannot send one of its headers.
    """
    if output is None:
        return HttpResponse(204)
    if output.WhichOneof("data") != "http":
        return HttpResponse(200, PLAIN_TEXT, output.string.encode())
    http = output.http
    headers = dict(http.headers)
    if http.cookies:  # of several, only the last arrives: seen with Azure's host 4.1037
        headers["Set-Cookie"] = _set_cookie(http.cookies[-1])
    for name, value in headers.items():
        is_wrong_length = name.lower() == "content-length" and value != str(len(http.body.bytes))
        if is_wrong_length or not HEADER.fullmatch(f"{name}: {value}"):
            raise InvocationError(f"its header {name!r} cannot be sent with {value!r}")
    sent = {name: value for name, value in headers.items() if name.lower() not in OWN_HEADERS}
    return HttpResponse(int(http.status_code), sent, http.body.bytes)


def _set_cookie(cookie: RpcHttpCookie) -> str:
    """The value of a cookie's Set-Cookie header.

    Source: azure-functions-host, GrpcMessageExtensionUtilities; ASP.NET Core, ResponseCookies and
    SetCookieHeaderValue. A cookie without a domain or a path gets an empty one.
    """
    fields = [f"{cookie.name}={quote(cookie.value, safe='')}"]
    if cookie.expires is not None:
        fields.append(f"expires={formatdate(cookie.expires.value.seconds, usegmt=True)}")
    if cookie.max_age is not None:
        fields.append(f"max-age={int(cookie.max_age.value)}")
    fields += [f"domain={cookie.domain.value}", f"path={cookie.path.value}"]
    fields += ["secure"] if cookie.secure.value else []
    fields += [f"samesite={cookie.same_site}"] if cookie.same_site else []
    fields += ["httponly"] if cookie.http_only.value else []
    return "; ".join(fields)
