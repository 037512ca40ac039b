"""UserTokens: which users are signed in, as the Bot Framework token service stores it."""

import datetime
import secrets
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import jwt

from bot_workbench.emulator.entra.registration import Registration, issuer_of
from bot_workbench.emulator.entra.token_issuer import TokenIssuer

CONNECTION = "bot-sign-in"
"""Name of the sample bot's OAuth connection."""

GRAPH = "https://graph.microsoft.com"
"""The default audience of the users' tokens (URL)."""

TEAMS = "5e3ce6c0-2b1f-4285-8d4b-75ee78787346"
"""Client id (GUID) of Teams in a browser, which gets tokens for single sign-on."""

SIGN_IN_PATH = "/api/oauth/signin"
"""The path of a bot's sign-in link, as in the token service; its query parameter `signin` is the
sign-in's id."""


@dataclass(frozen=True)
class UserConnection:
    """A user of a channel, and the OAuth connection of the bot that a token is for."""

    user_id: str
    connection: str
    channel_id: str


@dataclass(frozen=True)
class UserSignIn:
    """A sign-in that the bot has requested, and that its link identifies.

    Attributes:
        id: unguessable, part of the link.
        target: the user and the connection that the token is for.
        user_name: the user's name on the channel.
        conversation_id: where the bot requested it.
        expires_at: seconds since 1970.
    """

    id: str
    target: UserConnection
    user_name: str
    conversation_id: str
    expires_at: float


def sign_in_link(page_url: str, sign_in: UserSignIn) -> str:
    """The link to the page (URL); `page_url` is the base URL of its server."""
    return f"{page_url}{SIGN_IN_PATH}?signin={sign_in.id}"


@dataclass(frozen=True)
class SignInCode:
    """A code that was shown to a user and not redeemed yet; `expires_at` in seconds since 1970."""

    digits: str
    user_name: str
    expires_at: float


@dataclass(frozen=True)
class _SignedInUser:
    name: str
    since: float
    expires_at: float


class UnknownConnectionError(Exception):
    """The bot has no OAuth connection of that name."""


class NotExchangeableError(Exception):
    """The token offered for single sign-on is not a user's token for this bot."""


