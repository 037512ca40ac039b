"""Tokens: one cache for each audience, in front of one credential."""

import asyncio
from collections.abc import Sequence

import pytest

from auth.access_token import AccessToken
from auth.credential import Credential
from auth.errors import EndpointDown, SignInError
from auth.tokens import Tokens
from tests.support.loop_turns import settled

CHANNEL = "https://api.botframework.com"
SKILL = "7e1d2b64-2c0a-4d29-9b0e-8e3f5a7c4d44"


class Recorder(Credential):
    """A credential that notes what it is asked for.

    Attributes:
        audiences: of each request.
        calls: of both kinds, in order.
        refused: the audience for which there is no token.
        told: its warnings.
    """

    def __init__(self) -> None:
        self.audiences: list[str] = []
        self.calls: list[str] = []
        self.refused = ""
        self.told: tuple[str, ...] = ()

    async def request_token(self, audience: str) -> AccessToken:
        """A token that tells its audience."""
        self.audiences.append(audience)
        self.calls.append("request")
        await asyncio.sleep(0)
        if audience == self.refused:
            raise SignInError(f"nothing for {audience}")
        return AccessToken(f"for {audience}", 4_000_000_000.0)

    def keep_up(self) -> None:
        """Noted."""
        self.calls.append("keep up")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the test says."""
        return self.told


@pytest.fixture
def credential() -> Recorder:
    return Recorder()


@pytest.fixture
def tokens(credential: Recorder) -> Tokens:
    return Tokens(credential)


async def test_one_request_for_each_audience(tokens: Tokens, credential: Recorder) -> None:
    """Callers of one audience share a token; another audience has its own."""
    asked = [CHANNEL, SKILL] * 25
    found = await asyncio.gather(*(tokens.get(audience) for audience in asked))
    assert [token.value for token in found] == [f"for {audience}" for audience in asked]
    assert sorted(credential.audiences) == sorted({CHANNEL, SKILL})


async def test_a_failure_is_its_audience_s_own(tokens: Tokens, credential: Recorder) -> None:
    """An audience that is refused takes no other's token away, and is left alone for now."""
    credential.refused = SKILL
    for _ in range(2):
        with pytest.raises(SignInError, match=SKILL):
            await tokens.get(SKILL)
        assert (await tokens.get(CHANNEL)).value == f"for {CHANNEL}"
    assert credential.audiences == [SKILL, CHANNEL]


@pytest.mark.parametrize("patience", [(), (0.0,), (0.0, 0.0)])
async def test_patience(patience: Sequence[float]) -> None:
    """A cold request is tried again as often as there are pauses, for each audience."""
    asked: list[str] = []

    class Down(Credential):
        async def request_token(self, audience: str) -> AccessToken:
            asked.append(audience)
            raise EndpointDown("silent")

    tokens = Tokens(Down(), patience=patience)
    for audience in (CHANNEL, SKILL):
        with pytest.raises(EndpointDown, match=r"^silent$"):
            await tokens.get(audience)
    attempts = 1 + len(patience)
    assert asked == [CHANNEL] * attempts + [SKILL] * attempts


async def test_each_get_lets_the_credential_keep_up(tokens: Tokens, credential: Recorder) -> None:
    """The credential hears of each use before its token is asked for, warm ones too."""
    for _ in range(3):
        await tokens.get(CHANNEL)
        await settled()
    assert credential.calls == ["keep up", "request", "keep up", "keep up"]


def test_warnings_are_passed_on(tokens: Tokens, credential: Recorder) -> None:
    """What the credential warns of now is what is told, without a request."""
    assert not tokens.warnings
    credential.told = ("expires soon", "another")
    assert tokens.warnings == ("expires soon", "another")
    assert credential.calls == []


async def test_most_credentials_have_nothing_that_ages() -> None:
    """A credential that says nothing about it needs no keeping up and has no warnings."""

    class Plain(Credential):
        async def request_token(self, audience: str) -> AccessToken:
            return AccessToken(audience, 4_000_000_000.0)

    tokens = Tokens(Plain())
    assert (await tokens.get(SKILL)).value == SKILL
    assert tokens.warnings == ()
