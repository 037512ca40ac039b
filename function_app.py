"""The Azure Functions app: the HTTP edge, and the one place where the parts are put together."""

import asyncio
import contextlib
import functools
import gc
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import azure.functions as func

from auth.errors import (
    BadRequest,
    BodyTooLarge,
    BotError,
    CallerForbidden,
    CompositionFailed,
    SettingsError,
    TokenRejected,
    Unavailable,
    UnsupportedBody,
)
from auth.settings import STORAGE, Settings, StorageSource, names_storage
from cloud_adapter.invocation_log import InvocationLog

if TYPE_CHECKING:  # the rest is imported where it is used, for the sake of a cold start: `warm_up`
    from auth.inbound.signing_keys import SigningKeys
    from auth.outbound.token_provider import TokenProvider
    from bot_logic.bot import Bot
    from cloud_adapter.adapter import CloudAdapter
    from cloud_adapter.connector.session import ConnectorSession
    from cloud_adapter.request import TurnRequest
    from cloud_adapter.response import TurnResponse
    from cloud_adapter.storage.account import StorageAccount
    from cloud_adapter.stores import Stored, Stores
    from http_client.pool import HttpPool

JSON_TYPE = "application/json"

SETTINGS_RETRY_AFTER = 60
"""Seconds: wrong settings are not put right within a turn."""

GARBAGE_LOOK_EVERY = 50_000
"""Objects in use for one more look for garbage, in place of Python's 2,000: a dozen turns at a time
have as many, none of it garbage."""

log = logging.getLogger(__name__)
invocation_log = InvocationLog()
LOGGERS = (__name__, "auth", "bot_logic", "cloud_adapter", "http_client", "asyncio")
"""The loggers whose lines must not be lost between invocations."""

# The SDKs tell of each request, at INFO and with its headers, and of each odd answer with a trace.
logging.getLogger("azure.core").setLevel(logging.WARNING)
logging.getLogger("azure.identity").setLevel(logging.ERROR)
logging.getLogger("azure.keyvault").setLevel(logging.ERROR)
logging.getLogger("azure.storage").setLevel(logging.ERROR)
logging.getLogger("msal.token_cache").setLevel(logging.INFO)

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


HttpFunction = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


def http_function(function: HttpFunction) -> HttpFunction:
    """Run an HTTP function within the invocation log, and answer each `BotError` by `refusal`."""

    @functools.wraps(function)
    async def invoked(req: func.HttpRequest) -> func.HttpResponse:
        with invocation_log.invocation():
            try:
                return await function(req)
            except BotError as error:
                return refusal(error)

    return invoked


@app.route("messages", methods=["POST"])
@http_function
async def messages(req: func.HttpRequest) -> func.HttpResponse:
    """The messaging endpoint. The bearer token is its gate, so the function level is anonymous."""
    parts = await ready()
    return to_http(await parts.adapter.process(from_http(req), parts.bot))


@app.route("health", methods=["GET"])
@http_function
async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # its trigger
    """Whether a turn can run: with valid settings, signing keys and a token.

    Missing keys and tokens are requested, as in a turn: so a probe notices the end of an outage
    even when no turns arrive. Only the log says why the answer is 503.
    """
    parts = await ready()
    if not parts.settings.unauthenticated:
        audience = parts.settings.channel_audience
        await asyncio.gather(parts.keys.ensure_known(), parts.tokens.get(audience))
    return json_response({"status": "ok"})