class UserTokens:
    """The store, in memory. It has the signed-in users; a token is made when it is read.

    Args:
        issuer: signs the users' tokens, as Entra does.
        registration: the bot's.
        clock: seconds since 1970.

    Attributes:
        clock: as given; a test may replace it.
        connections: names of the bot's OAuth connections: the sample's, and each other one that
            has been used. In Azure, connections are set up first; here, any name works.
        own_connections: names of connections whose scope is one of the bot's app registration, so
            that the bot can exchange their tokens; the others' is one of Graph.
        unknown_connections: names that the service does not accept; tests add some.
        object_ids: object ids (GUIDs) of users by their ids on the channel; a user who is not in
            here has one that is derived from that id.
        codes: codes that can be redeemed.
        lifetime: seconds that a user stays signed in.
        code_lifetime: seconds that a code, or a link to sign in, can be used.
    """

    def __init__(
        self,
        issuer: TokenIssuer,
        registration: Registration,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock
        self.connections = {CONNECTION}
        self.own_connections: set[str] = set()
        self.unknown_connections: set[str] = set()
        self.object_ids: dict[str, str] = {}
        self.codes: dict[UserConnection, SignInCode] = {}
        self.lifetime = 3600.0
        self.code_lifetime = 600.0
        self._issuer = issuer
        self._registration = registration
        self._signed_in: dict[UserConnection, _SignedInUser] = {}
        self._sign_ins: dict[str, UserSignIn] = {}

    @property
    def resource(self) -> str:
        """The bot's Application ID URI, the audience of tokens for single sign-on."""
        return f"api://botid-{self._registration.app_id}"

    def check(self, connection: str) -> None:
        """Pass when the bot has a connection of that name.

        Raises:
            UnknownConnectionError: it has none.
        """
        if connection in self.unknown_connections:
            raise UnknownConnectionError(connection)
        self.connections.add(connection)

    def start_sign_in(
        self, target: UserConnection, user_name: str, conversation_id: str
    ) -> UserSignIn:
        """A new sign-in, for the link that the bot shows.

        Raises:
            UnknownConnectionError: the bot has no such connection.
        """
        self.check(target.connection)
        expires_at = self.clock() + self.code_lifetime
        started = UserSignIn(secrets.token_hex(16), target, user_name, conversation_id, expires_at)
        self._sign_ins[started.id] = started
        return started

    def find_sign_in(self, sign_in_id: str) -> UserSignIn | None:
        """The sign-in of that id; None: there is none, or its link has expired."""
        found = self._sign_ins.get(sign_in_id)
        return found if found and found.expires_at > self.clock() else None

    def confirm(self, sign_in: UserSignIn) -> str:
        """Issue the code (six digits) for which the bot gets the token.

        It can be redeemed once, and replaces an earlier code for the same user and connection.
        """
        digits = f"{secrets.randbelow(1_000_000):06}"
        expires_at = self.clock() + self.code_lifetime
        self.codes[sign_in.target] = SignInCode(digits, sign_in.user_name, expires_at)
        return digits

    def redeem(self, target: UserConnection, digits: str) -> bool:
        """Sign the user in if these are the digits of the current, unexpired code."""
        code = self.codes.get(target)
        if code is None or digits != code.digits or code.expires_at <= self.clock():
            return False
        del self.codes[target]
        self.sign_in(target, code.user_name)
        return True

    def sign_in(self, target: UserConnection, user_name: str) -> None:
        """Sign the user in."""
        now = self.clock()
        self._signed_in[target] = _SignedInUser(user_name, now, now + self.lifetime)

    def sign_out(self, user_id: str, connection: str, channel_id: str) -> None:
        """Sign the user out; an empty connection or channel stands for all of them."""
        for target in list(self._signed_in):
            same_user = target.user_id == user_id
            same_connection = connection in ("", target.connection)
            if same_user and same_connection and channel_id in ("", target.channel_id):
                del self._signed_in[target]

    def has_token(self, target: UserConnection) -> bool:
        """Whether the user is signed in."""
        user = self._signed_in.get(target)
        return user is not None and user.expires_at > self.clock()

    def token(self, target: UserConnection, audience: str = "") -> dict[str, Any] | None:
        """The user's token as a TokenResponse; None: not signed in.

        Args:
            target: the user and the connection.
            audience: what the token is for (URL); empty: what the connection's scope is of.

        It is the same one until the user signs in again, as the token service caches it.
        """
        if not self.has_token(target):
            return None
        user = self._signed_in[target]
        since = int(user.since)
        is_own = target.connection in self.own_connections
        resource = audience or (self.resource if is_own else GRAPH)
        times = {"iat": since, "nbf": since, "exp": int(user.expires_at)}
        claims = {**self._claims(target.user_id, user.name, resource), **times}
        expiry = datetime.datetime.fromtimestamp(int(user.expires_at), datetime.UTC)
        return {
            "channelId": target.channel_id,
            "connectionName": target.connection,
            "token": self._issuer.sign(claims),
            "expiration": expiry.isoformat().replace("+00:00", "Z"),
        }

    def exchangeable_token(self, resource: str, user_id: str, user_name: str) -> str:
        """The token that a channel's client gets for the bot, and offers for single sign-on.

        Raises:
            NotExchangeableError: the resource is not this bot's.
        """
        if resource != self.resource:
            raise NotExchangeableError("the resource is not this bot's")
        claims = self._claims(user_id, user_name, resource)
        return self._issuer.sign({**claims, "appid": TEAMS})

    def exchange(self, target: UserConnection, offered: str) -> None:
        """Sign the user in with a token for the bot's own resource.

        Raises:
            NotExchangeableError: the offered token is not one.
        """
        issuer = issuer_of(self._registration.tenant_id)
        try:
            claims = self._issuer.verify(offered, self.resource, issuer)
        except jwt.InvalidTokenError as error:
            raise NotExchangeableError(str(error)) from error
        self.sign_in(target, str(claims.get("name", "")))

    def statuses(self, user_id: str, channel_id: str, include: Iterable[str]) -> list[Any]:
        """Each connection as a TokenStatus; if `include` names any, only those."""
        wanted = set(include)
        return [
            {
                "channelId": channel_id,
                "connectionName": connection,
                "hasToken": self.has_token(UserConnection(user_id, connection, channel_id)),
                "serviceProviderDisplayName": "Azure Active Directory v2",
            }
            for connection in sorted(self.connections - self.unknown_connections)
            if not wanted or connection in wanted
        ]

    def _claims(self, user_id: str, name: str, resource: str) -> dict[str, str]:
        tenant_id = self._registration.tenant_id
        # Entra identifies people by object id: a user of a channel always has the same one.
        derived = str(uuid.uuid5(uuid.UUID(tenant_id), user_id))
        object_id = self.object_ids.get(user_id, derived)
        claims = {
            "aud": resource,
            "iss": issuer_of(tenant_id),
            "appid": self._registration.app_id,
            "oid": object_id,
            "name": name,
            "scp": "access_as_user" if resource == self.resource else "User.Read",
            "sub": object_id,
            "tid": tenant_id,
            "ver": "1.0",
        }
        # An optional claim, which Graph's tokens have.
        return claims | ({"idtyp": "user"} if resource == GRAPH else {})
