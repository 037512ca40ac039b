"""The Azure Functions app: its triggers, the request and response translators, and the refusals."""

import asyncio
import contextlib
import functools
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import azure.functions as func

from auth.environment import Environment
from auth.errors import (
    BadRequest,
    BodyTooLarge,
    BotError,
    CallerForbidden,
    ConversationUnknown,
    SettingsError,
    TokenRejected,
    Unavailable,
    UnsupportedBody,
)
from auth.settings import (
    CALLERS,
    STORAGE,
    Settings,
    names_callers,
    names_queued_turns,
    names_storage,
)
from cloud_adapter.bot.agents_sdk import prepare_environment
from cloud_adapter.bot.folder import BotFolder, import_bot_sdk
from cloud_adapter.deadlines import StartLimit
from cloud_adapter.invocation_log import InvocationLog
from cloud_adapter.worker_process import LOCAL_WATCH, WATCH, guard_worker
from composition import VERSION, Composition, limit_sdk_logs
from http_client.observer import moment

if TYPE_CHECKING:  # imported at run time where they are used, for a faster cold start
    from cloud_adapter.adapter import TurnRequest, TurnResponse
    from cloud_adapter.bot.services import BotServices
    from cloud_adapter.skills import SkillRequest
    from cloud_adapter.storage.queue import ReceivedMessage

JSON_TYPE = "application/json"

SETTINGS_RETRY_AFTER = 60
"""The seconds in Retry-After if the settings are wrong, because correcting them takes a while."""

LOGGERS = (__name__, "auth", "cloud_adapter", "composition", "http_client", "asyncio")
"""The loggers, beside those of the bot, whose records must not be lost between invocations."""

HttpFunction = Callable[..., Awaitable[func.HttpResponse]]
QueueFunction = Callable[..., Awaitable[None]]
"""The functions of the triggers: they get the request or the message and, with telemetry, the
context of the host's invocation."""

log = logging.getLogger(__name__)
invocation_log = InvocationLog()
bot_folder = BotFolder((Path(__file__).parent / "bot_logic").resolve())
composition = Composition(
    lambda: Settings.from_environ(os.environ), os.environ, bot_folder.create_bot
)
app = func.FunctionApp()


limit_sdk_logs()
with contextlib.suppress(RuntimeError):  # no event loop: a test, or a tool that inspects the app
    # The worker imports this module in its running event loop, before the first request arrives. So
    # the warm-up can import and fetch what a turn needs in the meantime.
    composition.start()
    invocation_log.attach({*LOGGERS, *bot_folder.module_names})
    guard_worker(bot_folder.path, LOCAL_WATCH if Environment(os.environ).development else WATCH)
prepare_environment(os.environ)  # before the bot is imported, and after its warning can be held


def http_function(function: HttpFunction) -> HttpFunction:
    """Run an HTTP function within the invocation log, and answer a `BotError` with `refusal`."""

    @functools.wraps(function)
    async def invoked(req: func.HttpRequest) -> func.HttpResponse:
        with invocation_log.invocation():
            try:
                return await function(req)
            except BotError as error:
                return refusal(error)

    return traced_http(invoked)


