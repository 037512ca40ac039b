"""What the metrics count, with which labels, and how many series there may be."""

import random
import string
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from cloud_adapter.telemetry.metrics import (
    ACTIVITY_TYPES,
    CHANNELS,
    MAX_EARLY,
    MAX_NAMES,
    OTHER,
    SCOPE,
    BotMetrics,
)
from tests.support.timing.clock import Clock

MESSAGE = {"activity.type": "message", "activity.channel_id": "msteams"}
Point = tuple[dict[str, Any], float]


class Read:
    """Metrics that a test reads without an exporter."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._reader = InMemoryMetricReader()
        self.metrics = BotMetrics(self.clock)

    def begin(self) -> None:
        """Begin the export."""
        provider = MeterProvider([self._reader], shutdown_on_exit=False)
        self.metrics.export_to(provider.get_meter(SCOPE))

    def points(self, name: str) -> list[Point]:
        """The series of a metric: its labels, and its value or the sum of a histogram's values."""
        data = self._reader.get_metrics_data()
        found = [
            metric
            for resource in (data.resource_metrics if data else [])
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
        ]
        return [
            (dict(point.attributes or {}), value_of(point))
            for metric in found
            for point in metric.data.data_points
        ]

    @property
    def series(self) -> int:
        """How many series there are."""
        data = self._reader.get_metrics_data()
        assert data is not None
        return sum(
            len(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        )


def value_of(point: Any) -> float:
    """A series' value, or the sum of a histogram's values."""
    return float(point.sum if hasattr(point, "sum") else point.value)


@pytest.fixture
def read() -> Read:
    """Fresh metrics, which are exported."""
    read = Read()
    read.begin()
    return read


def test_what_is_counted_before_the_export() -> None:
    """It is exported with the rest: the first turn ends before the exporters are there."""
    read = Read()
    for number in range(MAX_EARLY + 5):
        read.metrics.ended("agents.app.run", number / 1000, MESSAGE, "")
    read.begin()
    read.metrics.ended("agents.app.run", 0.25, MESSAGE, "")
    assert read.points("agents.turn.count") == [(MESSAGE, MAX_EARLY + 6)]
    [(labels, milliseconds)] = read.points("agents.turn.duration")
    assert labels == MESSAGE
    assert milliseconds == pytest.approx(250 + sum(range(5, MAX_EARLY + 5)))


def test_turns(read: Read) -> None:
    """A turn is counted with its type and channel, a failed one also with its error."""
    read.metrics.ended("agents.app.run", 0.25, MESSAGE, "")
    read.metrics.ended("agents.app.run", 0.5, MESSAGE, "ValueError")
    assert read.points("agents.turn.count") == [(MESSAGE, 2)]
    assert read.points("agents.turn.duration") == [(MESSAGE, 750)]
    assert read.points("agents.turn.error.count") == [({"error.type": "ValueError"}, 1)]


def test_refusals(read: Read) -> None:
    """A refused request is counted by its error."""
    read.metrics.ended("agents.adapter.process", 0.001, {}, "TokenRejected")
    read.metrics.ended("agents.adapter.process", 0.1, MESSAGE, "")
    assert read.points("bot.refusals") == [({"error.type": "TokenRejected"}, 1)]
    durations = [({"activity.type": OTHER}, 1.0), ({"activity.type": "message"}, 100.0)]
    assert read.points("agents.adapter.process.duration") == durations


def test_tokens(read: Read) -> None:
    """Requests for tokens are counted by their outcome; the age of each kind's token grows."""
    how = {"auth.method": "ManagedIdentity", "auth.scopes": "https://api.botframework.com"}
    read.metrics.ended("agents.authentication.get_access_token", 0.25, how, "")
    read.metrics.ended("agents.authentication.get_access_token", 0.25, how, "EndpointDown")
    method = {"auth.method": "ManagedIdentity"}
    assert read.points("agents.auth.token.request.count") == [
        ({**method, "auth.success": True}, 1),
        ({**method, "auth.success": False, "error.type": "EndpointDown"}, 1),
    ]
    assert read.points("bot.token.age") == []
    read.metrics.token_obtained("channel")
    read.clock.advance(60)
    read.metrics.token_obtained("storage")
    read.clock.advance(30)
    ages = [({"bot.token": "channel"}, 90), ({"bot.token": "storage"}, 30)]
    assert read.points("bot.token.age") == ages


def test_certificate(read: Read) -> None:
    """The days until the certificate in use expires; no value without a certificate."""
    assert read.points("bot.certificate.days_left") == []
    read.metrics.certificate_expires_at(read.clock() + 10 * 24 * 3600)
    read.clock.advance(12 * 3600)
    assert read.points("bot.certificate.days_left") == [({}, 9.5)]


def test_calls_and_retries(read: Read) -> None:
    """Calls of the connector and the token service are counted by operation and status."""
    call: dict[str, str | int] = {
        "http.response.status_code": 200,
        "server.address": "smba.trafficmanager.net",
    }
    read.metrics.ended("agents.connector.reply_to_activity", 0.05, {**call, "bot.retries": 2}, "")
    read.metrics.ended("agents.user_token_client.get_user_token", 0.05, call, "")
    reply = {"operation": "reply_to_activity", "http.status_code": 200}
    assert read.points("agents.connector.request.count") == [(reply, 1)]
    assert read.points("agents.connector.request.duration") == [(reply, 50)]
    assert read.points("bot.retries") == [({"operation": "reply_to_activity"}, 2)]
    token = {"operation": "get_user_token", "http.status_code": 200}
    assert read.points("agents.user_token_client.request.count") == [(token, 1)]


def test_storage(read: Read) -> None:
    """Reads and writes of state are counted by operation, failed ones by error."""
    read.metrics.ended("agents.storage.write", 0.02, {"storage.keys.count": 1}, "StateConflict")
    labels = {"storage.operation": "write", "error.type": "StateConflict"}
    assert read.points("agents.storage.operation.total") == [(labels, 1)]
    assert read.points("agents.storage.operation.duration") == [
        ({"storage.operation": "write"}, 20)
    ]


def test_queues(read: Read) -> None:
    """The age of queued turns, and dead letters by queue."""
    read.metrics.ended("bot.queue_wait", 3.0, {}, "")
    read.metrics.dead_lettered("bot-turns-poison")
    assert read.points("bot.queue.age") == [({}, 3.0)]
    queue = {"messaging.destination.name": "bot-turns-poison"}
    assert read.points("bot.dead_letters") == [(queue, 1)]


def test_proactive_messages(read: Read) -> None:
    """Proactive messages are counted by their outcome."""
    read.metrics.ended("agents.proactive.send_activity", 0.1, {}, "")
    sent = {"operation": "send_activity", "success": True}
    assert read.points("agents.proactive.operation.count") == [(sent, 1)]


def test_cold_start(read: Read) -> None:
    """The first request that is not refused ends the cold start; later ones do not count."""
    loaded_at = read.clock()
    read.clock.advance(2)
    read.metrics.process_started(loaded_at)
    read.clock.advance(0.25)
    read.metrics.ended("agents.adapter.process", 0.1, {}, "TokenRejected")
    read.clock.advance(30)
    read.metrics.ended("agents.adapter.process", 30.0, MESSAGE, "")
    read.metrics.ended("agents.adapter.process", 30.0, MESSAGE, "")
    assert read.points("bot.cold_start.duration") == [({}, 32.25)]


def test_an_instance_that_waits(read: Read) -> None:
    """Its first request finds it ready, hours later: that is no cold start."""
    read.metrics.process_started(read.clock() - 2)
    read.clock.advance(3600)
    for _ in range(2):
        read.metrics.ended("agents.adapter.process", 0.1, MESSAGE, "")
    assert read.points("bot.cold_start.duration") == []


def test_other_spans_are_not_counted(read: Read) -> None:
    """A span that no metric is about changes nothing."""
    read.metrics.ended("bot.drain", 0.1, {}, "TokenRejected")
    read.metrics.ended("anything", 0.1, {}, "")
    assert read.points("bot.refusals") == []


def test_series_are_few(read: Read) -> None:
    """Whatever types, channels, errors and ids turns have, the number of series is bounded."""
    chance = random.Random(16)  # noqa: S311  # no secret

    def word() -> str:
        return "".join(chance.choices(string.ascii_letters, k=8))

    for _ in range(2000):
        activity = {
            "activity.type": word(),
            "activity.channel_id": word(),
            "activity.conversation.id": word(),
        }
        read.metrics.ended("agents.app.run", 0.1, activity, word())
        read.metrics.ended("agents.adapter.process", 0.1, activity, word())
    assert read.points("agents.turn.count") == [
        ({"activity.type": OTHER, "activity.channel_id": OTHER}, 2000)
    ]
    errors = read.points("agents.turn.error.count")
    assert len(errors) <= MAX_NAMES + 1
    assert sum(value for _, value in errors) == 2000
    # Two turns' series, one request's, and the errors of both.
    assert read.series <= 3 + 2 * (MAX_NAMES + 1)


def test_known_labels_stay(read: Read) -> None:
    """Bot Framework's types and Azure Bot's channels are labels of their own."""
    for kind in ACTIVITY_TYPES:
        read.metrics.ended("agents.app.run", 0.1, {**MESSAGE, "activity.type": kind}, "")
    for channel in CHANNELS:
        read.metrics.ended("agents.app.run", 0.1, {**MESSAGE, "activity.channel_id": channel}, "")
    assert len(read.points("agents.turn.count")) == len(ACTIVITY_TYPES) + len(CHANNELS) - 1
