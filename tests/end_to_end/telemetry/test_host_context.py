"""How the app's functions get the trace context of the host's invocation."""

import json
import subprocess
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

import function_app
from cloud_adapter.bot.routes import RESERVED
from cloud_adapter.telemetry.export_settings import ExportSettings
from cloud_adapter.telemetry.spans import current_trace_parent
from tests.support.bots import app_folder
from tests.support.telemetry.exported_spans import HOST, TELEMETRY_ON

PARAMETERS = """
import inspect, json, function_app
functions = function_app.app.get_functions()
print(json.dumps({
    each.get_function_name(): list(inspect.signature(each.get_user_function()).parameters)
    for each in functions
}))
"""

EVERY_FUNCTION = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "BotTurns": "Queued",
    "AllowedCallers": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
}
"""Settings with which the app has all of its functions."""


def parameters(settings: Mapping[str, str]) -> dict[str, list[str]]:
    """The parameters of the app's functions by name, as the worker sees them."""
    done = subprocess.run(
        [sys.executable, "-c", PARAMETERS],
        env={**EVERY_FUNCTION, **settings},
        cwd=app_folder.tests_app(),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_on() -> None:
    """Each function has the parameter that the worker fills with the invocation's context."""
    http, queue = ["req", "context"], ["message", "context"]
    assert parameters(TELEMETRY_ON) == {
        **dict.fromkeys(["messages", "health", "identity", "skills"], http),
        **dict.fromkeys(["turns", "notifications"], queue),
    }


def test_off() -> None:
    """No function has it."""
    found = parameters({})
    assert {tuple(each) for each in found.values()} == {("req",), ("message",)}
    assert found.keys() == RESERVED.keys()  # so no bot can take a name


@pytest.fixture
def _on(monkeypatch: pytest.MonkeyPatch) -> None:
    exports = ExportSettings.of(TELEMETRY_ON)
    monkeypatch.setattr(function_app, "composition", SimpleNamespace(exports=exports))


@pytest.mark.usefixtures("_on")
async def test_an_invocation() -> None:
    """The function runs in the trace of the host's invocation, and ends with it."""
    seen: list[Any] = []

    async def http(_: func.HttpRequest) -> func.HttpResponse:
        seen.append(current_trace_parent())
        return func.HttpResponse("yes")

    async def queue(_: func.QueueMessage) -> None:
        seen.append(current_trace_parent())

    context = SimpleNamespace(trace_context=SimpleNamespace(trace_parent=HOST))
    response = await function_app.traced_http(http)(None, context)
    await function_app.traced_queue(queue)(None, context)
    assert response.get_body() == b"yes"
    assert (seen, current_trace_parent()) == ([HOST, HOST], "")
