"""The Azure Functions app: the HTTP edge, and the one place where the parts are put together."""

import contextlib
import functools
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import azure.functions as func

from auth.caller import CallerCheck
from auth.channel_token import ChannelTokens
from auth.credentials import credential_for
from auth.errors import (
    BadRequest,
    BodyTooLarge,
    BotError,
    CallerForbidden,
    SettingsError,
    TokenRejected,
    Unavailable,
    UnsupportedBody,
)
from auth.http_pool import HttpPool
from auth.settings import Settings
from auth.signing_keys import SigningKeys
from auth.tokens import Tokens
from bot_logic.bot import Bot
from bot_logic.typing_indicator import TypingIndicator
from cloud_adapter.bot_authentication import BotAuthentication
from cloud_adapter.bot_credentials import BotCredentialsFactory
from cloud_adapter.cloud_adapter import CloudAdapter
from cloud_adapter.connector_session import ConnectorSession
from cloud_adapter.turn_request import TurnRequest
from cloud_adapter.turn_response import JSON_TYPE, TurnResponse

SETTINGS_RETRY_AFTER = 60
"""Seconds: wrong settings are not put right within a turn."""

log = logging.getLogger(__name__)
# The SDKs tell of each request, at INFO and with its headers, and of each odd answer with a trace.
logging.getLogger("azure.core").setLevel(logging.WARNING)
logging.getLogger("azure.identity").setLevel(logging.ERROR)
logging.getLogger("azure.keyvault").setLevel(logging.ERROR)
logging.getLogger("msal.token_cache").setLevel(logging.INFO)

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route("messages", methods=["POST"])
async def messages(req: func.HttpRequest) -> func.HttpResponse:
    """The messaging endpoint. The bearer token is its gate, so the function level is anonymous."""
    try:
        parts = composed()
        return to_http(await parts.adapter.process(from_http(req), parts.bot))
    except BotError as error:
        return to_http(refusal(error))


@app.route("health", methods=["GET"])
async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # its trigger
    """Are the settings right? What is wrong stands in the log only."""
    try:
        composed()
    except BotError as error:
        return to_http(refusal(error))
    return to_http(json_response({"status": "ok"}))


@app.route("identity", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def identity(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # its trigger
    """What proves that the bot can sign in, and as whom. Never the token."""
    try:
        return to_http(json_response(await identity_facts(composed())))
    except BotError as error:
        return to_http(refusal(error))


def from_http(request: func.HttpRequest) -> TurnRequest:
    """The trigger's request, free of the host. (The worker lower-cases the headers' names.)"""
    headers = request.headers
    return TurnRequest(
        content_type=headers.get("content-type", ""),
        authorization=headers.get("authorization", ""),
        body=request.get_body(),
    )


def to_http(response: TurnResponse) -> func.HttpResponse:
    """The host's answer for ours."""
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


def refusal(error: BotError) -> TurnResponse:
    """The answer for an error, and a line in the log with the cause.

    Raises:
        BotError: the error itself, when no caller should ever see one of its kind.
    """
    for kind, status, text in REFUSALS:
        if isinstance(error, kind):
            log.warning("Answered %d: %s%s", status, error, _causes(error))
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
) -> TurnResponse:
    """An answer that holds JSON."""
    return TurnResponse(status, json.dumps(data).encode(), headers or {})


@dataclass(frozen=True)
class Parts:
    """The app's long-lived objects, one of each in a process."""

    settings: Settings
    tokens: Tokens
    session: ConnectorSession
    adapter: CloudAdapter
    bot: Bot


@functools.cache
def composed() -> Parts:
    """The app's parts, put together on first use.

    Raises:
        SettingsError: every problem of the settings, each with its cure.
    """
    return compose(Settings.from_environ(os.environ))


def compose(settings: Settings) -> Parts:
    """Put the parts together. Nothing here reads, writes or connects."""
    for warning in settings.warnings:
        log.warning("%s", warning)
    pool = HttpPool()
    keys = SigningKeys(settings.channel_metadata_url, pool.get_document)
    caller_check = CallerCheck(
        ChannelTokens(keys, settings.channel_issuer),
        settings.app_id,
        settings.service_urls,
        settings.allowed_tenants,
    )
    tokens = Tokens(credential_for(settings, pool))
    session = ConnectorSession(pool)
    credentials = BotCredentialsFactory(
        settings.app_id, None if settings.unauthenticated else tokens
    )
    adapter = CloudAdapter(BotAuthentication(settings, caller_check, credentials, session))
    adapter.use(TypingIndicator())
    return Parts(settings, tokens, session, adapter, Bot())


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