@app.route("identity", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@http_function
async def identity(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # its trigger
    """What proves that the bot can sign in, and as whom. Never the token."""
    return json_response(await identity_facts(await ready()))


async def turns(message: func.QueueMessage) -> None:
    """An activity waits for its turn."""
    with invocation_log.invocation():
        parts = await ready()
        if parts.stored is None:
            raise SettingsError([f"{STORAGE}: it is missing; turns wait in its queue"])
        run = functools.partial(parts.adapter.run_delivered, bot=parts.bot)
        text, count = message.get_body().decode(), message.dequeue_count or 1
        await parts.stored.queued_turns.answer(text, count, run)


async def notifications(message: func.QueueMessage) -> None:
    """Something is to be told to many conversations."""
    with invocation_log.invocation():
        parts = await ready()
        if parts.stored is None:
            raise SettingsError([f"{STORAGE}: it is missing; notifications wait in its queue"])
        text = message.get_body().decode(errors="replace")
        await parts.stored.notifications.send(text, message.id or "", parts.adapter)


if names_storage(os.environ):  # without it a host does not start where a queue is a trigger
    for function, queue in ((turns, "bot-turns"), (notifications, "bot-notifications")):
        app.queue_trigger("message", queue, STORAGE)(function)


def from_http(request: func.HttpRequest) -> "TurnRequest":
    """The trigger's request, free of the host. (The worker lower-cases the headers' names.)"""
    from cloud_adapter.request import TurnRequest

    headers = request.headers
    return TurnRequest(
        content_type=headers.get("content-type", ""),
        authorization=headers.get("authorization", ""),
        body=request.get_body(),
    )


def to_http(response: "TurnResponse") -> func.HttpResponse:
    """The host's answer for a turn's."""
    return func.HttpResponse(
        response.body,
        status_code=response.status,
        headers=response.headers,
        mimetype=JSON_TYPE if response.body else None,
    )


REFUSALS: tuple[tuple[type[BotError], int, str], ...] = (
    (BodyTooLarge, 413, "The body is too large."),
    (UnsupportedBody, 415, "The content type is not JSON."),
    (BadRequest, 400, "The body is not an activity."),
    (TokenRejected, 401, "The caller is not authenticated."),
    (CallerForbidden, 403, "The caller is not allowed."),
    (SettingsError, 503, "The bot is not available."),
    (Unavailable, 503, "The bot is not available."),
)
"""What a caller hears of each branch of the error tree; the first that fits."""


def refusal(error: BotError) -> func.HttpResponse:
    """The answer for an error, and a line in the log with the cause.

    Raises:
        BotError: the error itself, when no caller should ever see one of its kind.
    """
    for kind, status, text in REFUSALS:
        if isinstance(error, kind):
            # str: a handler that keeps the record would keep the error's traceback and the body.
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
    # What lies deeper under a refused body may quote it.
    deeper = _causes(cause) if isinstance(error, Unavailable) else ""
    # The first line: the SDKs put the answer's body, which may hold a token, behind it.
    text = "".join(f": {line}" for line in str(cause).splitlines()[:1])
    return f"; caused by {type(cause).__name__}{text}{deeper}"


def json_response(
    data: Mapping[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> func.HttpResponse:
    """An answer that holds JSON."""
    return func.HttpResponse(
        json.dumps(data), status_code=status, headers=headers, mimetype=JSON_TYPE
    )


@dataclass(frozen=True)
class Inbound:
    """What a caller's check needs first: few imports, and the channel's keys."""

    settings: Settings
    pool: "HttpPool"
    keys: "SigningKeys"


@dataclass(frozen=True)
class Parts:
    """The app's long-lived objects, one of each in a process."""

    settings: Settings
    keys: "SigningKeys"
    tokens: "TokenProvider"
    session: "ConnectorSession"
    stores: "Stores"
    stored: "Stored | None"
    adapter: "CloudAdapter"
    bot: "Bot"


def compose(settings: Settings) -> Parts:
    """Put the parts together. Nothing here reads, writes or connects."""
    inbound = compose_inbound(settings)
    return compose_turns(inbound, compose_tokens(inbound))


def compose_inbound(settings: Settings) -> Inbound:
    """The first step, with httptools and cryptography."""
    from auth.inbound.signing_keys import SigningKeys
    from http_client.pool import HttpPool

    for warning in settings.warnings:
        log.warning("%s", warning)
    pool = HttpPool()
    return Inbound(settings, pool, SigningKeys(settings.channel_metadata_url, pool.get_document))


def compose_tokens(inbound: Inbound) -> "TokenProvider":
    """The second, with what the credential needs of Azure's SDKs and MSAL."""
    from auth.outbound.credentials import credential_for
    from auth.outbound.token_provider import TokenProvider

    return TokenProvider(credential_for(inbound.settings, inbound.pool))


def compose_turns(inbound: Inbound, tokens: "TokenProvider") -> Parts:
    """The third, with the bot SDK and the bot."""
    from cloud_adapter.bot_sdk import import_bot_sdk

    import_bot_sdk()
    from auth.inbound.caller import CallerCheck
    from auth.inbound.channel_token import ChannelTokens
    from bot_logic.bot import Bot
    from bot_logic.typing_indicator import TypingIndicator
    from cloud_adapter.adapter import CloudAdapter
    from cloud_adapter.authentication import BotAuthentication
    from cloud_adapter.connector.credentials import BotCredentialsFactory
    from cloud_adapter.connector.session import ConnectorSession
    from cloud_adapter.proactive.middleware import ConversationReferenceMiddleware
    from cloud_adapter.state.middleware import AutoSaveStateMiddleware
    from cloud_adapter.stores import Stored, Stores

    settings = inbound.settings
    caller_check = CallerCheck(
        ChannelTokens(inbound.keys, settings.channel_issuer),
        settings.app_id,
        settings.service_urls,
        settings.allowed_tenants,
    )
    session = ConnectorSession(inbound.pool)
    credentials = BotCredentialsFactory(
        settings.app_id, None if settings.unauthenticated else tokens
    )
    account = compose_account(settings.storage)
    stores = Stores.of(account)
    redact = not settings.development
    stored = Stored.of(account, stores.locks, redact=redact) if account else None
    adapter = CloudAdapter(
        BotAuthentication(settings, caller_check, credentials, session),
        stored.queued_turns if stored and settings.queued else None,
        redact=redact,
    )
    if stored:  # around the typing indicator: it may go on when the user is answered
        adapter.use(ConversationReferenceMiddleware(stored.references))
    adapter.use(TypingIndicator())
    adapter.use(AutoSaveStateMiddleware(stores.locks, stores.conversation_state, stores.user_state))
    bot = Bot(stores.conversation_state)
    return Parts(settings, inbound.keys, tokens, session, stores, stored, adapter, bot)


def compose_account(source: StorageSource | None) -> "StorageAccount | None":
    """The storage account, where there is one."""
    if source is None:
        return None
    from auth.outbound.credentials import storage_identity
    from cloud_adapter.storage.account import StorageAccount

    return StorageAccount(source, storage_identity(source))


@functools.cache
def composed_inbound() -> Inbound:
    """This process's.

    Raises:
        SettingsError: every problem of the settings, each with its cure.
    """
    return compose_inbound(Settings.from_environ(os.environ))


@functools.cache
def composed_tokens() -> "TokenProvider":
    """This process's; raises as `composed_inbound`."""
    return compose_tokens(composed_inbound())


@functools.cache
def composed() -> Parts:
    """This process's parts, put together on first use; raises as `composed_inbound`."""
    return compose_turns(composed_inbound(), composed_tokens())


async def ready() -> Parts:
    """Wait for the warm-up, and return the parts.

    Raises:
        SettingsError: every problem of the settings, each with its cure.
        CompositionFailed: a module cannot be imported, or an object cannot be created.
    """
    if not (begun := warm_up()).done():
        await asyncio.shield(begun)
    try:
        return composed()
    except BotError:
        raise
    except Exception as error:
        raise CompositionFailed from error


@functools.cache
def warm_up() -> "asyncio.Task[None]":
    """Begins the process's one warm-up, which never fails: what is wrong, `composed` raises."""
    return asyncio.get_running_loop().create_task(_warm_up())


async def _warm_up() -> None:
    """Compose step by step in a thread, with the first requests under way meanwhile.

    Until the last step is done, only this thread imports the project's modules: whoever needs a
    part awaits `ready`. The Azure SDKs import more modules on the event loop, at their first
    request, but only from packages that an earlier step has imported and that do not use the bot
    SDK. So one import may wait for another, but two never wait for each other. aiohttp, whose
    import the bot SDK's step defers, is imported before that step by the credentials that use it,
    and after it for storage.
    """
    gc.disable()  # what imports make is never garbage, and looking through it a fifth of their time
    try:
        inbound = await asyncio.to_thread(composed_inbound)
        authenticated = not inbound.settings.unauthenticated
        if authenticated:
            inbound.keys.prefetch()
        tokens = await asyncio.to_thread(composed_tokens)
        if authenticated:
            tokens.prefetch(inbound.settings.channel_audience)
        parts = await asyncio.to_thread(composed)
        if parts.stored:
            parts.stored.account.prefetch()
    except SettingsError:
        pass  # each caller hears of them
    except Exception:  # each caller gets CompositionFailed; the traceback is logged only here
        log.exception("The app cannot be put together")
    finally:
        gc.freeze()
        gc.set_threshold(GARBAGE_LOOK_EVERY)
        gc.enable()


async def identity_facts(parts: Parts) -> dict[str, Any]:
    """The facts that `identity` answers.

    Raises:
        SignInError: the bot cannot sign in.
    """
    settings, last = parts.settings, parts.session.last_success
    token = await parts.tokens.get(settings.channel_audience)
    return {
        "kind": settings.credential,
        "appId": settings.app_id,
        "appType": settings.app_type,
        "tenantId": settings.tenant_id,
        "authority": settings.authority,
        "audience": settings.channel_audience,
        "expiresOn": _moment(token.expires_on),
        "certificateKeyUse": settings.certificate.key_use if settings.certificate else None,
        "certificateThumbprint": token.thumbprint or None,
        "certificateExpiresOn": _moment(token.certificate_expires_on),
        "warnings": parts.tokens.warnings,
        "lastOutboundCall": last.isoformat() if last else None,
    }


def _moment(seconds: float) -> str | None:
    # An endpoint may name a year that no calendar has.
    with contextlib.suppress(ValueError, OverflowError):
        return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else None
    return None


with contextlib.suppress(RuntimeError):  # no event loop runs: a test, or a tool that looks
    warm_up()
    invocation_log.attach(LOGGERS)
