"""BotConnector: the Bot Connector REST API (version 3), which stores what the bot sends."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import jwt
from aiohttp import web

from bot_workbench.emulator.channel.connector_operations import Body, ConnectorOperations, Operation
from bot_workbench.emulator.channel.conversations import (
    Activity,
    Conversations,
    UnknownActivityError,
    UnknownConversationError,
)
from bot_workbench.emulator.channel.errors import (
    ChannelError,
    bearer_token,
    json_object,
    unauthorized,
)
from bot_workbench.emulator.channel.oauth_cards import OAuthCards
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.entra.verified_tokens import VerifiedTokens
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.server import Server

AUDIENCE = "https://api.botframework.com"


@dataclass(frozen=True)
class Call:
    """One call of the bot, accepted or refused, without its token.

    Attributes:
        method: HTTP method.
        path: the path, unescaped.
        activity: what the bot sent; None if the operation takes no activity, or the call was
            refused before its body was read.
        status: HTTP status of the response.
        appid: the `appid` claim (GUID) of a verified token, else empty.
        verified: the token was signed by Entra for the connector and is not expired.
    """

    method: str
    path: str
    activity: Activity | None
    status: int
    appid: str
    verified: bool


class BotConnector:
    """Accepts the bot's activities; the service URL of every activity is its address.

    Rules: Bot Connector REST API reference; a call needs a token of the bot's own app, issued by
    the tenant that the channels accept for it.

    Args:
        entra_issuer: signs the bots' tokens.
        registration: the only bot whose calls are accepted.
        conversations: stores the activities.
        oauth_cards: fills in the links of sign-in cards.
        tls: the server side of TLS.
        public_url: base URL under which bots reach the server; empty: the server's own.
        more: operations of one channel only, by HTTP method and path.

    Attributes:
        calls: every call so far, oldest first.
        require_token: False accepts calls without a valid token, from local tools without one.
    """

    def __init__(
        self,
        entra_issuer: TokenIssuer,
        registration: Registration,
        conversations: Conversations,
        oauth_cards: OAuthCards,
        tls: ssl.SSLContext,
        public_url: str = "",
        more: Mapping[tuple[str, str], Operation] = MappingProxyType({}),
    ) -> None:
        self._public_url = public_url
        self.registration = registration
        self.conversations = conversations
        self.calls: list[Call] = []
        self.require_token = True
        self._tokens = VerifiedTokens(entra_issuer, registration, AUDIENCE)
        operations = ConnectorOperations(registration, conversations, oauth_cards, lambda: self.url)
        routes = [
            web.route(method, path, self._guarded(operation))
            for (method, path), operation in {**operations.table(), **more}.items()
        ]
        self.server = Server("connector", routes, tls)

    @property
    def url(self) -> str:
        """The base URL that bots call, without a slash at the end."""
        return self._public_url or self.server.url

    def _guarded(self, operation: Operation) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            app_id = self._verified_app(request)
            body: Body = {}
            try:
                self._check_caller(app_id)
                body = await json_object(request)
                response = operation(request, body)
            except ChannelError as error:
                response = error.response()
            except (UnknownConversationError, UnknownActivityError) as error:
                response = _not_found(error).response()
            self._record(request, body, response.status, app_id)
            return response

        return answer

    def _verified_app(self, request: web.Request) -> str | None:
        try:
            return self._tokens.app_id(bearer_token(request))
        except (jwt.InvalidTokenError, ChannelError):
            return None

    def _check_caller(self, app_id: str | None) -> None:
        if not self.require_token:
            return
        if app_id is None:
            raise unauthorized()
        if app_id != self.registration.app_id:
            raise ChannelError(403, "Forbidden", "The token is not for this conversation's bot.")

    def _record(self, request: web.Request, body: Body, status: int, app_id: str | None) -> None:
        creates = request.path == "/v3/conversations"
        activity = body.get("activity") if creates else body
        has_activity = creates or (
            "/activities" in request.path and not request.path.endswith("/history")
        )
        self.calls.append(
            Call(
                method=request.method,
                path=request.path,
                activity=activity if has_activity and activity else None,
                status=status,
                appid=app_id or "",
                verified=app_id is not None,
            )
        )


def _not_found(error: KeyError) -> ChannelError:
    if isinstance(error, UnknownConversationError):
        return ChannelError(404, "ConversationNotFound", "The conversation is not known.")
    return ChannelError(404, "ActivityNotFoundInConversation", "The activity is not known.")
