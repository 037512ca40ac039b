"""The parts that make spans take the place of the others, where telemetry is on, and only there."""

import importlib
import inspect
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from auth.errors import SettingsError
from auth.settings import Settings
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter import telemetry
from cloud_adapter.adapter import CloudAdapter
from cloud_adapter.queued.queued_turns import QUEUE
from cloud_adapter.telemetry import providers
from cloud_adapter.telemetry.traced import PARTS, traced
from composition import Composition
from tests.support.bots.composed_app import ComposedApp
from tests.support.load.call_count import calls_counted
from tests.support.logic import EXPECT_REPLIES, MESSAGE, echo, woken
from tests.support.project import ROOT
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.received_message import received
from tests.support.telemetry.exported_spans import TELEMETRY_ON, ExportedSpans
from tests.support.test_bot import create_bot
from tests.support.timing.condition import comes_true


def traced_class(name: str) -> Any:
    """The subclass of a part."""
    module = importlib.import_module(f"{traced.__module__}.{PARTS[name]}")
    return getattr(module, f"Traced{name}")


@pytest.mark.parametrize("name", PARTS)
def test_a_part(name: str) -> None:
    """Its constructor and its overridden methods have the same arguments as the base's."""
    found = traced_class(name)
    [base] = found.__bases__
    assert (base.__name__, traced(base)) == (name, found)
    assert inspect.signature(found) == inspect.signature(base)
    for method, own in inspect.getmembers(found, inspect.isfunction):
        if method in vars(found) and hasattr(base, method):
            parameters = inspect.signature(own).parameters
            assert list(parameters) == list(inspect.signature(getattr(base, method)).parameters)


def test_the_first_parts_import_no_sdk() -> None:
    """The warm-up creates them before it imports the bot SDK, which it does in a way of its own."""
    program = (
        "import sys; import cloud_adapter.telemetry.traced.warm_up;"
        "sys.exit('botbuilder' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_every_part_is_used() -> None:
    """The composition asks for each, so none makes spans that nobody sees."""
    text = (ROOT / "composition.py").read_text()
    assert [name for name in PARTS if f"{name})(" not in text] == []


async def test_on(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the setting, the app consists of them."""
    async with ComposedApp(cloud, monkeypatch, TELEMETRY_ON) as app:
        assert type(app.parts.adapter) is traced_class("CloudAdapter")
        assert type(app.parts.pool) is traced_class("HttpPool")


async def test_off(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, of the parts as they are."""
    async with ComposedApp(cloud, monkeypatch) as app:
        assert type(app.parts.adapter) is CloudAdapter
        folder = str(Path(telemetry.__path__[0]))
        found = [each for each in vars(app.parts).values() if folder in _file(type(each))]
        assert found == []


async def test_off_no_code_of_telemetry_runs(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, storage: str
) -> None:
    """Neither in a turn, nor when one is queued and run, nor in a notification."""
    changes = {"AzureWebJobsStorage": storage, "BotTurns": "Queued"}
    async with ComposedApp(cloud, monkeypatch, changes) as app:
        notifications = app.parts.services.notifications
        assert notifications
        with calls_counted() as calls:
            await app.deliver(EXPECT_REPLIES, echo)
            await app.deliver(MESSAGE, echo)
            [message] = await QueueMessages(storage, QUEUE).taken()
            await woken(app, message, echo)
            await app.parts.services.notify("all", "sesame")
            await notifications.handle_message(received('{"to": "all", "text": "sesame"}'))
    assert calls["cloud_adapter.adapter:CloudAdapter._run_stored"] > 0
    assert calls["cloud_adapter.proactive.notifications:Notifications._send"] > 0
    telemetry = ("cloud_adapter.telemetry", "opentelemetry.")
    assert [name for name in calls if name.startswith(telemetry)] == []


def _file(kind: type[Any]) -> str:
    return getattr(importlib.import_module(kind.__module__), "__file__", None) or ""


async def test_tokens_for_storage(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their requests have spans, as those for the channel have."""
    exported = ExportedSpans(monkeypatch)
    account = {
        "AzureWebJobsStorage__accountName": "contoso1",
        "AzureWebJobsStorage__credential": "managedidentity",
        "AzureWebJobsStorage__clientId": cloud.registration.app_id,
    }
    settings = {**cloud.settings(), **TELEMETRY_ON, **account}
    for name in cloud.identity.settings():
        monkeypatch.setenv(name, settings[name])
    composition = Composition(lambda: Settings.from_environ(settings), settings, create_bot)
    assert composition.account
    composition.account.prefetch()
    await comes_true(lambda: bool(exported.names))
    found = exported.attributes("agents.authentication.get_access_token")
    assert found["auth.scopes"] == "https://storage.azure.com/.default"
    await composition.pool.close()


async def test_the_export_starts_with_the_warm_up(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, off the event loop, and last: a provider that the bot sets must be there by then."""
    settings, started = {**cloud.settings(), **TELEMETRY_ON}, list[tuple[object, bool]]()
    composition = Composition(lambda: Settings.from_environ(settings), settings, create_bot)
    for name in cloud.identity.settings():
        monkeypatch.setenv(name, settings[name])

    def start(_: object, environ: object) -> None:
        in_loop = threading.current_thread() is threading.main_thread()
        started.append((environ, in_loop or composition.parts is None))

    monkeypatch.setattr(providers, "start_export", start)
    composition.start()
    parts_of_app = await composition.ready()
    await composition.ready()
    await parts_of_app.close()
    assert started == [(settings, False)]


async def test_an_export_that_cannot_start(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The bot answers all the same, and the log says why nothing is exported."""
    settings = {**cloud.settings(), **TELEMETRY_ON}
    composition = Composition(lambda: Settings.from_environ(settings), settings, create_bot)
    for name in cloud.identity.settings():
        monkeypatch.setenv(name, settings[name])

    def start(*_: object) -> None:
        raise LookupError("no exporter")

    monkeypatch.setattr(providers, "start_export", start)
    composition.start()
    parts_of_app = await composition.ready()
    assert await composition.ready() is parts_of_app
    await parts_of_app.close()
    assert "no exporter" in caplog.text


async def test_an_app_that_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """It exports all the same: its log lines say why, and the host may drop them."""
    started: list[object] = []
    monkeypatch.setattr(providers, "start_export", lambda *given: started.append(given))
    composition = Composition(lambda: Settings.from_environ({}), {**TELEMETRY_ON}, create_bot)
    composition.start()
    with pytest.raises(SettingsError):
        await composition.ready()
    assert len(started) == 1
