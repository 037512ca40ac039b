"""Measures the memory that a request costs the bot's process."""

import gc
import tracemalloc
from collections.abc import Callable
from typing import NamedTuple

import azure.functions as func

from auth.errors import BotError
from cloud_adapter.adapter import TurnResponse
from function_app import from_http, refusal, to_http
from tests.support.bots.composed_app import ComposedApp


class Cost(NamedTuple):
    """The cost of one request.

    Attributes:
        status: of the HTTP response.
        peak: the most bytes that Python had allocated at once for the body and everything made from
            it, until the response. The garbage collector does not run meanwhile, since when it
            would depends on all that the process holds.
        kept: how many of these bytes are still allocated after the request has been released.
    """

    status: int
    peak: int
    kept: int


async def request_cost(app: ComposedApp, body: Callable[[], bytes], authorization: str) -> Cost:
    """Process a request as the host would, and measure it.

    Args:
        app: warmed up.
        body: makes the body, after the measurement has started.
        authorization: the value of the Authorization header.
    """
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        request = http_request(body(), authorization)
        tracemalloc.reset_peak()
        status = await answered(app, request)
        _, peak = tracemalloc.get_traced_memory()
        del request
        left, _ = tracemalloc.get_traced_memory()
        return Cost(status, peak - before, left - before)
    finally:
        tracemalloc.stop()
        gc.enable()


def http_request(body: bytes, authorization: str) -> func.HttpRequest:
    """A request, as the worker hands it to the trigger."""
    headers = {"content-type": "application/json", "authorization": authorization}
    return func.HttpRequest("POST", "/api/messages", headers=headers, body=body)


async def answered(app: ComposedApp, request: func.HttpRequest) -> int:
    """Do what function_app's `messages` does, with the app's parts; returns the status."""
    try:
        response: TurnResponse = await app.parts.adapter.process(from_http(request), app.parts.bot)
        status: int = to_http(response).status_code
    except BotError as error:
        status = refusal(error).status_code
    return status
