"""TokenService: the Bot Framework token service, which signs users in for bots.

Rules: Microsoft reference "Bot Framework token service" (api/usertoken, api/botsignin).
"""

import base64
import ssl
import uuid
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

import jwt
from aiohttp import web

from bot_workbench.emulator.channel.connector import AUDIENCE
from bot_workbench.emulator.channel.errors import (
    ChannelError,
    bearer_token,
    json_object,
    parsed_object,
    unauthorized,
)
from bot_workbench.emulator.channel.user_tokens import (
    NotExchangeableError,
    UnknownConnectionError,
    UserConnection,
    UserSignIn,
    UserTokens,
    sign_in_link,
)
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.entra.verified_tokens import VerifiedTokens
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.server import Server

ENTRA_PROVIDER = "30dd229c-58e3-4a48-bdfd-91ec48eb906c"
"""The `providerId` (GUID) of connections to Entra ("Azure Active Directory v2")."""


@dataclass(frozen=True)
class TokenCall:
    """One call of the bot, without its token.

    Attributes:
        method: HTTP method.
        path: the path, unescaped.
        status: HTTP status of the response.
        appid: the `appid` claim (GUID) of a verified token, else empty.
    """

    method: str
    path: str
    status: int
    appid: str


class TokenService:
    """Gives the bot its users' tokens.

    A call needs the bot's own token, checked as the connector checks it. The sign-in link points to
    the chat page's server, because browsers trust that one. `tokenPostResource` is part of the
    response as in the real service; nothing in the local cloud posts to it.

    Args:
        entra_issuer: signs the bots' tokens.
        registration: the cloud's first bot, whose tenant issues the tokens of all.
        bots: app ids (GUIDs) of the bots whose calls are accepted. Unlike in Azure, they share
            their connections and signed-in users.
        user_tokens: the signed-in users.
        page_url: returns the base URL of the server with the sign-in page.
        tls: the server side of TLS.

    Attributes:
        calls: every call so far, oldest first.
    """

    def __init__(
        self,
        entra_issuer: TokenIssuer,
        registration: Registration,
        bots: Container[str],
        user_tokens: UserTokens,
        page_url: Callable[[], str],
        tls: ssl.SSLContext,
    ) -> None:
        self.calls: list[TokenCall] = []
        self._bots = bots
        self._user_tokens = user_tokens
        self._page_url = page_url
        self._tokens = VerifiedTokens(entra_issuer, registration, AUDIENCE)
        operations: list[tuple[str, str, Handler]] = [
            ("GET", "usertoken/GetToken", self._get_token),
            ("GET", "usertoken/GetTokenOrSignInResource", self._get_token_or_sign_in_resource),
            ("GET", "usertoken/GetTokenStatus", self._get_token_status),
            ("POST", "usertoken/GetAadTokens", self._get_aad_tokens),
            ("POST", "usertoken/exchange", self._exchange),
            ("DELETE", "usertoken/SignOut", self._sign_out),
            ("GET", "botsignin/GetSignInUrl", self._get_sign_in_url),
            ("GET", "botsignin/GetSignInResource", self._get_sign_in_resource),
        ]
        # As in the real service, case does not matter: the Agents SDK asks for getSignInResource.
        routes = [
            web.route(method, f"/api/{{operation:(?i:{path})}}", self._guarded(operation))
            for method, path, operation in operations
        ]
        self.server = Server("usertokens", routes, tls)

    def _guarded(self, operation: Handler) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            app_id = self._verified_app(request)
            try:
                if app_id not in self._bots:
                    raise unauthorized()
                response = await operation(request)
            except ChannelError as error:
                response = error.response()
            except UnknownConnectionError as error:
                response = _unknown_connection(error, 400).response()
            self.calls.append(TokenCall(request.method, request.path, response.status, app_id))
            return response

        return answer

    def _verified_app(self, request: web.Request) -> str:
        try:
            return self._tokens.app_id(bearer_token(request))
        except (jwt.InvalidTokenError, ChannelError):
            return ""

    async def _get_token(self, request: web.Request) -> web.Response:
        target = _target(request)
        try:
            self._user_tokens.check(target.connection)
        except UnknownConnectionError as error:
            # The only operation that responds with 404 to it, not 400.
            raise _unknown_connection(error, 404) from error
        code = request.query.get("code")
        if code is not None and not self._user_tokens.redeem(target, code):
            raise _no_token()
        return self._token_response(target)

    def _token_response(self, target: UserConnection) -> web.Response:
        token = self._user_tokens.token(target)
        if token is None:
            raise _no_token()
        return web.json_response(token)

    async def _get_token_or_sign_in_resource(self, request: web.Request) -> web.Response:
        target = self._known_target(request)
        code = request.query.get("code")  # the Agents SDK sends an empty one if it has none
        token = None
        if not code or self._user_tokens.redeem(target, code):
            token = self._user_tokens.token(target)
        if token is not None:
            return web.json_response({"tokenResponse": token})
        resource = self._sign_in_resource(self._start_sign_in(request))
        return web.json_response({"signInResource": resource})

    async def _get_token_status(self, request: web.Request) -> web.Response:
        include = request.query.get("include", "")
        statuses = self._user_tokens.statuses(
            _query(request, "userId"),
            request.query.get("channelId", ""),
            filter(None, include.split(",")),
        )
        return web.json_response(statuses)

    async def _get_aad_tokens(self, request: web.Request) -> web.Response:
        target = self._known_target(request)
        urls = (await json_object(request)).get("resourceUrls")
        if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
            raise ChannelError(400, "BadArgument", "'resourceUrls' is not a list of URLs.")
        if not self._user_tokens.has_token(target):
            raise _no_token()
        return web.json_response({url: self._user_tokens.token(target, url) for url in urls})

    async def _exchange(self, request: web.Request) -> web.Response:
        target = self._known_target(request)
        offered = (await json_object(request)).get("token")
        try:
            self._user_tokens.exchange(target, str(offered or ""))
        except NotExchangeableError as error:
            raise ChannelError(400, "BadArgument", "The token cannot be exchanged.") from error
        return self._token_response(target)

    async def _sign_out(self, request: web.Request) -> web.Response:
        connection = request.query.get("connectionName", "")
        if connection:
            self._user_tokens.check(connection)
        channel_id = request.query.get("channelId", "")
        self._user_tokens.sign_out(_query(request, "userId"), connection, channel_id)
        return web.Response(status=204)

    async def _get_sign_in_url(self, request: web.Request) -> web.Response:
        return web.json_response(self._link(self._start_sign_in(request)))

    async def _get_sign_in_resource(self, request: web.Request) -> web.Response:
        return web.json_response(self._sign_in_resource(self._start_sign_in(request)))

    def _sign_in_resource(self, sign_in: UserSignIn) -> dict[str, Any]:
        exchange = {
            "id": str(uuid.uuid4()),
            "uri": self._user_tokens.resource,
            "providerId": ENTRA_PROVIDER,
        }
        post = {"sasUrl": f"{self.server.url}/api/sas/postToken?signin={sign_in.id}"}
        return {
            "signInLink": self._link(sign_in),
            "tokenExchangeResource": exchange,
            "tokenPostResource": post,
        }

    def _link(self, sign_in: UserSignIn) -> str:
        return sign_in_link(self._page_url(), sign_in)

    def _start_sign_in(self, request: web.Request) -> UserSignIn:
        state = _state(_query(request, "state"))
        if state.get("msAppId") != self._verified_app(request):
            raise ChannelError(400, "BadArgument", "The state is not of this bot.")
        conversation = _required(state, "conversation", dict)
        user = _required(conversation, "user", dict)
        target = UserConnection(
            _required(user, "id", str),
            _required(state, "connectionName", str),
            _required(conversation, "channelId", str),
        )
        conversation_id = _required(_required(conversation, "conversation", dict), "id", str)
        return self._user_tokens.start_sign_in(target, str(user.get("name") or ""), conversation_id)

    def _known_target(self, request: web.Request) -> UserConnection:
        target = _target(request)
        self._user_tokens.check(target.connection)
        return target


def _target(request: web.Request) -> UserConnection:
    channel_id = request.query.get("channelId", "")
    return UserConnection(_query(request, "userId"), _query(request, "connectionName"), channel_id)


def _query(request: web.Request, name: str) -> str:
    value = request.query.get(name, "")
    if not value:
        raise ChannelError(400, "MissingProperty", f"The query has no '{name}'.")
    return value


def _state(text: str) -> dict[str, Any]:
    try:
        return parsed_object(base64.b64decode(text, validate=True))
    except ValueError as error:
        raise ChannelError(400, "BadArgument", "'state' is not base64.") from error


def _required[T: (str, dict[str, Any])](parent: dict[str, Any], name: str, kind: type[T]) -> T:
    value = parent.get(name)
    if not isinstance(value, kind) or value == "":
        raise ChannelError(400, "MissingProperty", f"The state has no '{name}'.")
    return value


def _no_token() -> ChannelError:
    return ChannelError(404, "NotFound", "The user has no token for this connection.")


def _unknown_connection(error: UnknownConnectionError, status: int) -> ChannelError:
    message = f"Could not find Connection Setting with name '{error}'."
    code = "NotFound" if status == 404 else "BadRequest"
    return ChannelError(status, code, message)
