"""A running bot with telemetry: what an OTLP collector gets from the Functions worker's library."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from auth.settings import INLINE, QUEUED
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.bot_process import BotProcess
from tests.support.credentials.token_press import TokenPress
from tests.support.telemetry.collector import Collector, attributes
from tests.support.telemetry.encoded import found_in
from tests.support.telemetry.exported_spans import HOST, HOST_SPAN_ID, TRACE_ID
from tests.support.telemetry.host_export import exports_log_lines
from tests.support.test_bot import NO_TYPING
from tests.support.timing.condition import until
from tests.support.wire.http_post import Caller

pytestmark = pytest.mark.extended(
    covered_by=[
        "tests/cloud_adapter/telemetry/spans/test_turns.py",
        "tests/cloud_adapter/telemetry/spans/test_queued_turns.py",
        "tests/cloud_adapter/telemetry/spans/test_privacy.py",
        "tests/cloud_adapter/telemetry/test_export_settings.py",
    ]
)

SEND, REPLY = "send bot-turns", "agents.connector.reply_to_activity"
PATH = {
    INLINE: ["agents.adapter.process", "agents.app.run", REPLY],
    QUEUED: ["agents.adapter.process", SEND, "process bot-turns", "agents.app.run", REPLY],
}
"""The spans on the way from the POST to the reply."""

MODES = {
    "classic": {},
    "OpenTelemetry": {
        "AzureFunctionsJobHost__telemetryMode": "OpenTelemetry",
        "PYTHON_ENABLE_OPENTELEMETRY": "true",
    },
}
"""Settings of the host's telemetry modes. In the second one, the worker attaches the host's trace
context itself, and the app exports its log lines."""

LINE = re.compile("Answered 401|Turn 'message' 'f[0-9]' in")
"""How the lines of a refused request and of a turn that fails begin."""

SECRETS = ("You said", "sesame", "user-1", "Ada", "Bearer", "eyJ", "AccountKey", "BEGIN")
"""Words of users, their names and ids, and how tokens, connection strings and keys begin."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """An OTLP endpoint."""
    with Collector() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud for this file's bots."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("telemetry"))) as thread:
        yield thread.cloud


@pytest.fixture
def settings(cloud: Cloud, collector: Collector, storage: str) -> dict[str, str]:
    """The app exports to the collector, and has storage."""
    own = {**cloud.settings(), **NO_TYPING, "AzureWebJobsStorage": storage}
    return {**own, **collector.settings}


def send(bot: BotProcess, authorization: str, activity: object) -> int:
    """The status of a request that carries a trace context, as the Functions host passes it."""
    caller = Caller(bot.url)
    headers = [("Content-Type", "application/json"), ("Authorization", authorization)]
    try:
        return caller.send(
            "POST",
            "/api/messages",
            [*headers, ("traceparent", HOST)],
            json.dumps(activity).encode(),
        ).status
    finally:
        caller.close()


def names(collector: Collector) -> list[str]:
    """The names of all spans so far."""
    return [span.name for span in collector.spans]


def path(collector: Collector) -> list[Span]:
    """The reply's span, behind all that it is within and that have arrived so far.

    A slow append is followed by another wake-up message, whose spans the reply is not within.
    """
    by_id = {each.span_id: each for each in collector.spans}
    found = [each for each in collector.spans if each.name == REPLY]
    while found and found[0].parent_span_id in by_id:
        found.insert(0, by_id[found[0].parent_span_id])
    return found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("turns", PATH)
def test_one_trace(
    turns: str,
    mode: str,
    host_loop: str,
    cloud: Cloud,
    collector: Collector,
    settings: dict[str, str],
    message: dict[str, Any],
    logs: Path,
) -> None:
    """From the host's request through the queue to the reply, each span within the one before."""
    log = logs / f"telemetry {turns} {mode} on {host_loop}.log"
    settings |= {**MODES[mode], "BotTurns": turns}
    with BotProcess(settings, log, loop=host_loop) as bot:
        token = f"Bearer {TokenPress(cloud, message).token()}"
        assert send(bot, token, {**message, "text": "sesame"}) in (200, 202)
        until(lambda: len(path(collector)) >= len(PATH[turns]))
        first, *others = path(collector)
        assert [each.name for each in (first, *others)] == PATH[turns]
        assert {each.trace_id.hex() for each in (first, *others)} == {TRACE_ID}
        assert first.parent_span_id.hex() == HOST_SPAN_ID
        assert attributes(first)["activity.type"] == "message"
        assert names(collector).count("agents.adapter.process") == 1


