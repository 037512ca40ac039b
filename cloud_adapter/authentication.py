"""BotAuthentication: gives botbuilder's adapter this project's caller check and credentials."""

import asyncio
import contextlib
import datetime
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from botbuilder.core import Storage
from botbuilder.schema import Activity, CallerIdConstants, RoleTypes
from botframework.connector.auth import (
    AuthenticationConstants,
    BotFrameworkAuthentication,
    ClaimsIdentity,
    SkillValidation,
)
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult
from botframework.connector.auth.connector_factory import ConnectorFactory

from auth.bot_framework import BotCredentials, BotCredentialsFactory
from auth.errors import TokenRejected
from auth.inbound.bearer_token import BearerToken
from auth.inbound.caller import LOOPBACK_HOSTS, ActivityOrigin, CallerCheck
from auth.outbound.token_provider import AccessToken, TokenProvider
from auth.settings import Settings
from cloud_adapter.activities import tenant_ids
from cloud_adapter.connector.client import (
    BOT_TIMEOUTS,
    NO_RETRIES,
    RETRIES,
    TURN_SECONDS,
    ConnectorClient,
    ConnectorSession,
    NoUserTokenClient,
    Service,
    UserTokenClient,
)
from cloud_adapter.connector.skills import SkillClient
from cloud_adapter.home_loop import on_home_loop
from http_client.observer import moment
from http_client.pool import DEFAULT_TIMEOUTS, HttpPool
from http_client.retry import RetryPolicy


class _Tokens:
    """The bot's tokens, for callers on any event loop.

    Args:
        provider: requests them on the bot's loop.
    """

    def __init__(self, provider: TokenProvider) -> None:
        self._provider = provider

    @on_home_loop
    async def get(self, audience: str) -> AccessToken:
        """A valid token for `audience`; raises as TokenProvider does."""
        return await self._provider.get(audience)


