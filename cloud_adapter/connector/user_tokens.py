"""Clients of the Bot Framework token service, which stores users' tokens.

Source: Microsoft reference "Bot Framework token service" (api/usertoken, api/botsignin).
"""

import functools
from http import HTTPStatus
from typing import Any

from botbuilder.schema import Activity, TokenResponse
from botframework.connector.auth.user_token_client import UserTokenClient as UserTokenClientBase
from botframework.connector.token_api.models import (
    SignInUrlResponse,
    TokenExchangeRequest,
    TokenStatus,
)

from cloud_adapter.connector.errors import CallRefused, ConnectorError
from cloud_adapter.connector.session import ConnectorSession, Service, as_model

_REFUSAL = (
    "users cannot sign in while the bot runs without authentication"
    " (DANGEROUSLY_ALLOW_UNAUTHENTICATED): it has no token for the token service"
)


class UserTokenClient(UserTokenClientBase):  # type: ignore[misc]  # untyped SDK base
    """Gets users' tokens, with the bot's own credential.

    Args:
        session: sends the calls.
        token_service: the Bot Framework token service.
    """

    def __init__(self, session: ConnectorSession, token_service: Service) -> None:
        self._call = functools.partial(session.call, token_service)
        self._app_id: str = token_service.credentials.microsoft_app_id

    async def get_user_token(
        self, user_id: str, connection_name: str, channel_id: str, magic_code: str | None
    ) -> Any:
        """The user's TokenResponse; None if the user has not signed in."""
        query = _user(user_id, connection_name, channel_id) | {"code": magic_code}
        try:
            response = await self._call("GET", ("api", "usertoken", "GetToken"), query=query)
        except ConnectorError as error:
            if error.response.status_code == HTTPStatus.NOT_FOUND:
                return None
            raise
        token = as_model(TokenResponse, response.json() or {})
        return token if token.token else None

    async def get_sign_in_resource(
        self, connection_name: str, activity: Activity, final_redirect: str | None
    ) -> Any:
        """A SignInUrlResponse with the URL of the user's sign-in page."""
        state = self.create_token_exchange_state(self._app_id, connection_name, activity)
        query = {"state": state, "finalRedirect": final_redirect}
        path = ("api", "botsignin", "GetSignInResource")
        return (await self._call("GET", path, query=query)).model(SignInUrlResponse)

    async def sign_out_user(
        self, user_id: str, connection_name: str | None, channel_id: str
    ) -> None:
        """Delete a user's token at the token service; without a connection name, all of them."""
        query = _user(user_id, connection_name, channel_id)
        await self._call("DELETE", ("api", "usertoken", "SignOut"), query=query)

    async def get_token_status(
        self, user_id: str, channel_id: str, include_filter: str | None
    ) -> Any:
        """The connections that the user has signed in to, as a list of TokenStatus."""
        query = {"userId": user_id, "channelId": channel_id, "include": include_filter}
        response = await self._call("GET", ("api", "usertoken", "GetTokenStatus"), query=query)
        return response.models(TokenStatus)

    async def get_aad_tokens(
        self, user_id: str, connection_name: str, resource_urls: list[str], channel_id: str
    ) -> Any:
        """Tokens for Entra resources, as a dict of TokenResponse by resource URL."""
        query = _user(user_id, connection_name, channel_id)
        body = {"resourceUrls": resource_urls}
        response = await self._call("POST", ("api", "usertoken", "GetAadTokens"), body, query)
        tokens = response.json() or {}
        if not isinstance(tokens, dict):
            raise ConnectorError(response.call, HTTPStatus.OK)
        return {url: as_model(TokenResponse, token) for url, token in tokens.items()}

    async def exchange_token(
        self,
        user_id: str,
        connection_name: str,
        channel_id: str,
        exchange_request: TokenExchangeRequest,
    ) -> Any:
        """The TokenResponse for a token (or URI) that the channel offers for single sign-on."""
        query = _user(user_id, connection_name, channel_id)
        path = ("api", "usertoken", "exchange")
        return (await self._call("POST", path, exchange_request, query)).model(TokenResponse)


def _user(user_id: str, connection_name: str | None, channel_id: str) -> dict[str, Any]:
    return {"userId": user_id, "connectionName": connection_name, "channelId": channel_id}


class NoUserTokenClient(UserTokenClientBase):  # type: ignore[misc]  # untyped SDK base
    """Stands for the token service where the bot has no token to call it with.

    Nobody is signed in, and nobody can sign in; no call leaves the machine.
    """

    async def get_user_token(
        self, user_id: str, connection_name: str, channel_id: str, magic_code: str | None
    ) -> None:
        """None: the user has not signed in."""

    async def get_sign_in_resource(
        self, connection_name: str, activity: Activity, final_redirect: str | None
    ) -> Any:
        """Raises: CallRefused: always."""
        raise CallRefused(_REFUSAL, HTTPStatus.NOT_IMPLEMENTED)

    async def sign_out_user(
        self, user_id: str, connection_name: str | None, channel_id: str
    ) -> None:
        """Do nothing."""

    async def get_token_status(
        self, user_id: str, channel_id: str, include_filter: str | None
    ) -> list[Any]:
        """No connections."""
        return []

    async def get_aad_tokens(
        self, user_id: str, connection_name: str, resource_urls: list[str], channel_id: str
    ) -> dict[str, Any]:
        """No tokens."""
        return {}

    async def exchange_token(
        self,
        user_id: str,
        connection_name: str,
        channel_id: str,
        exchange_request: TokenExchangeRequest,
    ) -> Any:
        """Raises: CallRefused: always."""
        raise CallRefused(_REFUSAL, HTTPStatus.NOT_IMPLEMENTED)
