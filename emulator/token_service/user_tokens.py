"""UserTokens: who has signed in where, as the Bot Framework token service remembers it."""

import datetime
import secrets
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import jwt

from emulator.entra.registration import Registration, issuer_of
from emulator.entra.token_issuer import TokenIssuer

CONNECTION = "bot-sign-in"
"""The OAuth connection that every bot of the local cloud has."""

GRAPH = "https://graph.microsoft.com"
"""The audience of the users' tokens, unless others are asked for (URL)."""


@dataclass(frozen=True)
class Place:
    """Where a token belongs: a user on a channel, and an OAuth connection of the bot."""

    user_id: str
    connection: str
    channel_id: str


@dataclass(frozen=True)
class UserSignIn:
    """A sign-in that the bot has asked for.

    Attributes:
        id: nobody can guess it: it stands in the link.
        place: whose token is wanted.
        user_name: the user's, as the channel shows it.
        conversation_id: where the bot asked.
        expires_at: on the clock of UserTokens.
    """

    id: str
    place: Place
    user_name: str
    conversation_id: str
    expires_at: float


@dataclass(frozen=True)
class _Kept:
    subject: str
    expires_at: float


class UnknownConnectionError(Exception):
    """The bot has no OAuth connection of that name."""


class NotExchangeableError(Exception):
    """What was offered for single sign-on is no token of a user's for this bot."""


class UserTokens:
    """The store, in memory. Tokens are made when they are read: only who signed in is kept.

    Args:
        issuer: signs the users' tokens: Entra.
        registration: the bot's.
        clock: seconds since 1970.

    Attributes:
        connections: the bot's OAuth connections; a test may take one out.
        lifetime: seconds that a user stays signed in.
        code_lifetime: seconds that a code, or a link to sign in, can be used.
    """

    def __init__(
        self,
        issuer: TokenIssuer,
        registration: Registration,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.connections = {CONNECTION}
        self.lifetime = 3600.0
        self.code_lifetime = 600.0
        self._issuer = issuer
        self._registration = registration
        self._clock = clock
        self._signed_in: dict[Place, _Kept] = {}
        self._codes: dict[Place, tuple[str, _Kept]] = {}
        self._begun: dict[str, UserSignIn] = {}

    @property
    def resource(self) -> str:
        """The bot's own audience (Application ID URI), which single sign-on asks tokens for."""
        return f"api://botid-{self._registration.app_id}"

    def check(self, connection: str) -> None:
        """Do nothing for a connection that the bot has.

        Raises:
            UnknownConnectionError: it has none of that name.
        """
        if connection not in self.connections:
            raise UnknownConnectionError(connection)

    def begin(self, place: Place, user_name: str, conversation_id: str) -> UserSignIn:
        """A sign-in, for the link that the bot shows.

        Raises:
            UnknownConnectionError: the bot has no such connection.
        """
        self.check(place.connection)
        expires_at = self._clock() + self.code_lifetime
        begun = UserSignIn(secrets.token_hex(16), place, user_name, conversation_id, expires_at)
        self._begun[begun.id] = begun
        return begun

    def begun(self, sign_in_id: str) -> UserSignIn | None:
        """The sign-in of that id, while its link can be used."""
        found = self._begun.get(sign_in_id)
        return found if found and found.expires_at > self._clock() else None

    def confirm(self, sign_in: UserSignIn) -> str:
        """The user has signed in: the code (six digits) with which the bot gets the token.

        It works once; a later one for the same place takes its place.
        """
        code = f"{secrets.randbelow(1_000_000):06}"
        expires_at = self._clock() + self.code_lifetime
        self._codes[sign_in.place] = (code, _Kept(sign_in.user_name, expires_at))
        return code

    def redeem(self, place: Place, code: str) -> bool:
        """Sign the user in who brings the code of this very place, once and in time."""
        expected, pending = self._codes.get(place, ("", _Kept("", 0.0)))
        if code != expected or pending.expires_at <= self._clock():
            return False
        del self._codes[place]
        self.sign_in(place, pending.subject)
        return True

    def sign_in(self, place: Place, user_name: str) -> None:
        """The user is signed in from now on."""
        self._signed_in[place] = _Kept(user_name, self._clock() + self.lifetime)

    def sign_out(self, user_id: str, connection: str, channel_id: str) -> None:
        """Forget a user; an empty connection or channel stands for all of them."""
        for place in list(self._signed_in):
            same_user = place.user_id == user_id
            same_connection = connection in ("", place.connection)
            if same_user and same_connection and channel_id in ("", place.channel_id):
                del self._signed_in[place]

    def has_token(self, place: Place) -> bool:
        """Whether the user is signed in."""
        kept = self._signed_in.get(place)
        return kept is not None and kept.expires_at > self._clock()

    def token(self, place: Place, audience: str = GRAPH) -> dict[str, Any] | None:
        """The user's token for an audience, in the shape of TokenResponse; None without one."""
        if not self.has_token(place):
            return None
        kept = self._signed_in[place]
        claims = {**self._claims(place.user_id, kept.subject), "aud": audience}
        expiry = datetime.datetime.fromtimestamp(int(kept.expires_at), datetime.UTC)
        return {
            "channelId": place.channel_id,
            "connectionName": place.connection,
            "token": self._issuer.sign({**claims, "exp": int(kept.expires_at)}),
            "expiration": expiry.isoformat().replace("+00:00", "Z"),
        }

    def exchangeable(self, resource: str, user_id: str, user_name: str) -> str:
        """The token that a channel's client gets for the bot, to offer it for single sign-on.

        Raises:
            NotExchangeableError: the resource is not this bot's.
        """
        if resource != self.resource:
            raise NotExchangeableError("the resource is not this bot's")
        return self._issuer.sign({**self._claims(user_id, user_name), "aud": resource})

    def exchange(self, place: Place, offered: str) -> None:
        """Sign the user in who offers a token for the bot's own resource.

        Raises:
            NotExchangeableError: it is none.
        """
        issuer = issuer_of(self._registration.tenant_id)
        try:
            claims = self._issuer.verify(offered, self.resource, issuer)
        except jwt.InvalidTokenError as error:
            raise NotExchangeableError(str(error)) from error
        self.sign_in(place, str(claims.get("name", "")))

    def statuses(self, user_id: str, channel_id: str, include: Iterable[str]) -> list[Any]:
        """Each connection in the shape of TokenStatus; those of `include`, where it names any."""
        wanted = set(include)
        return [
            {
                "channelId": channel_id,
                "connectionName": connection,
                "hasToken": self.has_token(Place(user_id, connection, channel_id)),
                "serviceProviderDisplayName": "Azure Active Directory v2",
            }
            for connection in sorted(self.connections)
            if not wanted or connection in wanted
        ]

    def _claims(self, user_id: str, name: str) -> dict[str, str]:
        tenant_id = self._registration.tenant_id
        # Entra knows people by object id: the same user of a channel is always the same person.
        object_id = str(uuid.uuid5(uuid.UUID(tenant_id), user_id))
        return {"iss": issuer_of(tenant_id), "tid": tenant_id, "oid": object_id, "name": name}
