"""TokenThread: tokens for threads and event loops other than its own."""

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator

import pytest

from auth.errors import SignInError
from auth.outbound.token_provider import MIN_USE_SECONDS
from auth.settings import Settings
from auth.token_thread import TokenThread
from bot_workbench.emulator.cloud import Cloud
from tests.support.timing.condition import comes_true

CHANNEL = "https://api.botframework.com"
SKILL = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
async def tokens(platform: Cloud) -> AsyncIterator[TokenThread]:
    """Tokens of the platform's bot."""
    tokens = TokenThread(Settings.from_environ(platform.settings()))
    yield tokens
    await tokens.close()


def check(platform: Cloud, token: str, audience: str = CHANNEL) -> None:
    """The token is valid now, for the bot and this audience."""
    claims = platform.entra.issuer.verify(token, audience, platform.registration.token_issuer)
    assert claims["appid"] == platform.registration.app_id


def running() -> bool:
    return any(thread.name == "bot tokens" for thread in threading.enumerate())


async def test_nothing_happens_before_the_first_request(
    platform: Cloud, tokens: TokenThread
) -> None:
    """A constructor does no I/O: the first request starts the thread and signs in."""
    before = platform.entra.token_requests
    assert not running()
    token = await tokens.get(CHANNEL)
    assert running()
    assert platform.entra.token_requests == before + 1
    check(platform, token.value)


async def test_all_callers_share_a_token(platform: Cloud, tokens: TokenThread) -> None:
    """Callers that await on any loop, and those that cannot, get the same token by one sign-in."""
    before = platform.entra.token_requests
    first = await tokens.get(CHANNEL)
    assert tokens.get_now(CHANNEL) is first
    assert await asyncio.to_thread(asyncio.run, tokens.get(CHANNEL)) is first
    assert await asyncio.to_thread(tokens.get_now, CHANNEL) is first
    assert platform.entra.token_requests == before + 1
    check(platform, (await tokens.get(SKILL)).value, SKILL)


async def test_a_caller_on_an_event_loop_can_wait(platform: Cloud, tokens: TokenThread) -> None:
    """The first token is there for a caller that cannot await, on a loop that is blocked."""
    check(platform, tokens.get_now(CHANNEL).value)


async def test_a_token_is_valid_whenever_it_is_asked_for(
    platform: Cloud, tokens: TokenThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without anything that awaits in between, expired tokens are replaced."""
    # Less than the margin: each token is used for a second, and is valid long after.
    monkeypatch.setattr(platform.entra, "token_lifetime", 50)
    seen: set[str] = set()

    def has_renewed() -> bool:
        token = tokens.get_now(CHANNEL).value
        check(platform, token)
        seen.add(token)
        return len(seen) == 3

    await comes_true(has_renewed)


async def test_a_token_that_has_expired_unused_is_replaced(
    platform: Cloud, tokens: TokenThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a pause that outlasted the token, a caller that cannot await waits for a new one."""
    await tokens.get("https://graph.microsoft.com")  # the certificate is loaded in its own time
    with monkeypatch.context() as short:
        short.setattr(platform.entra, "token_lifetime", 1)
        first = await tokens.get(CHANNEL)
    # Any token is used for a moment, even if it arrives just before its expiry.
    await comes_true(lambda: time.time() > first.expires_on + MIN_USE_SECONDS)
    check(platform, tokens.get_now(CHANNEL).value)


async def test_a_cached_token_is_returned_while_sign_in_is_down(
    platform: Cloud, tokens: TokenThread
) -> None:
    """An outage of the sign-in endpoint concerns nobody who has a valid token."""
    first = await tokens.get(CHANNEL)
    platform.entra.server.faults.set(status=503)
    assert tokens.get_now(CHANNEL) is first
    assert await tokens.get(CHANNEL) is first


async def test_a_refusal_reaches_both_kinds_of_callers(
    platform: Cloud, tokens: TokenThread
) -> None:
    """Where the bot cannot sign in, the error says why."""
    platform.registration.certificates.clear()
    with pytest.raises(SignInError, match="AADSTS700027"):
        await tokens.get(CHANNEL)
    with pytest.raises(SignInError, match="AADSTS700027"):
        tokens.get_now(CHANNEL)


async def test_it_can_be_closed_and_used_again(platform: Cloud, tokens: TokenThread) -> None:
    """After `close` there is no thread; the next request starts one."""
    await tokens.close()
    first = await tokens.get(CHANNEL)
    await tokens.close()
    assert not running()
    await tokens.close()
    second = tokens.get_now(CHANNEL)
    assert second.value != first.value
    check(platform, second.value)


async def test_it_is_used_again_while_it_closes(platform: Cloud, tokens: TokenThread) -> None:
    """The old thread ends, and the new one does not."""
    await tokens.get(CHANNEL)

    async def use() -> None:
        check(platform, tokens.get_now(CHANNEL).value)

    await asyncio.gather(tokens.close(), use())
    assert [thread.name for thread in threading.enumerate()].count("bot tokens") == 1
    check(platform, (await tokens.get(SKILL)).value, SKILL)


async def test_a_request_outlasts_the_thread(platform: Cloud, tokens: TokenThread) -> None:
    """A caller whose event loop is busy while the thread is closed gets its token all the same."""
    await tokens.get(CHANNEL)
    requested, closed = threading.Event(), threading.Event()

    async def request() -> str:
        token = asyncio.ensure_future(tokens.get(CHANNEL))
        await asyncio.sleep(0)  # it makes the request
        requested.set()
        closed.wait()  # and this loop is busy
        return (await token).value

    caller = asyncio.create_task(asyncio.to_thread(asyncio.run, request()))
    await asyncio.to_thread(requested.wait)
    await tokens.close()
    closed.set()
    check(platform, await caller)


@pytest.mark.parametrize("awaits", [True, False])
async def test_closing_waits_for_a_sign_in(
    platform: Cloud, tokens: TokenThread, awaits: bool
) -> None:
    """A caller whose sign-in is under way while the thread is closed gets its token."""
    platform.entra.server.faults.set(latency=0.5)
    call = tokens.get(CHANNEL) if awaits else asyncio.to_thread(tokens.get_now, CHANNEL)
    caller = asyncio.ensure_future(call)
    await comes_true(running)
    await tokens.close()
    assert not running()
    check(platform, (await caller).value)


async def test_a_caller_gives_up_during_the_start(platform: Cloud, tokens: TokenThread) -> None:
    """The others still get their tokens."""
    impatient = asyncio.ensure_future(tokens.get(CHANNEL))
    other = asyncio.ensure_future(tokens.get(CHANNEL))
    asyncio.get_running_loop().call_soon(impatient.cancel)
    with pytest.raises(asyncio.CancelledError):
        await impatient
    check(platform, (await other).value)


async def test_a_failed_start_reaches_its_callers(
    tokens: TokenThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What prevents the credential, such as a missing package, is raised and not waited for."""
    monkeypatch.setitem(sys.modules, "auth.outbound.client_certificate", None)
    with pytest.raises(ImportError):
        await tokens.get(CHANNEL)
    with pytest.raises(ImportError):
        tokens.get_now(CHANNEL)
