"""NoUserTokenClient: stands for the token service where the bot has no token to call it with."""

from http import HTTPStatus
from typing import Any

from botbuilder.schema import Activity
from botframework.connector.auth.user_token_client import UserTokenClient
from botframework.connector.token_api.models import TokenExchangeRequest

from cloud_adapter.connector.errors import CallRefused

REASON = (
    "users cannot sign in while the bot runs without authentication"
    " (DANGEROUSLY_ALLOW_UNAUTHENTICATED): it has no token for the token service"
)


class NoUserTokenClient(UserTokenClient):  # type: ignore[misc]  # untyped SDK base
    """Nobody is signed in, and nobody can sign in; no call leaves the machine."""

    async def get_user_token(
        self, user_id: str, connection_name: str, channel_id: str, magic_code: str | None
    ) -> None:
        """None: the user has not signed in."""

    async def get_sign_in_resource(
        self, connection_name: str, activity: Activity, final_redirect: str | None
    ) -> Any:
        """Raises: CallRefused: always."""
        raise CallRefused(REASON, HTTPStatus.NOT_IMPLEMENTED)

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
        raise CallRefused(REASON, HTTPStatus.NOT_IMPLEMENTED)
