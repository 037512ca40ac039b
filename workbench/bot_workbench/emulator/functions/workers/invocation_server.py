"""InvocationServer: runs functions in a worker process for triggers other than HTTP."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from bot_workbench.emulator.functions.errors import InvocationError
from bot_workbench.emulator.functions.http_front import HttpFront, HttpRequest, HttpResponse
from bot_workbench.emulator.functions.workers.protocol import TypedData
from bot_workbench.emulator.functions.workers.worker import FunctionsWorker

TARGET = "/admin/functions/{}"
_NAME = re.compile(TARGET.format(r"([\w-]+)"))


class InvocationServer(HttpFront):
    """Listens on a port of its own, so that no route of the app can collide with it.

    Only the host knows the port.

    Args:
        worker: a loaded one.
    """

    def __init__(self, worker: FunctionsWorker) -> None:
        super().__init__(self._answer)
        self._worker = worker
        self._functions = {function.name: function for function in worker.functions}

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        name = _NAME.fullmatch(request.target)
        function = self._functions.get(name[1]) if name else None
        if request.method != "POST" or function is None:
            return HttpResponse(404)
        data, metadata = _message(request.body)
        try:
            await self._worker.invoke(
                function, data, metadata, request.headers.get("traceparent", "")
            )
        except InvocationError as error:
            return HttpResponse(500, body=str(error).encode())
        return HttpResponse(200)


def invocation(
    name: str, data: TypedData, metadata: Mapping[str, TypedData], trace_parent: str = ""
) -> HttpRequest:
    """The request to run a function on a value; the answer is 200, or 500 with the trace.

    Args:
        name: the function's.
        data: what its trigger received.
        metadata: what else the trigger type provides.
        trace_parent: the invocation's `traceparent` (W3C Trace Context), if any.
    """
    fields = {key: _fields(value) for key, value in metadata.items()}
    body = json.dumps({"data": _fields(data), "metadata": fields}).encode()
    headers = {"content-length": str(len(body))}
    if trace_parent:
        headers["traceparent"] = trace_parent
    return HttpRequest("POST", TARGET.format(name), headers, body)


def _message(body: bytes) -> tuple[TypedData, dict[str, TypedData]]:
    content = json.loads(body)
    metadata = {key: _value(fields) for key, fields in content["metadata"].items()}
    return _value(content["data"]), metadata


def _fields(value: TypedData) -> dict[str, Any]:
    """A value as JSON has it: bytes are base64."""
    fields = vars(value)
    if "bytes" not in fields:
        return fields
    return {"bytes": base64.b64encode(fields["bytes"]).decode()}


def _value(fields: Mapping[str, Any]) -> TypedData:
    if "bytes" not in fields:
        return TypedData(**fields)
    return TypedData(bytes=base64.b64decode(fields["bytes"]))
