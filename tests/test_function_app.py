"""function_app: what it logs, and shows operators."""

import asyncio
import logging
import threading
from pathlib import Path

import azure.functions as func
import pytest

import function_app
from auth.credential_kinds import CERTIFICATE
from auth.errors import BadRequest, EndpointDown, SettingsError
from auth.settings import Settings
from bot_testing.app.app_functions import AppFunctions
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.deadlines import START_SECONDS
from composition import Composition
from function_app import LOGGERS, SETTINGS_RETRY_AFTER, invocation_log, refusal
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.patched_bot import patched
from tests.support.test_bot import create_bot
from tests.support.timing.loop_turns import ended, settled
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.http_post import Caller

BACKGROUND_FAULT = """
import asyncio
from auth.inbound.bearer_token import SigningKeys

prefetch = SigningKeys.prefetch

async def fail():
    raise LookupError("a background task failed")

def prefetch_and_fail(keys):
    prefetch(keys)
    asyncio.create_task(fail())

SigningKeys.prefetch = prefetch_and_fail
"""


def test_causes_without_bodies(caplog: pytest.LogCaptureFixture) -> None:
    """Each cause is named with its first line; what the SDKs put behind that may be a token."""
    root = ConnectionError()
    cause = ValueError("Unexpected response\nContent: a token")
    cause.__cause__ = root
    error = EndpointDown("the endpoint is down")
    error.__cause__ = cause
    assert refusal(error).status_code == 503
    [line] = caplog.messages
    causes = "the endpoint is down; caused by ValueError: Unexpected response"
    assert line == f"Answered 503: {causes}; caused by ConnectionError"


def test_only_the_first_cause_of_a_refused_body(caplog: pytest.LogCaptureFixture) -> None:
    """What lies behind the first cause may quote the body, and is not logged."""
    cause = ValueError("not JSON")
    cause.__cause__ = KeyError("what the user wrote")
    error = BadRequest("the body is not an activity")
    error.__cause__ = cause
    assert refusal(error).status_code == 400
    assert caplog.messages == [
        "Answered 400: the body is not an activity; caused by ValueError: not JSON"
    ]


def test_without_a_worker_the_log_is_as_usual() -> None:
    """If no event loop runs at import, as in a test or a tool, lines are logged at once."""
    for name in LOGGERS:
        assert logging.getLogger(name).propagate
        assert invocation_log not in logging.getLogger(name).handlers


def test_a_fault_between_invocations(tmp_path: Path, logs: Path) -> None:
    """The next invocation logs it, so that Azure's host does not drop it."""
    log = logs / "background fault.log"
    with CloudThread(Cloud(tmp_path)) as thread:
        settings = thread.cloud.settings() | patched(tmp_path / "patch", BACKGROUND_FAULT)
        with BotProcess(settings, log) as process:
            caller = Caller(process.url)
            assert caller.send("GET", "/api/health", []).status == 200
            caller.close()
        assert process.lost == []
    assert log.read_text().count("LookupError: a background task failed") == 1


async def test_a_slow_start(
    app_functions: AppFunctions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No request waits for the app longer than the channel does; the app's start goes on."""
    goes_on, reads = threading.Event(), []

    def read_settings() -> Settings:
        reads.append(goes_on.wait())
        raise SettingsError(["x: it is missing"])

    clock = MovedClock(monkeypatch)
    monkeypatch.setattr(function_app, "composition", Composition(read_settings, {}, create_bot))
    messages = app_functions.messages
    request = func.HttpRequest("POST", "/api/messages", headers={}, body=b"{}")
    try:
        waiting = asyncio.create_task(messages(request))
        await settled()
        clock.move(START_SECONDS + 0.1)
        response = await ended(waiting)
    finally:
        goes_on.set()
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "Answered 503: the app's start took too long" in caplog.text
    response = await messages(request)
    assert response.headers["Retry-After"] == f"{SETTINGS_RETRY_AFTER}"
    assert len(reads) == 1


FUNCTIONS = "health, identity, messages"
STORED = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}


@pytest.mark.parametrize(
    ("settings", "functions"),
    [
        ({}, FUNCTIONS),
        ({"BotTurns": "Queued"}, FUNCTIONS),
        (STORED, f"{FUNCTIONS}, notifications"),
        ({**STORED, "BotTurns": "inline"}, f"{FUNCTIONS}, notifications"),
        ({**STORED, "BotTurns": "Later"}, f"{FUNCTIONS}, notifications"),
        ({**STORED, "BotTurns": " queued "}, f"{FUNCTIONS}, notifications, turns"),
    ],
)
def test_the_functions(settings: dict[str, str], functions: str, logs: Path) -> None:
    """A queue is polled only if something may come out of it, be the settings right or wrong."""
    log = logs / f"functions {' '.join(settings)} {settings.get('BotTurns')}.log"
    with BotProcess(settings, log) as process:
        assert process.ready.strip().endswith(f"({functions})")


def test_a_year_that_no_calendar_has(tmp_path: Path, logs: Path) -> None:
    """An expiry beyond what a date can hold is shown as none: identity answers all the same."""
    with CloudThread(Cloud(tmp_path, CERTIFICATE)) as thread:
        thread.cloud.entra.token_lifetime = 10**12
        with BotProcess(thread.cloud.settings(), logs / "absurd expiry.log") as process:
            caller = Caller(process.url)
            reply = caller.send("GET", "/api/identity", [])
            caller.close()
    assert reply.status == 200
    assert reply.json()["expiresOn"] is None
