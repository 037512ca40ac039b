"""InvocationServer: where a worker process is handed what triggers other than HTTP received."""

import json
import re
from collections.abc import Mapping

from emulator.functions.http_front import HttpFront, HttpRequest, HttpResponse
from emulator.functions.workers.worker import FunctionsWorker, InvocationError, TypedData
from emulator.loopback import LOOPBACK

TARGET = "/admin/functions/{}"
_NAME = re.compile(TARGET.format(r"([\w-]+)"))


class InvocationServer:
    """Runs functions on a port of its own, so that no route of the app can be in the way.

    Nothing but the host knows the port.

    Args:
        worker: a loaded one.
    """

    def __init__(self, worker: FunctionsWorker) -> None:
        self._worker = worker
        self._functions = {function.name: function for function in worker.functions}
        self._front = HttpFront(self._answer)

    async def start(self) -> int:
        """Listen on a free port, and return it."""
        return await self._front.start(LOOPBACK, 0)

    async def stop(self) -> None:
        """Close the socket and every connection."""
        await self._front.stop(0)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        name = _NAME.fullmatch(request.target)
        function = self._functions.get(name[1]) if name else None
        if request.method != "POST" or function is None:
            return HttpResponse(404)
        text, metadata = _message(request.body)
        try:
            await self._worker.invoke(function, TypedData(string=text), metadata)
        except InvocationError as error:
            return HttpResponse(500, body=str(error).encode())
        return HttpResponse(200)


def invocation(name: str, text: str, metadata: Mapping[str, TypedData]) -> HttpRequest:
    """The request that runs a function on a text; answered 200, or 500 with the trace."""
    fields = {key: vars(value) for key, value in metadata.items()}
    body = json.dumps({"text": text, "metadata": fields}).encode()
    return HttpRequest("POST", TARGET.format(name), {"content-length": str(len(body))}, body)


def _message(body: bytes) -> tuple[str, dict[str, TypedData]]:
    content = json.loads(body)
    metadata = {key: TypedData(**value) for key, value in content["metadata"].items()}
    return content["text"], metadata
