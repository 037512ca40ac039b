"""Each write of each command meets a fault of the network, and one run ends as if it had not."""

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from emulator.faults import Handler
from tests.admin.migrate.interruption.cases import CASES
from tests.admin.migrate.interruption.stage import stage
from tests.admin.migrate.interruption.wire import EACH
from tests.admin.moved_clock import MovedClock

Fault = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]
ERROR = {"error": {"code": "TooManyRequests", "message": "Wait."}}


async def throttled(request: web.Request, handler: Handler) -> web.StreamResponse:  # noqa: ARG001
    """Not done: the service asks to wait."""
    return web.json_response(ERROR, status=429, headers={"Retry-After": "7"})


async def unavailable(request: web.Request, handler: Handler) -> web.StreamResponse:  # noqa: ARG001
    """Not done: the service is overloaded."""
    return web.Response(status=503, text="<html>The service is unavailable.</html>")


async def failed_after(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Done, but a gateway says that it was not."""
    await handler(request)
    return web.Response(status=502, text="<html>Bad gateway</html>")


async def reset_before(request: web.Request, handler: Handler) -> web.StreamResponse:  # noqa: ARG001
    """Not done: the connection breaks."""
    return _reset(request)


async def reset_after(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Done, but the connection breaks before the answer."""
    await handler(request)
    return _reset(request)


def _reset(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


NOT_DONE: list[Fault] = [throttled, unavailable, reset_before]
DONE: list[Fault] = [failed_after, reset_after]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CASES)
def test_each_write_meets_a_fault(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same end state, exit status 0, and no traceback, whatever the fault."""
    case = CASES[name]
    with stage(tmp_path / "whole", monkeypatch, case, MovedClock()) as whole:
        writes = whole.listen()
        whole.run()
        once, end = Counter(map(str, writes)), whole.state()
    for fault in (*NOT_DONE, *DONE):
        with stage(tmp_path / fault.__name__, monkeypatch, case, MovedClock()) as faulty:
            writes = faulty.listen(EACH, fault)
            ended = faulty.run()
            assert faulty.state() == end, f"{fault.__name__}\n{ended.output}"
            times = Counter(map(str, writes))
            again = {write for write in times if times[write] > once[write]}
            if fault in DONE:
                # The step looks first. A restart leaves nothing to see until it is over.
                assert all(write.endswith("/restart") for write in again), fault.__name__
            else:
                assert again == once.keys(), fault.__name__


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("fault", [throttled, reset_before])
def test_each_request_meets_a_fault(
    name: str, fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads, too, fail once each, those of the app included: one run still reaches the end."""
    case = CASES[name]
    with stage(tmp_path / "whole", monkeypatch, case, MovedClock()) as whole:
        whole.run()
        end = whole.state()
    with stage(tmp_path / "faulty", monkeypatch, case, MovedClock()) as faulty:
        faulty.listen(EACH, fault, reads=True)
        faulty.run()
        assert faulty.state() == end