class BotConnectorFactory(ConnectorFactory):  # type: ignore[misc]  # untyped SDK base
    """Makes each turn's clients: of the connector, and of the token service.

    Args:
        settings: the service URLs that the bot may call, the channel's audience, the bots that may
            call this one, and the token service.
        credentials: makes the bot's credentials.
        session: sends the calls.
        turn_seconds: seconds from a client's creation in which its calls may be tried again; None:
            each call has CALL_SECONDS of its own.
        retries: how often a call of the connector is tried; those of the token service have
            RETRIES.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: BotCredentialsFactory,
        session: ConnectorSession,
        turn_seconds: float | None,
        retries: RetryPolicy = RETRIES,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._session = session
        self._turn_seconds = turn_seconds
        self._retries = retries

    @on_home_loop
    @moment("connector.sign_in")
    async def create(self, service_url: str, audience: str | None = None) -> ConnectorClient:
        """Get a token, and return a client for the service URL of a channel or of another bot.

        Args:
            service_url: the URL.
            audience: the app id (GUID) of the other bot, or the channel's audience; None: the
                channel's.

        Raises:
            ServiceUrlRefused: the bot must not call this URL.
            SignInError: no token is available.
        """
        is_bot = audience in self._settings.bot_callers.app_ids
        if is_bot:
            self._settings.service_urls.check_of_bot(service_url)
        else:
            self._settings.service_urls.check(service_url)
        deadline = self._deadline()
        audience = audience or self._settings.channel_audience
        credentials = await self._credentials.create_credentials("", audience)
        timeouts = BOT_TIMEOUTS if is_bot else DEFAULT_TIMEOUTS
        connector = Service(service_url, credentials, deadline, self._retries, timeouts)
        return ConnectorClient(self._session, connector)

    def create_user_token_client(self) -> UserTokenClient | NoUserTokenClient:
        """A client of the Bot Framework token service, which gets a token when it is first used.

        Without authentication, only a token service on this machine is called: Microsoft's would
        refuse a call without a token.
        """
        settings = self._settings
        host = urlsplit(settings.token_service_url).hostname
        if settings.unauthenticated and host not in LOOPBACK_HOSTS:
            return NoUserTokenClient()
        credentials = self._credentials.for_audience(settings.channel_audience)
        token_service = Service(settings.token_service_url, credentials, self._deadline())
        return UserTokenClient(self._session, token_service)

    def _deadline(self) -> float | None:
        seconds = self._turn_seconds
        return None if seconds is None else asyncio.get_running_loop().time() + seconds


class BotAuthentication(BotFrameworkAuthentication):  # type: ignore[misc]  # untyped SDK base
    """Implements the authentication that CloudAdapterBase needs, inbound and outbound.

    Args:
        settings: the bot's settings.
        caller_check: decides who may send the bot an activity.
        tokens: the bot's tokens.
        session: sends calls to the channel's services.
        pool: the HTTP client, which sends calls to skills.
        process_started_on: when this process loaded the app (seconds since 1970, UTC).
    """

    def __init__(
        self,
        settings: Settings,
        caller_check: CallerCheck,
        tokens: TokenProvider,
        session: ConnectorSession,
        pool: HttpPool,
        process_started_on: float,
    ) -> None:
        self._settings = settings
        self._caller_check = caller_check
        self._tokens = tokens
        self._session = session
        self._pool = pool
        self._process_started_on = process_started_on
        self._credentials = BotCredentialsFactory(
            settings.app_id, None if settings.unauthenticated else _Tokens(tokens)
        )
        shared = (settings, self._credentials, session)
        self._turn_connectors = BotConnectorFactory(*shared, TURN_SECONDS)
        self._background_connectors = BotConnectorFactory(*shared, None)
        self._unretried_connectors = BotConnectorFactory(*shared, None, NO_RETRIES)

    @moment("caller.authenticate")
    async def authenticate(self, authorization: str) -> BearerToken | None:
        """Verify and return the caller's token; None if callers are not authenticated.

        This needs no activity, so that the body is parsed only if the caller is authenticated.

        Args:
            authorization: the value of the Authorization header; empty if there is none.

        Raises:
            TokenRejected, CallerForbidden, KeysUnavailable: see CallerCheck.
        """
        if self._settings.unauthenticated:
            return None
        return await self._caller_check.authenticate(authorization)

    @moment("caller.authorize")
    def authorize(self, token: BearerToken | None, activity: Activity) -> AuthenticateRequestResult:
        """Check that a caller may send this activity, and return the caller's identity.

        Args:
            token: the token that `authenticate` returned.
            activity: the activity as received.

        Raises:
            CallerForbidden: the caller may not send the activity, see CallerCheck.
        """
        origin = ActivityOrigin(activity.channel_id, activity.service_url, tenant_ids(activity))
        if token is None:
            self._caller_check.check_reach(origin)
            return self._caller(_anonymous_claims(activity), self._turn_connectors)
        self._caller_check.authorize(token, origin)
        return self._caller(token.claims, self._turn_connectors)

    async def authenticate_request(
        self, activity: Activity, auth_header: str
    ) -> AuthenticateRequestResult:
        """`authenticate` and `authorize` in one call, as botbuilder's interface requires.

        Raises:
            TokenRejected, CallerForbidden, KeysUnavailable: see CallerCheck.
        """
        return self.authorize(await self.authenticate(auth_header), activity)

    @moment("caller.authenticate_skill")
    async def authenticate_channel_request(self, auth_header: str) -> ClaimsIdentity:
        """Authenticate a skill that replies: another bot that calls this one as its channel.

        Raises:
            TokenRejected, CallerForbidden, KeysUnavailable: see CallerCheck.
        """
        if self._settings.unauthenticated:
            return SkillValidation.create_anonymous_skill_claim()
        token = await self._caller_check.authenticate_bot(auth_header)
        return ClaimsIdentity(dict(token.claims), True)

    def authorized_before(self, claims: Mapping[str, Any]) -> AuthenticateRequestResult:
        """The caller of a queued activity, who was authorized when the activity arrived.

        The channel does not wait for the turn, so each of its calls has its own time limit.

        Args:
            claims: the claims of the caller's token.
        """
        return self._caller(claims, self._background_connectors)

    def _caller(
        self, claims: Mapping[str, Any], connectors: BotConnectorFactory
    ) -> AuthenticateRequestResult:
        unauthenticated = self._settings.unauthenticated
        kind = AuthenticationConstants.ANONYMOUS_AUTH_TYPE if unauthenticated else None
        result = AuthenticateRequestResult()
        result.claims_identity = ClaimsIdentity(dict(claims), True, kind)
        result.audience = self._settings.channel_audience
        result.caller_id = None if unauthenticated else self._settings.caller_id
        result.connector_factory = connectors
        if self._settings.bot_callers.sent(claims):
            result.audience = self._settings.bot_callers.app_id(claims)
            result.caller_id = f"{CallerIdConstants.bot_to_bot_prefix.value}{result.audience}"
        return result

    def replying_skill(self, identity: ClaimsIdentity, audience: str) -> AuthenticateRequestResult:
        """A skill as the caller of a turn, in the conversation in which this bot called it.

        Args:
            identity: see `authenticate_channel_request`.
            audience: the resource of tokens for the conversation: the channel's (URL), or the app
                id (GUID) of the bot that called this one as a skill.
        """
        result = AuthenticateRequestResult()
        result.claims_identity = identity
        result.audience = audience
        result.connector_factory = self._turn_connectors
        return result

    def unretried_sender(self) -> AuthenticateRequestResult:
        """The bot itself as the caller, for proactive messages.

        Calls of such a turn are not retried here: a 429 means that the sender must pause all of its
        messages, so the sender retries.
        """
        result = AuthenticateRequestResult()
        names = (AuthenticationConstants.AUDIENCE_CLAIM, AuthenticationConstants.APP_ID_CLAIM)
        claims = dict.fromkeys(names, self._settings.app_id)
        result.claims_identity = ClaimsIdentity(claims, True)
        result.connector_factory = self._unretried_connectors
        return result

    async def authenticate_streaming_request(
        self, auth_header: str, channel_id_header: str
    ) -> AuthenticateRequestResult:
        """Refuse the connection, because a function cannot keep a stream open.

        Raises:
            TokenRejected: always.
        """
        raise TokenRejected("streaming connections are not offered")

    def create_connector_factory(
        self,
        claims_identity: ClaimsIdentity,  # unused: the bot has one identity
    ) -> BotConnectorFactory:
        """The factory of connector clients for the bot's own proactive calls."""
        return self._turn_connectors

    async def create_user_token_client(
        self,
        claims_identity: ClaimsIdentity,  # unused: the bot has one identity
    ) -> UserTokenClient | NoUserTokenClient:
        """The client of the token service for the bot's own proactive calls."""
        return self._turn_connectors.create_user_token_client()

    def create_bot_framework_client(self, storage: Storage | None = None) -> SkillClient:
        """A client that calls skills.

        Args:
            storage: stores the conversations of `post_activity_to_skill`.
        """
        settings = self._settings
        return SkillClient(
            self._pool,
            self._credentials,
            settings.channel_audience,
            storage,
            loopback=settings.service_urls.loopback,
        )

    @property
    def channel_credentials(self) -> BotCredentials:
        """The bot's credentials for the channel's services."""
        return self._credentials.for_audience(self._settings.channel_audience)

    def get_originating_audience(self) -> str:
        """The channel's audience (URL)."""
        return self._settings.channel_audience

    async def sign_in_proof(self) -> dict[str, Any]:
        """JSON-ready facts that prove that the bot can sign in, and as whom; without the token.

        Raises:
            SignInError: the bot cannot sign in.
        """
        settings, last = self._settings, self._session.last_success
        token = await self._tokens.get(settings.channel_audience)
        return {
            "kind": settings.credential,
            "appId": settings.app_id,
            "appType": settings.app_type,
            "tenantId": settings.tenant_id,
            "authority": settings.authority,
            "audience": settings.channel_audience,
            "expiresOn": _iso_time(token.expires_on),
            "certificateThumbprint": token.thumbprint or None,
            "certificateExpiresOn": _iso_time(token.certificate_expires_on),
            "warnings": self._tokens.warnings,
            "lastOutboundCall": last.isoformat() if last else None,
            "processStartedOn": _iso_time(self._process_started_on),
        }


def _anonymous_claims(activity: Activity) -> dict[str, Any]:
    """The claims of a caller who is not authenticated: the SDK's for a parent, else none."""
    if activity.recipient is not None and activity.recipient.role == RoleTypes.skill:
        claims: dict[str, Any] = SkillValidation.create_anonymous_skill_claim().claims
        return claims
    return {}


def _iso_time(seconds: float) -> str | None:
    # An endpoint may return a time that datetime cannot represent.
    with contextlib.suppress(ValueError, OverflowError):
        return (
            datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat() if seconds else None
        )
    return None
