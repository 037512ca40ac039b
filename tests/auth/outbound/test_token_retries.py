"""TokenCache: which failed requests are retried, how often, and for how long."""

import asyncio

import pytest

from auth.errors import (
    CertificateError,
    CertificateUnknown,
    EndpointDown,
    SignInError,
    Throttled,
    VaultForbidden,
)
from auth.outbound.token_provider import AccessToken, TokenCache
from tests.support.credentials.sign_in import LIFE, SignIn
from tests.support.timing.clock import Clock
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock


async def value(cache: TokenCache) -> str:
    """The token that a caller gets now."""
    return (await cache.get()).value


@pytest.fixture
async def moved(monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    """The loop's clock, moved by the cache's waits."""
    return MovedClock(monkeypatch)


@pytest.fixture
def retrying(sign_in: SignIn, clock: Clock, moved: MovedClock) -> TokenCache:
    """A cache whose waits take no time."""
    return TokenCache(sign_in, clock=clock, sleep=moved.sleep)


TRANSIENT = (EndpointDown("silent"), VaultForbidden("no role yet"))

FINAL = (
    SignInError("refused"),
    CertificateError("expired"),
    CertificateUnknown("not uploaded"),
    Throttled("busy", None),
)

by_kind = pytest.mark.parametrize("failure", TRANSIENT, ids=lambda error: type(error).__name__)


@by_kind
async def test_a_transient_failure_is_retried(
    failure: SignInError, retrying: TokenCache, sign_in: SignIn, moved: MovedClock
) -> None:
    """A transient failure is retried, after longer and longer pauses."""
    sign_in.failures = [failure] * 5
    assert await value(retrying) == "secret-6"
    assert moved.pauses == [0.25, 0.5, 1, 2, 2]


@by_kind
async def test_attempts_end(
    failure: SignInError, retrying: TokenCache, sign_in: SignIn, moved: MovedClock
) -> None:
    """After the last attempt its failure is the caller's."""
    sign_in.failure = failure
    with pytest.raises(type(failure), match=str(failure)):
        await retrying.get()
    assert sign_in.requests == 6
    assert moved.pauses == [0.25, 0.5, 1, 2, 2]


@by_kind
async def test_no_retries(failure: SignInError, sign_in: SignIn, moved: MovedClock) -> None:
    """With a single attempt, a request fails at once."""
    sign_in.failure = failure
    cache = TokenCache(sign_in, clock=sign_in.clock, sleep=moved.sleep, max_attempts=1)
    with pytest.raises(type(failure), match=str(failure)):
        await cache.get()
    assert sign_in.requests == 1
    assert moved.pauses == []


@pytest.mark.parametrize("failure", FINAL, ids=lambda error: type(error).__name__)
async def test_a_refusal_is_not_retried(
    failure: SignInError, retrying: TokenCache, sign_in: SignIn, moved: MovedClock
) -> None:
    """A failure that needs action, or asks to wait, is not retried."""
    sign_in.failure = failure
    with pytest.raises(type(failure), match=str(failure)):
        await retrying.get()
    assert sign_in.requests == 1
    assert moved.pauses == []


async def test_a_refusal_ends_the_attempts(
    retrying: TokenCache, sign_in: SignIn, moved: MovedClock
) -> None:
    """When an endpoint that was down refuses, the refusal counts."""
    sign_in.failures = [EndpointDown("silent"), VaultForbidden("no role yet")]
    sign_in.failure = CertificateError("expired")
    with pytest.raises(CertificateError, match=r"^expired$"):
        await retrying.get()
    assert moved.pauses == [0.25, 0.5]


async def test_attempts_have_a_time_limit(clock: Clock, moved: MovedClock) -> None:
    """No pause starts that would end after the ten seconds of a request."""

    async def slow() -> AccessToken:
        moved.move(2.9)
        raise EndpointDown("silent")

    with pytest.raises(EndpointDown, match=r"^silent$"):
        await TokenCache(slow, clock=clock, sleep=moved.sleep).get()
    # Three attempts and two pauses are 9.45 seconds; the next pause is of one.
    assert moved.pauses == [0.25, 0.5]


async def test_an_attempt_that_is_cut_off(clock: Clock, moved: MovedClock) -> None:
    """When time runs out during an attempt, the text names the failure before it."""

    async def silent_in_the_end() -> AccessToken:
        if len(moved.pauses) < 4:
            raise VaultForbidden("no role yet")
        await asyncio.Event().wait()
        raise AssertionError

    caller = asyncio.create_task(
        TokenCache(silent_in_the_end, clock=clock, sleep=moved.sleep).get()
    )
    await settled()
    moved.move(9 - sum(moved.pauses))
    await settled()
    assert not caller.done()
    moved.move(1)
    await settled()
    assert caller.done()
    with pytest.raises(EndpointDown, match=r"^no token within 10 seconds: no role yet$"):
        await caller


async def test_retries_in_an_outage(
    retrying: TokenCache, sign_in: SignIn, moved: MovedClock
) -> None:
    """During an outage, later requests are not retried; after a success the next one is."""
    sign_in.failure = EndpointDown("silent")
    for _ in range(3):
        with pytest.raises(EndpointDown):
            await retrying.get()
        sign_in.clock.advance(1)
    assert len(moved.pauses) == 5
    assert sign_in.requests == 6 + 1 + 1
    sign_in.failure = None
    await retrying.get()
    sign_in.failure = EndpointDown("silent")
    sign_in.clock.advance(LIFE)
    with pytest.raises(EndpointDown):
        await retrying.get()
    assert len(moved.pauses) == 10


@by_kind
async def test_the_background_has_one_attempt(
    failure: SignInError, retrying: TokenCache, sign_in: SignIn, moved: MovedClock
) -> None:
    """With a valid token no caller waits: a failed refresh is not retried at once."""
    await retrying.get()
    sign_in.clock.advance(LIFE / 2)
    sign_in.failure = failure
    assert await value(retrying) == "secret-1"
    await settled()
    assert sign_in.requests == 2
    assert moved.pauses == []


async def test_callers_share_the_attempts(
    retrying: TokenCache, sign_in: SignIn, moved: MovedClock
) -> None:
    """Fifty callers share one request and its retries."""
    sign_in.failures = [EndpointDown("silent")] * 2
    found = await asyncio.gather(*(retrying.get() for _ in range(50)))
    assert {token.value for token in found} == {"secret-3"}
    assert sign_in.requests == 3
    assert moved.pauses == [0.25, 0.5]


@pytest.mark.parametrize("failure", [*TRANSIENT, *FINAL], ids=lambda error: type(error).__name__)
async def test_a_pause_keeps_the_kind(
    failure: SignInError, retrying: TokenCache, sign_in: SignIn
) -> None:
    """During the pause after a failure callers get the same kind of error, and the same text."""
    sign_in.failure = failure
    for _ in range(3):
        with pytest.raises(SignInError) as caught:
            await retrying.get()
        assert type(caught.value) is type(failure)
        assert str(caught.value) == str(failure)
    assert sign_in.requests == (6 if failure in TRANSIENT else 1)
