"""The observer watches where telemetry is on, and only there; the export starts in the warm-up."""

import subprocess
import sys
import threading

import pytest

from auth.errors import SettingsError
from auth.settings import Settings
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.queued.queued_turns import QUEUE
from cloud_adapter.telemetry import providers
from cloud_adapter.telemetry.spans import host_trace
from composition import Composition
from http_client.observer import detach, trace_parent
from tests.support.bots.composed_app import ComposedApp
from tests.support.load.call_count import calls_counted
from tests.support.logic import EXPECT_REPLIES, MESSAGE, echo, woken
from tests.support.project import ROOT
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.received_message import received
from tests.support.telemetry.exported_spans import HOST, TELEMETRY_ON, ExportedSpans
from tests.support.test_bot import create_bot
from tests.support.timing.condition import comes_true


def test_no_sdk() -> None:
    """The warm-up attaches the observer before it imports the bot SDK in a way of its own."""
    program = (
        "import sys; import cloud_adapter.telemetry.observer;sys.exit('botbuilder' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


async def test_the_end(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that is closed watches no longer."""
    async with ComposedApp(cloud, monkeypatch, TELEMETRY_ON):
        with host_trace(HOST):
            assert trace_parent() == HOST
    with host_trace(HOST):
        assert trace_parent() == ""


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
    assert composition.telemetry
    assert composition.account
    composition.account.prefetch()
    await comes_true(lambda: bool(exported.names))
    found = exported.attributes("agents.authentication.get_access_token")
    assert found["auth.scopes"] == "https://storage.azure.com/.default"
    await composition.pool.close()
    detach(composition.telemetry)


async def test_the_export_starts_with_the_warm_up(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, off the event loop, and last: a provider that the bot sets must be there by then."""
    settings, started = {**cloud.settings(), **TELEMETRY_ON}, list[tuple[object, bool]]()
    composition = Composition(lambda: Settings.from_environ(settings), settings, create_bot)
    for name in cloud.identity.settings():
        monkeypatch.setenv(name, settings[name])

    def start(_: object, environ: object, *__: object) -> None:
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
