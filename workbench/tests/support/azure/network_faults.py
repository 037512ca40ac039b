"""Faults of the network, which a request meets instead of its answer."""

from aiohttp import web

from bot_workbench.emulator.faults import Handler
from tests.support.azure.writes import Interference

ERROR = {"error": {"code": "TooManyRequests", "message": "Wait."}}


async def throttled(request: web.Request, handler: Handler) -> web.StreamResponse:  # noqa: ARG001
    """Not done: the service asks to wait."""
    return web.json_response(ERROR, status=429, headers={"Retry-After": "7"})


async def unavailable(request: web.Request, handler: Handler) -> web.StreamResponse:  # noqa: ARG001
    """Not done: the service is overloaded."""
    return web.Response(status=503, text="<html>The service is unavailable.</html>")


async def failed_after(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Done, but a gateway says that it was not."""
    await handler(request)
    return web.Response(status=502, text="<html>Bad gateway</html>")


async def reset_before(request: web.Request, handler: Handler) -> web.StreamResponse:  # noqa: ARG001
    """Not done: the connection breaks."""
    return _reset(request)


async def reset_after(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Done, but the connection breaks before the answer."""
    await handler(request)
    return _reset(request)


def _reset(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


NOT_DONE: list[Interference] = [throttled, unavailable, reset_before]
DONE: list[Interference] = [failed_after, reset_after]