def traced_http(function: HttpFunction) -> HttpFunction:
    """With telemetry, run an HTTP function in the trace of the host's invocation."""
    if composition.exports is None:
        return function

    # Not `wraps`: the worker would look up the parameters of the wrapped function.
    async def traced(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        from cloud_adapter.telemetry.spans import host_trace

        with host_trace(context.trace_context.trace_parent):
            return await function(req)

    traced.__name__ = function.__name__
    return traced


def traced_queue(function: QueueFunction) -> QueueFunction:
    """With telemetry, run a queue's function in the trace of the host's invocation."""
    if composition.exports is None:
        return function

    async def traced(message: func.QueueMessage, context: func.Context) -> None:
        from cloud_adapter.telemetry.spans import host_trace

        with host_trace(context.trace_context.trace_parent):
            await function(message)

    traced.__name__ = function.__name__
    return traced


@app.route("messages", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@http_function
async def messages(req: func.HttpRequest) -> func.HttpResponse:
    """The messaging endpoint. The adapter checks the bearer token, so no function key is needed."""
    arrived_at = asyncio.get_running_loop().time()
    if (parts := composition.parts) is None:
        with StartLimit(arrived_at, "the app's start"):
            parts = await composition.ready()
    return to_http(await parts.adapter.process(from_http(req, arrived_at), parts.bot))


@app.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@http_function
async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # its trigger
    """Report whether a turn can run: 200 if the settings, signing keys and token are valid.

    Missing keys and tokens are requested, as in a turn, so that a probe notices the end of an
    outage even if no turns arrive. Only the log says why a response is 503.
    """
    parts = await composition.ready()
    if not parts.settings.unauthenticated:
        audience = parts.settings.channel_audience
        keys = [each for each in (parts.keys, parts.bot_keys) if each is not None]
        await asyncio.gather(*(each.ensure_known() for each in keys), parts.tokens.get(audience))
    return json_response({"status": "ok"})


@app.route("identity", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@http_function
async def identity(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # its trigger
    """Return facts that prove that the bot can sign in, and as whom; without the token.

    They name the version and the package that answer, too.
    """
    parts = await composition.ready()
    proof = await parts.adapter.bot_framework_authentication.sign_in_proof()
    return json_response({**proof, "version": VERSION, "package": parts.package})


async def skills(req: func.HttpRequest) -> func.HttpResponse:
    """The connector API that this bot offers its skills: the endpoint for their replies."""
    parts = await composition.ready()
    if parts.skill_replies is None:
        raise SettingsError([f"{CALLERS}: it is missing; it must list the skills that may reply"])
    return to_http(await parts.skill_replies.process(skill_request(req)))


# Without AllowedCallers, the function does not exist, so nobody can probe it.
if names_callers(os.environ):
    route = "skills/v3/{*path}"
    methods = ["GET", "POST", "PUT", "DELETE"]
    app.route(route, methods=methods, auth_level=func.AuthLevel.ANONYMOUS)(http_function(skills))


async def turns(message: func.QueueMessage) -> None:
    """Run the turns of the stored activities of the conversation that a wake-up message names."""
    with invocation_log.invocation():
        parts = await composition.ready()
        await parts.adapter.process_wake_up(received(message), parts.bot)


async def notifications(message: func.QueueMessage) -> None:
    """Send a notification: a proactive message to one or many conversations."""
    with invocation_log.invocation():
        parts = await composition.ready()
        if parts.services.notifications is None:
            raise SettingsError([f"{STORAGE}: it is missing; notifications need its queue"])
        await parts.services.notifications.handle_message(received(message))


# Without storage, a queue trigger's function is in error, and Core Tools do not start. With it, the
# host polls the queue of each trigger, which costs money even if nothing is ever put into it. The
# queue names are repeated here because importing them would import the bot SDK before the host has
# listed the functions. As text, the host would fail with what is not UTF-8, a thousand times.
if names_storage(os.environ):
    binary = func.DataType.BINARY
    if names_queued_turns(os.environ):
        app.queue_trigger("message", "bot-turns", STORAGE, binary)(traced_queue(turns))
    app.queue_trigger("message", "bot-notifications", STORAGE, binary)(traced_queue(notifications))


async def bot_services() -> "BotServices":
    """The bot's services, for the functions in its routes.py."""
    try:
        return (await composition.ready()).services
    finally:
        invocation_log.flush()


route_faults: Sequence[str] = ()
"""The problems of the bot's routes.py, a line each: the functions that are left out, and why."""

if bot_folder.has_routes:
    # Imported now and not in the warm-up, because the host lists the functions now.
    import_bot_sdk()
    from cloud_adapter.bot.routes import usable_functions

    try:
        usable, route_faults = usable_functions(bot_folder.create_routes(bot_services))
        app.register_functions(usable)
    except (Exception, SystemExit) as error:  # the bot still answers messages
        reason = f"{type(error).__name__}: {error}"
        route_faults = [f"all its functions, because it cannot be loaded: {reason}"]
        log.exception("routes.py cannot be loaded, so its functions are missing")
    else:
        for fault in route_faults:
            log.error("Left out of routes.py: %s", fault)


def from_http(request: func.HttpRequest, arrived_at: float | None = None) -> "TurnRequest":
    """The request, independent of the host. (The worker has lower-cased the header names.)

    Args:
        request: as the host has received it.
        arrived_at: see TurnRequest.
    """
    from cloud_adapter.adapter import TurnRequest

    headers = request.headers
    return TurnRequest(
        content_type=headers.get("content-type", ""),
        authorization=headers.get("authorization", ""),
        body=request.get_body(),
        arrived_at=arrived_at,
    )


def received(message: func.QueueMessage) -> "ReceivedMessage":
    """The message, independent of the host."""
    from cloud_adapter.storage.queue import ReceivedMessage

    text = message.get_body().decode(errors="surrogateescape")
    return ReceivedMessage(
        message.id or "", text, message.dequeue_count or 1, message.pop_receipt or ""
    )


def skill_request(request: func.HttpRequest) -> "SkillRequest":
    """A skill's request, independent of the host."""
    from cloud_adapter.skills import SkillRequest

    path = request.route_params.get("path", "")
    return SkillRequest(request.method, path, request.params, from_http(request))


def to_http(response: "TurnResponse") -> func.HttpResponse:
    """A turn's response in the host's form."""
    return func.HttpResponse(
        response.body,
        status_code=response.status,
        mimetype=JSON_TYPE if response.body else None,
    )


REFUSALS: tuple[tuple[type[BotError], int, str], ...] = (
    (BodyTooLarge, 413, "The body is too large."),
    (UnsupportedBody, 415, "The content type is not JSON."),
    (BadRequest, 400, "The body is not an activity."),
    (TokenRejected, 401, "The caller is not authenticated."),
    (CallerForbidden, 403, "The caller is not allowed."),
    (ConversationUnknown, 404, "The conversation is not known."),
    (SettingsError, 503, "The bot is not available."),
    (Unavailable, 503, "The bot is not available."),
)
"""For each branch of the error tree, the status and the text that a caller gets; the first match
counts."""


@moment("refusal")
def refusal(error: BotError) -> func.HttpResponse:
    """The response for an error. The log gets the error's text and its causes.

    Raises:
        BotError: the error itself, if REFUSALS has no status for it: the host must handle it.
    """
    for kind, status, text in REFUSALS:
        if isinstance(error, kind):
            # The error's text, not the error: a log handler that keeps the record would also keep
            # the traceback, and with it the body.
            log.warning("Answered %d: %s%s", status, str(error), _causes(error))
            return json_response({"error": text}, status, _refusal_headers(error))
    raise error


def _refusal_headers(error: BotError) -> dict[str, str]:
    if isinstance(error, TokenRejected):
        return {"WWW-Authenticate": "Bearer"}  # RFC 9110, 11.6.1
    if isinstance(error, Unavailable):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, SettingsError):
        return {"Retry-After": str(SETTINGS_RETRY_AFTER)}
    return {}


def _causes(error: BaseException) -> str:
    cause = error.__cause__
    if cause is None:
        return ""
    # Further causes are shown only for Unavailable: those of a refused body may quote the body.
    deeper = _causes(cause) if isinstance(error, Unavailable) else ""
    # Only the first line: the SDKs append the response's body, which may contain a token.
    text = "".join(f": {line}" for line in str(cause).splitlines()[:1])
    return f"; caused by {type(cause).__name__}{text}{deeper}"


def json_response(
    data: Mapping[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> func.HttpResponse:
    """A response with a JSON body."""
    return func.HttpResponse(
        json.dumps(data), status_code=status, headers=headers, mimetype=JSON_TYPE
    )
