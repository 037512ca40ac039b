"""TokenCache: few requests, no interruption, nothing in a log."""

import asyncio
import logging

import pytest

from auth.errors import CertificateError, SignInError, Throttled
from auth.outbound.token_provider import AccessToken, TokenCache
from tests.support.credentials.sign_in import LIFE, SignIn
from tests.support.timing.clock import Clock
from tests.support.timing.loop_turns import settled


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


async def test_a_young_token_costs_nothing(cache: TokenCache, sign_in: SignIn) -> None:
    """Until half of its life a token comes from memory, without a request."""
    assert await value(cache) == "secret-1"
    sign_in.clock.advance(LIFE / 2 - 0.001)
    assert await value(cache) == "secret-1"
    await settled()
    assert sign_in.requests == 1


async def test_renewal_begins_at_half_life(cache: TokenCache, sign_in: SignIn) -> None:
    """From half of its life on a token is refreshed in the background, and used meanwhile."""
    await cache.get()
    sign_in.clock.advance(LIFE / 2)
    sign_in.open.clear()
    assert await value(cache) == "secret-1"
    await settled()
    assert sign_in.requests == 2
    sign_in.open.set()
    await settled()
    assert await value(cache) == "secret-2"
    assert sign_in.requests == 2


@pytest.mark.parametrize(
    ("life", "renewed_from"), [(LIFE, 1800.0), (300.0, 150.0), (240.0, 120.0), (130.0, 140 / 3)]
)
async def test_a_short_life_is_renewed_in_time(
    life: float, renewed_from: float, cache: TokenCache, sign_in: SignIn
) -> None:
    """The refresh starts at half of the life, or at two thirds of the use if that is sooner."""
    sign_in.life = life
    await cache.get()
    sign_in.clock.advance(renewed_from - 0.01)
    assert await value(cache) == "secret-1"
    await settled()
    assert sign_in.requests == 1
    sign_in.clock.advance(0.02)
    assert await value(cache) == "secret-1"
    await settled()
    assert sign_in.requests == 2
    assert await value(cache) == "secret-2"


async def test_one_renewal_at_a_time(cache: TokenCache, sign_in: SignIn) -> None:
    """During a refresh, no caller starts another."""
    await cache.get()
    sign_in.clock.advance(LIFE / 2)
    sign_in.open.clear()
    for _ in range(20):
        assert await value(cache) == "secret-1"
        await settled()
    assert sign_in.requests == 2
    sign_in.open.set()
    await settled()


async def test_callers_join_the_renewal(cache: TokenCache, sign_in: SignIn) -> None:
    """A caller whose token has expired waits for the running refresh."""
    await cache.get()
    sign_in.clock.advance(LIFE / 2)
    sign_in.open.clear()
    await cache.get()
    sign_in.clock.advance(LIFE / 2)
    caller = asyncio.create_task(cache.get())
    await settled()
    sign_in.open.set()
    assert (await caller).value == "secret-2"
    assert sign_in.requests == 2


async def test_an_outage_is_not_noticed(cache: TokenCache, sign_in: SignIn) -> None:
    """During an outage, a token is used until 60 seconds before its expiry."""
    token = await cache.get()
    sign_in.failure = SignInError("down")
    while sign_in.clock.now < token.expires_on - 61:
        assert await value(cache) == "secret-1"
        await settled()
        sign_in.clock.advance(10)
    sign_in.clock.now = token.expires_on - 60.001
    assert await value(cache) == "secret-1"
    await settled()
    sign_in.clock.now = token.expires_on - 60
    with pytest.raises(SignInError, match="down"):
        await cache.get()


async def test_pauses_grow_while_a_token_is_valid(cache: TokenCache, sign_in: SignIn) -> None:
    """A failing refresh is repeated after 1, 2, 4 ... seconds, and then every 30."""
    await cache.get()
    sign_in.clock.advance(LIFE / 2)
    half_life = sign_in.clock.now
    sign_in.failure = SignInError("down")
    for _ in range(130):
        await cache.get()
        await settled()
        sign_in.clock.advance(1)
    renewals = [moment - half_life for moment in sign_in.asked_at[1:]]
    assert renewals == [0, 1, 3, 7, 15, 31, 61, 91, 121]


async def test_pauses_start_over_after_a_success(cache: TokenCache, sign_in: SignIn) -> None:
    """After a successful refresh, the next failure is followed by the shortest pause again."""
    await cache.get()
    sign_in.clock.advance(LIFE / 2)
    sign_in.failure = SignInError("down")
    for _ in range(20):
        await cache.get()
        await settled()
        sign_in.clock.advance(1)
    sign_in.failure = None
    sign_in.clock.advance(30)
    await cache.get()
    await settled()
    sign_in.clock.advance(LIFE / 2)
    sign_in.failure, before = SignInError("down"), sign_in.requests
    for _ in range(2):
        await cache.get()
        await settled()
        sign_in.clock.advance(1)
    assert sign_in.requests == before + 2


async def test_a_long_pause_ends_with_the_token(cache: TokenCache, sign_in: SignIn) -> None:
    """A long pause ends when the token does: from then on callers wait."""
    token = await cache.get()
    sign_in.failure = SignInError("down")
    last_use = token.expires_on - 60
    sign_in.clock.now = last_use - 120
    while sign_in.clock.now < last_use:
        await cache.get()
        await settled()
        sign_in.clock.advance(1)
    with pytest.raises(SignInError):
        await cache.get()
    assert sign_in.asked_at[-1] == last_use
    sign_in.failure = None
    sign_in.clock.advance(1)
    assert await value(cache) == f"secret-{sign_in.requests}"


