"""TokenProvider: one cache for each audience, in front of one credential."""

import asyncio
import time

import pytest

from auth.errors import EndpointDown, SignInError
from auth.outbound.token_provider import AccessToken, Credential, TokenProvider
from tests.support.credentials.sign_in import AUDIENCE
from tests.support.timing.condition import comes_true
from tests.support.timing.loop_turns import settled

SKILL = "7e1d2b64-2c0a-4d29-9b0e-8e3f5a7c4d44"


class Recorder(Credential):
    """A credential that records its requests.

    Attributes:
        audiences: of each request.
        calls: of both kinds, in order.
        refused: the audience for which there is no token.
        declared: its warnings.
    """

    def __init__(self) -> None:
        self.audiences: list[str] = []
        self.calls: list[str] = []
        self.refused = ""
        self.declared: tuple[str, ...] = ()

    async def request_token(self, audience: str) -> AccessToken:
        """A token that tells its audience."""
        self.audiences.append(audience)
        self.calls.append("request")
        await asyncio.sleep(0)
        if audience == self.refused:
            raise SignInError(f"nothing for {audience}")
        return AccessToken(f"for {audience}", 4_000_000_000.0)

    def refresh_if_due(self) -> None:
        """Noted."""
        self.calls.append("refresh")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the test says."""
        return self.declared


@pytest.fixture
def credential() -> Recorder:
    return Recorder()


@pytest.fixture
def tokens(credential: Recorder) -> TokenProvider:
    return TokenProvider(credential)


async def test_one_request_for_each_audience(tokens: TokenProvider, credential: Recorder) -> None:
    """Callers of one audience share a token; another audience has its own."""
    asked = [AUDIENCE, SKILL] * 25
    found = await asyncio.gather(*(tokens.get(audience) for audience in asked))
    assert [token.value for token in found] == [f"for {audience}" for audience in asked]
    assert sorted(credential.audiences) == sorted({AUDIENCE, SKILL})


async def test_a_failure_is_its_audience_s_own(tokens: TokenProvider, credential: Recorder) -> None:
    """A refused audience does not affect others, and pauses."""
    credential.refused = SKILL
    for _ in range(2):
        with pytest.raises(SignInError, match=SKILL):
            await tokens.get(SKILL)
        assert (await tokens.get(AUDIENCE)).value == f"for {AUDIENCE}"
    assert credential.audiences == [SKILL, AUDIENCE]


@pytest.mark.parametrize("max_attempts", [1, 2])
async def test_attempts(max_attempts: int) -> None:
    """A request that callers wait for has as many attempts as the provider says."""
    asked: list[str] = []

    class Down(Credential):
        async def request_token(self, audience: str) -> AccessToken:
            asked.append(audience)
            raise EndpointDown("silent")

    tokens = TokenProvider(Down(), max_attempts=max_attempts)
    for audience in (AUDIENCE, SKILL):
        with pytest.raises(EndpointDown, match=r"^silent$"):
            await tokens.get(audience)
    assert asked == [AUDIENCE] * max_attempts + [SKILL] * max_attempts


async def test_each_get_refreshes_the_credential(
    tokens: TokenProvider, credential: Recorder
) -> None:
    """Each `get` calls `refresh_if_due` first, also with a cached token."""
    for _ in range(3):
        await tokens.get(AUDIENCE)
        await settled()
    assert credential.calls == ["refresh", "request", "refresh", "refresh"]


def test_warnings_are_passed_on(tokens: TokenProvider, credential: Recorder) -> None:
    """The credential's warnings are returned, without a request."""
    assert not tokens.warnings
    credential.declared = ("expires soon", "another")
    assert tokens.warnings == ("expires soon", "another")
    assert credential.calls == []


async def test_a_credential_with_nothing_to_refresh() -> None:
    """By default a credential has nothing to refresh and no warnings."""

    class Plain(Credential):
        async def request_token(self, audience: str) -> AccessToken:
            return AccessToken(audience, 4_000_000_000.0)

    tokens = TokenProvider(Plain())
    assert (await tokens.get(SKILL)).value == SKILL
    assert tokens.warnings == ()


class Scripted(Credential):
    """A credential whose requests end as the script says; the last entry repeats.

    Attributes:
        requests: so far.
        open: cleared, requests do not end.
    """

    def __init__(self, *script: SignInError | None) -> None:
        self._script = list(script)
        self.requests = 0
        self.open = asyncio.Event()
        self.open.set()

    async def request_token(self, audience: str) -> AccessToken:
        """A token, or the failure that the script has."""
        self.requests += 1
        await self.open.wait()
        failure = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if failure is not None:
            raise failure
        return AccessToken(f"for {audience}", time.time() + 3600)


async def test_a_prefetched_token() -> None:
    """A later caller gets the prefetched token."""
    credential = Scripted(None)
    provider = TokenProvider(credential, max_attempts=1)
    provider.prefetch(AUDIENCE)
    await settled()
    assert (await provider.get(AUDIENCE)).value == f"for {AUDIENCE}"
    assert credential.requests == 1


async def test_callers_join_the_prefetch() -> None:
    """A caller during the prefetch waits for the same request."""
    credential = Scripted(None)
    provider = TokenProvider(credential, max_attempts=1)
    credential.open.clear()
    provider.prefetch(AUDIENCE)
    callers = [asyncio.create_task(provider.get(AUDIENCE)) for _ in range(20)]
    await settled()
    credential.open.set()
    assert len(set(await asyncio.gather(*callers))) == 1
    assert credential.requests == 1


async def test_a_failed_prefetch_is_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    """The next caller starts a request at once; the failure is logged."""
    credential = Scripted(SignInError("refused"), None)
    provider = TokenProvider(credential, max_attempts=1)
    provider.prefetch(AUDIENCE)
    await settled()
    assert (await provider.get(AUDIENCE)).value
    assert credential.requests == 2
    assert caplog.messages == ["No first token yet: refused"]


async def test_a_failed_prefetch_leaves_all_attempts() -> None:
    """The next caller has all attempts, as if there had been no prefetch."""
    credential = Scripted(EndpointDown("down"), EndpointDown("down"), EndpointDown("down"), None)
    provider = TokenProvider(credential, max_attempts=2)
    provider.prefetch(AUDIENCE)
    await comes_true(lambda: credential.requests == 2)
    await settled()
    assert (await provider.get(AUDIENCE)).value
    assert credential.requests == 4


async def test_a_caller_who_shares_the_failure() -> None:
    """A caller who waits for the prefetch gets its failure; the next request starts afresh."""
    credential = Scripted(SignInError("refused"), None)
    provider = TokenProvider(credential, max_attempts=1)
    credential.open.clear()
    provider.prefetch(AUDIENCE)
    caller = asyncio.create_task(provider.get(AUDIENCE))
    await settled()
    credential.open.set()
    with pytest.raises(SignInError, match="refused"):
        await caller
    assert (await provider.get(AUDIENCE)).value


def test_repr_holds_no_token() -> None:
    """A token's representation in a log is its expiry."""
    token = AccessToken("secret-1", 1_800_000_000.0, "AB" * 20)
    assert repr(token) == str(token) == "AccessToken(expires_on=1800000000.0)"
