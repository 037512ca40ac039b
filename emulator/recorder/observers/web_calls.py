"""Web calls: requests of the libraries that a bot's own code, and the Azure SDKs, send with.

Each request is a call of its own. Bodies are not shown, since they may hold anything.
"""

import time

from emulator.recorder.interception import Arguments, Observer
from emulator.recorder.observers.calls import (
    OTHER,
    RecordedCall,
    error_text,
    purpose_of,
    shown_url,
)
from emulator.recorder.recording import Recording
from emulator.recorder.turn import current_turn

BOT = "the bot's own"


def aiohttp_request(recording: Recording, call: Arguments) -> Observer:
    """A request of an aiohttp.ClientSession, which may have a base URL."""
    url = str(call["self"]._build_url(call["str_or_url"]))
    yield from _web_call(recording, call["method"], url)


def requests_request(recording: Recording, call: Arguments) -> Observer:
    """A request of a requests.Session, whose response has its status under another name."""
    prepared = call["request"]
    yield from _web_call(recording, prepared.method, prepared.url, "status_code")


def _web_call(recording: Recording, method: str, url: str, status: str = "status") -> Observer:
    turn = current_turn()
    if turn is None:
        return
    at, started = time.time(), time.perf_counter()
    outcome = yield
    purpose = purpose_of(url)
    recording.report(
        "call",
        turn,
        at=at,
        id=RecordedCall(purpose).id,
        method=method,
        url=shown_url(url),
        purpose=BOT if purpose == OTHER else purpose,
        attempt=1,
        status=getattr(outcome.result, status, None),
        error=error_text(outcome.error),
        ms=round((time.perf_counter() - started) * 1000, 3),
        connect=None,
        request=None,
        response=None,
    )
