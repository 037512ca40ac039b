"""SignIn: a sign-in whose outcome a test sets; and what a failed sign-in raises."""

import asyncio
from collections.abc import Awaitable

import pytest

from auth.errors import SignInError
from auth.outbound.token_provider import AccessToken
from tests.support.timing.clock import Clock

AUDIENCE = "https://api.botframework.com"
OTHER_AUDIENCE = "https://graph.microsoft.com"
CLIENT_ID = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"
PRINCIPAL_ID = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"
UNKNOWN_ID = "9c2b7b0a-33a5-4f0e-8f61-3d1f0a9b5e33"
"""An app registration or an identity that no tenant knows."""

LIFE = 3600.0


class SignIn:
    """A credential that answers as the test says.

    Attributes:
        clock: the cache's clock.
        asked_at: the clock at each request.
        life: seconds that a token lives.
        failures: raised by the next requests, in order.
        failure: raised afterwards, in place of a token.
        open: cleared, requests wait.
    """

    def __init__(self, clock: Clock) -> None:
        self.asked_at: list[float] = []
        self.life = LIFE
        self.failures: list[Exception] = []
        self.failure: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.clock = clock

    @property
    def requests(self) -> int:
        """Their number."""
        return len(self.asked_at)

    async def __call__(self) -> AccessToken:
        self.asked_at.append(self.clock())
        number = self.requests
        failure = self.failures.pop(0) if self.failures else self.failure
        await self.open.wait()
        if failure is not None:
            raise failure
        return AccessToken(f"secret-{number}", self.clock() + self.life)


MAX_CHARACTERS = 5000
"""Of any error's text: every character of Entra's description may have to be escaped."""


async def failure(request: Awaitable[object]) -> SignInError:
    """What a request raises: one line of bounded length."""
    with pytest.raises(SignInError) as caught:
        await request
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < MAX_CHARACTERS
    return caught.value


async def made(_: str) -> str:
    """An assertion that nobody checks."""
    return "an-assertion"
