"""SignInPage: the page behind the bot's sign-in link, and the user's token for single sign-on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from bot_workbench.emulator.channel.errors import ChannelError, json_object, with_error_responses
from bot_workbench.emulator.channel.user_tokens import (
    SIGN_IN_PATH,
    NotExchangeableError,
    UserSignIn,
    UserTokens,
)
from bot_workbench.emulator.pages.html_page import html_page

PAGE = Path(__file__).with_name("sign_in_page.html")

SESSION_PATH = "/api/oauth/session"
"""Where the chat page proves that the sign-in page is open in its browser. In Azure, Web Chat adds
the id of its session to the link for that."""

SSO_PATH = "/api/sso/token"
"""Where the chat page gets the local user's token for the bot."""


Announce = Callable[[UserSignIn, dict[str, Any]], None]
"""Sends the bot the TokenResponse of a user who has signed in."""


class SignInPage:
    """Signs the local user in. The chat page's server has its routes: browsers trust that one.

    GET  /api/oauth/signin?signin=ID   the page
    POST /api/oauth/signin             {"signin": ID}: the user agrees; responds with the code
    POST /api/oauth/session            {"signin": ID, "code"}: the chat has the code from the page;
                                       signs the user in, and sends the bot the token
    POST /api/sso/token                {"resource", "user": {"id", "name"}}: a token for the bot

    Args:
        user_tokens: the signed-in users.
        app_id: the bot's (GUID), which the page shows.
        announce: sends the bot the token of a user who has signed in.
    """

    def __init__(self, user_tokens: UserTokens, app_id: str, announce: Announce) -> None:
        self._user_tokens = user_tokens
        self._app_id = app_id
        self._announce = announce

    def routes(self) -> list[web.RouteDef]:
        """The page's routes."""
        return [
            web.get(SIGN_IN_PATH, with_error_responses(self._page)),
            web.post(SIGN_IN_PATH, with_error_responses(self._confirm)),
            web.post(SESSION_PATH, with_error_responses(self._complete)),
            web.post(SSO_PATH, with_error_responses(self._token)),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        sign_in = self._find(request.query.get("signin"))
        facts = {
            "signin": sign_in.id,
            "bot": self._app_id,
            "connection": sign_in.target.connection,
            "user": sign_in.user_name or sign_in.target.user_id,
            "conversationId": sign_in.conversation_id,
        }
        # The page's icon is an empty data: URL.
        return html_page(PAGE, facts, {"connect-src": "'self'", "img-src": "data:"})

    async def _confirm(self, request: web.Request) -> web.Response:
        sign_in = self._find((await json_object(request)).get("signin"))
        return web.json_response({"code": self._user_tokens.confirm(sign_in)})

    async def _complete(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        sign_in = self._find(body.get("signin"))
        redeemed = self._user_tokens.redeem(sign_in.target, str(body.get("code")))
        token = self._user_tokens.token(sign_in.target)
        if not redeemed or token is None:
            raise ChannelError(400, "BadArgument", "The code is not valid, or it has expired.")
        self._announce(sign_in, token)
        return web.json_response({})

    async def _token(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        user = body.get("user")
        known = user if isinstance(user, dict) else {}
        resource, user_id = str(body.get("resource", "")), str(known.get("id", ""))
        name = str(known.get("name", ""))
        try:
            token = self._user_tokens.exchangeable_token(resource, user_id, name)
        except NotExchangeableError as error:
            raise ChannelError(400, "BadArgument", "The resource is not this bot's.") from error
        return web.json_response({"token": token})

    def _find(self, sign_in_id: object) -> UserSignIn:
        found = self._user_tokens.find_sign_in(str(sign_in_id))
        if found is None:
            raise ChannelError(404, "NotFound", "This link is unknown, or it has expired.")
        return found
