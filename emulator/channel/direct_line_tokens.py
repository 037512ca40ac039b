"""DirectLineTokens: keys to one conversation, as Direct Line hands them to browsers."""

import secrets
import time
import uuid
from dataclasses import dataclass

from emulator.channel.conversations import Account
from emulator.channel.errors import ChannelError


@dataclass(frozen=True)
class Grant:
    """What one token opens: a conversation, as one user."""

    conversation_id: str
    user: Account
    expires_at: float


class DirectLineTokens:
    """Issues and checks opaque tokens.

    Attributes:
        lifetime: seconds that a token is valid.
    """

    def __init__(self) -> None:
        self.lifetime = 1800
        self._grants: dict[str, Grant] = {}

    def generate(self, user: Account) -> str:
        """A token for a conversation that has not begun yet."""
        return self.issue(uuid.uuid4().hex, user)

    def issue(self, conversation_id: str, user: Account) -> str:
        """A token for this conversation and user."""
        token = secrets.token_urlsafe(32)
        expires_at = time.monotonic() + self.lifetime
        self._grants[token] = Grant(conversation_id, user, expires_at)
        return token

    def grant(self, token: str) -> Grant:
        """What the token opens.

        Raises:
            ChannelError: 403, it opens nothing, or no longer; clients read that as expired.
        """
        grant = self._grants.get(token)
        if grant is None or grant.expires_at <= time.monotonic():
            self._grants.pop(token, None)
            raise ChannelError(403, "TokenExpired", "The token is not valid, or no longer.")
        return grant