async def test_a_failure_is_shared(cache: TokenCache, sign_in: SignIn) -> None:
    """For a second after a failure, callers get the same one without a request; then a new one."""
    sign_in.failure = SignInError("no role", retry_after=17)
    for _ in range(3):
        with pytest.raises(SignInError, match=r"^no role$") as caught:
            await cache.get()
        assert caught.value.retry_after == 17
        sign_in.clock.advance(0.25)
    assert sign_in.requests == 1
    sign_in.clock.advance(0.25)
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


async def test_a_cancelled_caller(cache: TokenCache, sign_in: SignIn) -> None:
    """A cancelled caller does not cancel the request of the others."""
    sign_in.open.clear()
    first, second = (asyncio.create_task(cache.get()) for _ in range(2))
    await settled()
    first.cancel()
    await settled()
    sign_in.open.set()
    assert (await second).value == "secret-1"
    assert first.cancelled()
    assert sign_in.requests == 1


async def test_all_callers_are_cancelled(cache: TokenCache, sign_in: SignIn) -> None:
    """A request whose callers are all cancelled completes, and its token is cached."""
    sign_in.open.clear()
    caller = asyncio.create_task(cache.get())
    await settled()
    caller.cancel()
    await settled()
    sign_in.open.set()
    await settled()
    assert await value(cache) == "secret-1"
    assert sign_in.requests == 1


async def test_a_request_times_out(sign_in: SignIn) -> None:
    """A credential that never returns times out, and is called again later."""
    cache = TokenCache(sign_in, request_timeout=0.01, clock=sign_in.clock)
    sign_in.open.clear()
    async with asyncio.timeout(30):
        with pytest.raises(SignInError, match="no token within"):
            await cache.get()
    sign_in.open.set()
    sign_in.clock.advance(1)
    assert await value(cache) == "secret-2"


async def test_an_unexpected_error_in_the_background(
    cache: TokenCache, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected error is logged, and the valid token is returned."""
    await cache.get()
    sign_in.clock.advance(LIFE / 2)
    sign_in.failure = RuntimeError("a library's own")
    assert await value(cache) == "secret-1"
    await settled()
    assert await value(cache) == "secret-1"
    assert "a library's own" in caplog.text


async def test_an_unexpected_error_is_a_failed_sign_in(
    cache: TokenCache, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a valid token, an unexpected error is a failed sign-in, and pauses like one."""
    sign_in.failure = RuntimeError("a library's own")
    for _ in range(5):
        with pytest.raises(SignInError, match="a bug in this project"):
            await cache.get()
    assert sign_in.requests == 1
    assert caplog.text.count("RuntimeError: a library's own") == 1
    sign_in.failure = None
    sign_in.clock.advance(1)
    assert await value(cache)


async def test_a_token_without_a_margin(clock: Clock) -> None:
    """A token that arrives with less life than the margin is used for a second."""
    requests = 0

    async def short() -> AccessToken:
        nonlocal requests
        requests += 1
        return AccessToken("short", clock.now + 30)

    cache = TokenCache(short, clock=clock)
    for _ in range(10):
        await cache.get()
        await settled()
    assert requests == 1
    clock.advance(1)
    await cache.get()
    assert requests == 2


async def test_an_endpoint_that_asks_to_wait(cache: TokenCache, sign_in: SignIn) -> None:
    """No request is sent before the requested wait is over; callers get the failure."""
    sign_in.failure = Throttled("busy", 20)
    for _ in range(20):
        with pytest.raises(Throttled, match=r"^busy$") as caught:
            await cache.get()
        assert caught.value.retry_after == 20
        sign_in.clock.advance(1)
    assert sign_in.requests == 1
    sign_in.failure = None
    assert await value(cache) == "secret-2"


async def test_an_endpoint_that_asks_for_no_wait(cache: TokenCache, sign_in: SignIn) -> None:
    """A requested wait of zero becomes the default pause."""
    sign_in.failure = Throttled("busy", 0)
    with pytest.raises(Throttled):
        await cache.get()
    sign_in.clock.advance(0.99)
    with pytest.raises(Throttled):
        await cache.get()
    assert sign_in.requests == 1
    sign_in.clock.advance(0.01)
    with pytest.raises(Throttled):
        await cache.get()
    assert sign_in.requests == 2


async def test_the_background_waits_as_asked(cache: TokenCache, sign_in: SignIn) -> None:
    """A refresh waits as long as the endpoint asks, beyond its own pause."""
    await cache.get()
    sign_in.clock.advance(LIFE / 2)
    half_life = sign_in.clock.now
    sign_in.failures = [Throttled("busy", 45)]
    for _ in range(50):
        await cache.get()
        await settled()
        sign_in.clock.advance(1)
    assert [moment - half_life for moment in sign_in.asked_at[1:]] == [0, 45]


async def test_a_wait_ends_with_the_token(cache: TokenCache, sign_in: SignIn) -> None:
    """A requested wait ends when the token does."""
    token = await cache.get()
    sign_in.clock.now = token.expires_on - 60 - 30
    sign_in.failures = [Throttled("busy", 120)]
    await cache.get()
    await settled()
    sign_in.clock.advance(29.9)
    assert await value(cache) == "secret-1"
    await settled()
    assert sign_in.requests == 2
    sign_in.clock.advance(0.1)
    assert await value(cache) == "secret-3"


async def test_no_token_is_logged(
    cache: TokenCache, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    """An outage is logged with its reason and how long the token lasts, never with the token."""
    caplog.set_level(logging.DEBUG)
    await cache.get()
    sign_in.clock.advance(LIFE / 2)
    sign_in.failure = SignInError("the endpoint is down")
    await cache.get()
    await settled()
    assert "the endpoint is down" in caplog.text
    assert f"{LIFE / 2 - 60:.0f} s more" in caplog.text
    assert "secret" not in caplog.text
