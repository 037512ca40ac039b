"""UserTokenClient: the Bot Framework token service, which keeps users' sign-ins.

Source: Microsoft reference "Bot Framework token service" (api/usertoken, api/botsignin).
"""

import asyncio
from typing import Any

from botbuilder.schema import Activity, TokenResponse
from botframework.connector.auth.user_token_client import UserTokenClient as UserTokenClientBase
from botframework.connector.token_api.models import (
    SignInUrlResponse,
    TokenExchangeRequest,
    TokenStatus,
)

from cloud_adapter.connector.credentials import BotCredentialsFactory
from cloud_adapter.connector.errors import ConnectorError
from cloud_adapter.connector.service_calls import ServiceCalls, answered
from cloud_adapter.connector.session import TURN_BUDGET, ConnectorSession

_NOT_FOUND = 404


class UserTokenClient(UserTokenClientBase):  # type: ignore[misc]  # untyped SDK base
    """Users' tokens, asked for with the bot's own credential.

    Each turn gets one and most turns ask nothing, so it signs in when it is asked first.

    Args:
        session: sends the calls.
        credentials: makes the bot's credentials.
        audience: the channel's (URL).
        service_url: of the token service.
    """

    def __init__(
        self,
        session: ConnectorSession,
        credentials: BotCredentialsFactory,
        audience: str,
        service_url: str,
    ) -> None:
        self._session = session
        self._credentials = credentials
        self._audience = audience
        self._service_url = service_url
        self._deadline = asyncio.get_running_loop().time() + TURN_BUDGET
        self._calls: ServiceCalls | None = None

    async def _call(
        self,
        method: str,
        path: tuple[str, ...],
        body: object = None,
        query: dict[str, Any] | None = None,
    ) -> Any:
        if self._calls is None:
            credentials = await self._credentials.create_credentials("", self._audience)
            self._calls = ServiceCalls(
                self._session, credentials, self._service_url, self._deadline
            )
        return await self._calls.call(method, path, body, query)

    async def get_user_token(
        self, user_id: str, connection_name: str, channel_id: str, magic_code: str | None
    ) -> Any:
        """The user's TokenResponse; None when the user has not signed in."""
        query = _user(user_id, connection_name, channel_id) | {"code": magic_code}
        try:
            answer = await self._call("GET", ("api", "usertoken", "GetToken"), query=query)
        except ConnectorError as error:
            if error.response.status_code == _NOT_FOUND:
                return None
            raise
        token = answered(TokenResponse, answer or {})
        return token if token.token else None

    async def get_sign_in_resource(
        self, connection_name: str, activity: Activity, final_redirect: str | None
    ) -> Any:
        """Where the user signs in: SignInUrlResponse."""
        app_id = self._credentials.app_id
        state = self.create_token_exchange_state(app_id, connection_name, activity)
        query = {"state": state, "finalRedirect": final_redirect}
        path = ("api", "botsignin", "GetSignInResource")
        return answered(SignInUrlResponse, await self._call("GET", path, query=query))

    async def sign_out_user(self, user_id: str, connection_name: str, channel_id: str) -> None:
        """Forget the user's token."""
        query = _user(user_id, connection_name, channel_id)
        await self._call("DELETE", ("api", "usertoken", "SignOut"), query=query)

    async def get_token_status(
        self, user_id: str, channel_id: str, include_filter: str | None
    ) -> Any:
        """Which connections the user has signed in to: a list of TokenStatus."""
        query = {"userId": user_id, "channelId": channel_id, "include": include_filter}
        answer = await self._call("GET", ("api", "usertoken", "GetTokenStatus"), query=query)
        return [answered(TokenStatus, status) for status in answer or []]

    async def get_aad_tokens(
        self, user_id: str, connection_name: str, resource_urls: list[str], channel_id: str
    ) -> Any:
        """Tokens for Entra resources: a dict of TokenResponse by resource URL."""
        query = _user(user_id, connection_name, channel_id)
        body = {"resourceUrls": resource_urls}
        answer = await self._call("POST", ("api", "usertoken", "GetAadTokens"), body, query)
        return {url: answered(TokenResponse, token) for url, token in (answer or {}).items()}

    async def exchange_token(
        self,
        user_id: str,
        connection_name: str,
        channel_id: str,
        exchange_request: TokenExchangeRequest,
    ) -> Any:
        """The TokenResponse for a token (or URI) that the channel offered for single sign-on."""
        query = _user(user_id, connection_name, channel_id)
        path = ("api", "usertoken", "exchange")
        return answered(TokenResponse, await self._call("POST", path, exchange_request, query))


def _user(user_id: str, connection_name: str, channel_id: str) -> dict[str, Any]:
    return {"userId": user_id, "connectionName": connection_name, "channelId": channel_id}