@pytest.mark.parametrize("setting", ["true", ""], ids=["by the bot", "by the host"])
def test_each_log_line_is_exported_once(
    setting: str,
    cloud: Cloud,
    collector: Collector,
    settings: dict[str, str],
    message: dict[str, Any],
    logs: Path,
) -> None:
    """In the telemetryMode OpenTelemetry, by whoever does it with the worker's setting."""
    settings |= {**MODES["OpenTelemetry"], "PYTHON_ENABLE_OPENTELEMETRY": setting}
    settings |= {"OTEL_BLRP_SCHEDULE_DELAY": "50"}
    log = logs / f"log lines {setting}.log"
    with BotProcess(settings, log) as bot:
        token = f"Bearer {TokenPress(cloud, message).token()}"
        assert send(bot, token, message) == 200
        until(lambda: "agents.adapter.process" in names(collector))  # the export has started
        for number in range(5):
            assert send(bot, "Bearer sesame", message) == 401
            assert send(bot, token, {**message, "id": f"f{number}", "text": "fail"}) == 200
        until(lambda: names(collector).count("agents.adapter.process") == 11)
        logged = LINE.findall(log.read_text())
        by_host = logged if exports_log_lines(settings) else []
        until(lambda: len(by_host) + len(by_bot(collector)) >= 10)
        assert sorted(by_host + by_bot(collector)) == sorted(logged)


def by_bot(collector: Collector) -> list[str]:
    """The beginnings of the lines that the bot has exported so far."""
    return [each for record in collector.logs for each in LINE.findall(record.body.string_value)]


def test_nothing_secret_is_exported(
    cloud: Cloud,
    collector: Collector,
    settings: dict[str, str],
    message: dict[str, Any],
    logs: Path,
    storage: str,
) -> None:
    """Neither words nor names nor ids of users, nor tokens and keys: on every path of a turn."""
    press = TokenPress(cloud, message)
    token = f"Bearer {press.token()}"
    settings |= {**MODES["OpenTelemetry"], "BotTurns": QUEUED}
    with BotProcess(settings, logs / "telemetry.log") as bot:
        expecting = {**message, "deliveryMode": "expectReplies"}
        assert send(bot, token, {**message, "text": "sesame"}) == 202
        assert send(bot, token, {**expecting, "id": "a2", "text": "count"}) == 200
        assert send(bot, token, {**expecting, "id": "a3", "text": "fail"}) == 200
        assert send(bot, token, {**message, "serviceUrl": "https://ada.example/"}) == 403
        assert send(bot, "Bearer sesame", message) == 401
        assert send(bot, token, {"text": "sesame"}) == 400
        expected = {*PATH[QUEUED], "agents.storage.write", "bot.drain"}
        until(lambda: expected <= set(names(collector)))
        until(lambda: names(collector).count("agents.adapter.process") == 6)
        until(lambda: "agents.turn.count" in collector.metrics)
        until(lambda: any("ValueError" in each.body.string_value for each in collector.logs))
    content = b"\n".join(each.body for each in collector.posted)
    key = re.search("AccountKey=([^;]+)", storage)
    assert key
    secrets = [*SECRETS, key[1], *token.split(".")[1:]]
    assert found_in(content, secrets) == []
    # Log lines name conversations: the host's log has the same ones.
    signals = [each.body for each in collector.posted if not each.path.endswith("/logs")]
    assert message["conversation"]["id"].encode() not in b"".join(signals)
    assert "a3" not in {value for span in collector.spans for value in attributes(span).values()}


def test_off(cloud: Cloud, message: dict[str, Any], logs: Path, storage: str) -> None:
    """Without the settings, turns of both kinds run without importing OpenTelemetry."""
    settings = {**cloud.settings(), "AzureWebJobsStorage": storage, "BotTurns": QUEUED}
    log = logs / "no telemetry.log"
    with BotProcess(settings, log, interpreter=("-X", "importtime")) as bot:
        token = f"Bearer {TokenPress(cloud, message).token()}"
        assert send(bot, token, message) == 202
        conversation = cloud.conversations.find(message["conversation"]["id"])
        until(lambda: any(each["type"] == "message" for each in conversation.activities))
        assert send(bot, token, {**message, "id": "a2", "deliveryMode": "expectReplies"}) == 200
    imported = re.findall(r"^import time:.*\| +(\S+)$", log.read_text(), re.MULTILINE)
    assert "cloud_adapter.adapter" in imported
    allowed = {"cloud_adapter.telemetry", "cloud_adapter.telemetry.export_settings"}
    telemetry = ("opentelemetry", "cloud_adapter.telemetry")
    assert {name for name in imported if name.startswith(telemetry)} <= allowed
