"""BotAuthentication: botbuilder's door to this project's caller check and credentials."""

import asyncio
from collections.abc import Mapping
from typing import Any

from botbuilder.schema import Activity
from botframework.connector.auth import (
    AuthenticationConstants,
    BotFrameworkAuthentication,
    ClaimsIdentity,
)
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult
from botframework.connector.auth.connector_factory import ConnectorFactory

from auth.errors import TokenRejected
from auth.inbound.caller import ActivityOrigin, CallerCheck
from auth.inbound.channel_token import ChannelToken
from auth.inbound.service_url import ServiceUrls
from auth.settings import Settings
from cloud_adapter.codec.channels import tenant_ids
from cloud_adapter.connector.client import ConnectorClient
from cloud_adapter.connector.credentials import BotCredentialsFactory
from cloud_adapter.connector.session import ONE_ATTEMPT, TURN_BUDGET, ConnectorSession
from cloud_adapter.connector.skills import SkillClient
from cloud_adapter.connector.user_tokens import UserTokenClient
from cloud_adapter.paced_identity import PacedIdentity


class BotConnectorFactory(ConnectorFactory):  # type: ignore[misc]  # untyped SDK base
    """Makes the connector client of one turn.

    Args:
        session: sends the calls.
        credentials: makes the bot's credentials.
        service_urls: where the bot may send replies, proactive ones included.
        audience: the channel's (URL).
        budget: seconds from a client's making in which its calls may be tried again; None: each
            call has a budget of its own.
    """

    def __init__(
        self,
        session: ConnectorSession,
        credentials: BotCredentialsFactory,
        service_urls: ServiceUrls,
        audience: str,
        *,
        budget: float | None = TURN_BUDGET,
    ) -> None:
        self._session = session
        self._credentials = credentials
        self._service_urls = service_urls
        self._audience = audience
        self._budget = budget

    async def create(self, service_url: str, audience: str | None = None) -> ConnectorClient:
        """A client for a channel's service URL, with a token in hand.

        Raises:
            ServiceUrlRefused: the bot must not call this URL.
            SignInError: there is no token.
        """
        self._service_urls.check(service_url)
        now = asyncio.get_running_loop().time()
        deadline = None if self._budget is None else now + self._budget
        credentials = await self._credentials.create_credentials("", audience or self._audience)
        return ConnectorClient(self._session, credentials, service_url, deadline)


class BotAuthentication(BotFrameworkAuthentication):  # type: ignore[misc]  # untyped SDK base
    """What CloudAdapterBase asks of an authentication, inbound and outbound.

    Args:
        settings: the bot's.
        caller_check: decides who may deliver an activity.
        credentials: makes the bot's credentials.
        session: sends calls to the channel's services.
    """

    def __init__(
        self,
        settings: Settings,
        caller_check: CallerCheck,
        credentials: BotCredentialsFactory,
        session: ConnectorSession,
    ) -> None:
        self._settings = settings
        self._caller_check = caller_check
        self._credentials = credentials
        self._session = session
        service_urls, audience = settings.service_urls, settings.channel_audience
        self._connectors = BotConnectorFactory(session, credentials, service_urls, audience)
        self._patient_connectors = BotConnectorFactory(
            session, credentials, service_urls, audience, budget=None
        )
        self._paced_connectors = BotConnectorFactory(
            session, credentials, service_urls, audience, budget=ONE_ATTEMPT
        )

    async def authenticate(self, authorization: str) -> ChannelToken | None:
        """Verify the caller's token; None where callers are not authenticated.

        This needs no activity, so that only an authenticated caller's body is read.

        Args:
            authorization: the Authorization header; empty if there is none.

        Raises:
            TokenRejected, CallerForbidden, KeysUnavailable: see CallerCheck.
        """
        if self._settings.unauthenticated:
            return None
        return await self._caller_check.authenticate(authorization)

    def authorize(
        self, token: ChannelToken | None, activity: Activity
    ) -> AuthenticateRequestResult:
        """Check that a caller may deliver this activity, and return what the turn knows about it.

        Args:
            token: from `authenticate`.
            activity: as delivered.

        Raises:
            CallerForbidden: it may not deliver the activity, see CallerCheck.
        """
        delivery = ActivityOrigin(activity.channel_id, activity.service_url, tenant_ids(activity))
        if token is None:
            self._caller_check.check_reach(delivery)
            return self._result({}, self._connectors)
        self._caller_check.authorize(token, delivery)
        return self._result(token.claims, self._connectors)

    async def authenticate_request(
        self, activity: Activity, auth_header: str
    ) -> AuthenticateRequestResult:
        """`authenticate` and `authorize` in one call, as botbuilder's interface has it.

        Raises:
            TokenRejected, CallerForbidden, KeysUnavailable: see CallerCheck.
        """
        return self.authorize(await self.authenticate(auth_header), activity)

    def authenticated_before(self, claims: Mapping[str, Any]) -> AuthenticateRequestResult:
        """What `authorize` found when the activity was delivered.

        The channel no longer waits for the turn, so each of its calls has a budget of its own.

        Args:
            claims: of the caller that was let in then.
        """
        return self._result(claims, self._patient_connectors)

    def _result(
        self, claims: Mapping[str, Any], connectors: BotConnectorFactory
    ) -> AuthenticateRequestResult:
        open_to_all = self._settings.unauthenticated
        kind = AuthenticationConstants.ANONYMOUS_AUTH_TYPE if open_to_all else None
        result = AuthenticateRequestResult()
        result.claims_identity = ClaimsIdentity(dict(claims), True, kind)
        result.audience = self._settings.channel_audience
        result.caller_id = None if open_to_all else self._settings.caller_id
        result.connector_factory = connectors
        return result

    async def authenticate_streaming_request(
        self, auth_header: str, channel_id_header: str
    ) -> AuthenticateRequestResult:
        """Refused: a function answers requests, it holds no stream.

        Raises:
            TokenRejected: always.
        """
        raise TokenRejected("streaming connections are not offered")

    def create_connector_factory(
        self,
        claims_identity: ClaimsIdentity,  # the bot has one identity
    ) -> BotConnectorFactory:
        """What makes connector clients, for proactive messages too."""
        paced = isinstance(claims_identity, PacedIdentity)
        return self._paced_connectors if paced else self._connectors

    def paced_identity(self) -> PacedIdentity:
        """The bot, as whoever sends to many conversations passes it to `continue_conversation`."""
        return PacedIdentity(self._settings.app_id)

    async def create_user_token_client(
        self,
        claims_identity: ClaimsIdentity,  # the bot has one identity
    ) -> UserTokenClient:
        """The client of the Bot Framework token service, which signs in on first use."""
        settings = self._settings
        return UserTokenClient(
            self._session,
            self._credentials,
            settings.channel_audience,
            settings.token_service_url,
        )

    def create_bot_framework_client(self) -> SkillClient:
        """The client for skills."""
        loopback = self._settings.service_urls.loopback
        return SkillClient(self._session, self._credentials, loopback=loopback)

    def get_originating_audience(self) -> str:
        """The channel's audience (URL)."""
        return self._settings.channel_audience
