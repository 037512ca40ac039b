"""AccessToken and TokenCache: few requests, no interruption, nothing in a log."""

import asyncio
import logging

import pytest

from auth.access_token import AccessToken, TokenCache
from auth.errors import CertificateError, SignInError
from tests.support.clock import Clock
from tests.support.loop_turns import settled

LIFE = 3600.0


class SignIn:
    """A credential that answers as the test says.

    Attributes:
        asked_at: the clock at each request.
        failure: raised in place of a token.
        open: cleared, requests wait.
    """

    def __init__(self, clock: Clock) -> None:
        self.asked_at: list[float] = []
        self.failure: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self._clock = clock

    @property
    def requests(self) -> int:
        """How many there were."""
        return len(self.asked_at)

    async def __call__(self) -> AccessToken:
        self.asked_at.append(self._clock())
        number = self.requests
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        return AccessToken(f"secret-{number}", self._clock() + LIFE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sign_in(clock: Clock) -> SignIn:
    return SignIn(clock)


@pytest.fixture
def cache(sign_in: SignIn, clock: Clock) -> TokenCache:
    return TokenCache(sign_in, clock)


async def value(cache: TokenCache) -> str:
    """The token that a caller gets now."""
    return (await cache.get()).value


async def test_cold_callers_share_one_request(cache: TokenCache, sign_in: SignIn) -> None:
    """Fifty callers at once cost one request, and all get its token."""
    sign_in.open.clear()
    callers = [asyncio.create_task(cache.get()) for _ in range(50)]
    await settled()
    sign_in.open.set()
    assert {token.value for token in await asyncio.gather(*callers)} == {"secret-1"}
    assert sign_in.requests == 1


async def test_a_young_token_costs_nothing(
    cache: TokenCache, sign_in: SignIn, clock: Clock
) -> None:
    """Until half of its life a token is served from memory, without a request."""
    assert await value(cache) == "secret-1"
    clock.advance(LIFE / 2 - 0.001)
    assert await value(cache) == "secret-1"
    await settled()
    assert sign_in.requests == 1


async def test_renewal_begins_at_half_life(
    cache: TokenCache, sign_in: SignIn, clock: Clock
) -> None:
    """From half of its life on it is renewed in the background, and served meanwhile."""
    await cache.get()
    clock.advance(LIFE / 2)
    sign_in.open.clear()
    assert await value(cache) == "secret-1"
    await settled()
    assert sign_in.requests == 2
    sign_in.open.set()
    await settled()
    assert await value(cache) == "secret-2"
    assert sign_in.requests == 2


async def test_one_renewal_at_a_time(cache: TokenCache, sign_in: SignIn, clock: Clock) -> None:
    """While a renewal is under way, no caller begins another."""
    await cache.get()
    clock.advance(LIFE / 2)
    sign_in.open.clear()
    for _ in range(20):
        assert await value(cache) == "secret-1"
        await settled()
    assert sign_in.requests == 2
    sign_in.open.set()
    await settled()


async def test_callers_join_the_renewal(cache: TokenCache, sign_in: SignIn, clock: Clock) -> None:
    """A caller whose token has run out waits for the renewal that is under way already."""
    await cache.get()
    clock.advance(LIFE / 2)
    sign_in.open.clear()
    await cache.get()
    clock.advance(LIFE / 2)
    caller = asyncio.create_task(cache.get())
    await settled()
    sign_in.open.set()
    assert (await caller).value == "secret-2"
    assert sign_in.requests == 2


async def test_an_outage_is_not_noticed(cache: TokenCache, sign_in: SignIn, clock: Clock) -> None:
    """With the endpoint down, a token is served until 60 seconds before its expiry."""
    token = await cache.get()
    sign_in.failure = SignInError("down")
    while clock.now < token.expires_on - 61:
        assert await value(cache) == "secret-1"
        await settled()
        clock.advance(10)
    clock.now = token.expires_on - 60.001
    assert await value(cache) == "secret-1"
    await settled()
    clock.now = token.expires_on - 60
    with pytest.raises(SignInError, match="down"):
        await cache.get()


async def test_pauses_grow_while_a_token_is_in_hand(
    cache: TokenCache, sign_in: SignIn, clock: Clock
) -> None:
    """A failing renewal is tried again after 1, 2, 4 ... seconds, and then every 30."""
    await cache.get()
    clock.advance(LIFE / 2)
    half_life = clock.now
    sign_in.failure = SignInError("down")
    for _ in range(130):
        await cache.get()
        await settled()
        clock.advance(1)
    renewals = [moment - half_life for moment in sign_in.asked_at[1:]]
    assert renewals == [0, 1, 3, 7, 15, 31, 61, 91, 121]


async def test_pauses_begin_anew_after_a_success(
    cache: TokenCache, sign_in: SignIn, clock: Clock
) -> None:
    """Once a renewal has worked, the next failure is followed by the shortest pause again."""
    await cache.get()
    clock.advance(LIFE / 2)
    sign_in.failure = SignInError("down")
    for _ in range(20):
        await cache.get()
        await settled()
        clock.advance(1)
    sign_in.failure = None
    clock.advance(30)
    await cache.get()
    await settled()
    clock.advance(LIFE / 2)
    sign_in.failure, before = SignInError("down"), sign_in.requests
    for _ in range(2):
        await cache.get()
        await settled()
        clock.advance(1)
    assert sign_in.requests == before + 2


async def test_a_long_pause_ends_with_the_token(
    cache: TokenCache, sign_in: SignIn, clock: Clock
) -> None:
    """A pause that grew in an outage does not keep callers from a token once they wait for it."""
    token = await cache.get()
    sign_in.failure = SignInError("down")
    last_use = token.expires_on - 60
    clock.now = last_use - 120
    while clock.now < last_use:
        await cache.get()
        await settled()
        clock.advance(1)
    with pytest.raises(SignInError):
        await cache.get()
    assert sign_in.asked_at[-1] == last_use
    sign_in.failure = None
    clock.advance(1)
    assert await value(cache) == f"secret-{sign_in.requests}"


async def test_a_failure_is_shared(cache: TokenCache, sign_in: SignIn, clock: Clock) -> None:
    """For a second after a failure, callers get the same one without a request; then a new try."""
    sign_in.failure = SignInError("no role", retry_after=17)
    for _ in range(3):
        with pytest.raises(SignInError, match=r"^no role$") as caught:
            await cache.get()
        assert caught.value.retry_after == 17
        clock.advance(0.25)
    assert sign_in.requests == 1
    clock.advance(0.25)
    sign_in.failure = None
    assert await value(cache) == "secret-2"


async def test_waiting_callers_share_a_failure(cache: TokenCache, sign_in: SignIn) -> None:
    """Callers that wait for one request all get its failure."""
    sign_in.failure = CertificateError("expired")
    sign_in.open.clear()
    callers = [asyncio.create_task(cache.get()) for _ in range(5)]
    await settled()
    sign_in.open.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["expired"] * 5
    assert sign_in.requests == 1


async def test_a_caller_that_goes_away(cache: TokenCache, sign_in: SignIn) -> None:
    """A cancelled caller does not take the others' request with it."""
    sign_in.open.clear()
    first, second = (asyncio.create_task(cache.get()) for _ in range(2))
    await settled()
    first.cancel()
    await settled()
    sign_in.open.set()
    assert (await second).value == "secret-1"
    assert first.cancelled()
    assert sign_in.requests == 1


async def test_all_callers_go_away(cache: TokenCache, sign_in: SignIn) -> None:
    """A request that nobody waits for any more is finished, and its token kept."""
    sign_in.open.clear()
    caller = asyncio.create_task(cache.get())
    await settled()
    caller.cancel()
    await settled()
    sign_in.open.set()
    await settled()
    assert await value(cache) == "secret-1"
    assert sign_in.requests == 1


async def test_a_request_is_bounded(
    cache: TokenCache, sign_in: SignIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A credential that never answers is given up on, and asked again later."""
    monkeypatch.setattr("auth.access_token.REQUEST_TIMEOUT", 0.01)
    sign_in.open.clear()
    async with asyncio.timeout(5):
        with pytest.raises(SignInError, match="no token within"):
            await cache.get()
    sign_in.open.set()
    clock.advance(1)
    assert await value(cache) == "secret-2"


async def test_an_unforeseen_error_in_the_background(
    cache: TokenCache, sign_in: SignIn, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that no credential should raise is logged; the token in hand is served."""
    await cache.get()
    clock.advance(LIFE / 2)
    sign_in.failure = RuntimeError("a library's own")
    assert await value(cache) == "secret-1"
    await settled()
    assert await value(cache) == "secret-1"
    assert "a library's own" in caplog.text


async def test_an_unforeseen_error_reaches_the_caller(cache: TokenCache, sign_in: SignIn) -> None:
    """Without a token in hand it is the caller's to hear of."""
    sign_in.failure = RuntimeError("a library's own")
    with pytest.raises(RuntimeError, match="a library's own"):
        await cache.get()


async def test_no_token_is_logged(
    cache: TokenCache, sign_in: SignIn, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """An outage is logged with its reason and how long the token lasts, never with the token."""
    caplog.set_level(logging.DEBUG)
    await cache.get()
    clock.advance(LIFE / 2)
    sign_in.failure = SignInError("the endpoint is down")
    await cache.get()
    await settled()
    assert "the endpoint is down" in caplog.text
    assert f"{LIFE / 2 - 60:.0f} s more" in caplog.text
    assert "secret" not in caplog.text


def test_repr_holds_no_token() -> None:
    """What a log line may show of a token is its expiry."""
    token = AccessToken("secret-1", 1_800_000_000.0, "AB" * 20)
    assert repr(token) == str(token) == "AccessToken(expires_on=1800000000.0)"
