"""Requests that switch services: the inspector's and the switches' have the same effects."""

from typing import Any

from aiohttp import web

from bot_workbench.emulator.services.fault_switches import FaultError
from bot_workbench.emulator.services.services import Services, UnknownServiceError


async def json_body(request: web.Request) -> Any:
    """The request's body.

    Raises:
        HTTPBadRequest: it is not JSON.
    """
    try:
        return await request.json()
    except (ValueError, RecursionError) as error:
        raise web.HTTPBadRequest(text="The body is not JSON.") from error


async def set_faults(services: Services, name: str, request: web.Request) -> None:
    """Set a service's faults to those in the body.

    Raises:
        HTTPBadRequest: the body is not JSON, or not of Faults' switches.
        HTTPNotFound: there is no such service.
    """
    switches = await json_body(request)
    try:
        services.set_faults(name, switches)
    except FaultError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
    except UnknownServiceError as error:
        raise web.HTTPNotFound(text=str(error)) from error


async def switch_service(services: Services, name: str, change: str) -> None:
    """Stop or start a service.

    Args:
        services: has it.
        name: the service's.
        change: `stop` or `start`.

    Raises:
        HTTPNotFound: there is no such service.
        HTTPConflict: another program has taken its port meanwhile.
    """
    try:
        await {"stop": services.stop, "start": services.start}[change](name)
    except UnknownServiceError as error:
        raise web.HTTPNotFound(text=str(error)) from error
    except OSError as error:
        raise web.HTTPConflict(text=f"The port of {name} is taken: {error}") from error
