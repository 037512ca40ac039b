"""BotMetrics: the app's metrics, counted where its operations end.

A metric that Microsoft's Agents SDK has too bears the SDK's name, unit and attributes. The values
of labels are few, because each combination is a series of its own: whoever talks to the bot can
choose an activity's type and channel, so all values but those listed here count as one.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation

SCOPE = "secretless-bot-functions"
"""The name under which the app's own spans and metrics are exported."""

SECONDS_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
"""The upper bounds of the histograms in seconds."""

COLD_SECONDS = 1.0
"""A request that starts later than this after the warm-up has not waited for it."""

DAY_SECONDS = 24 * 3600.0

Attributes = Mapping[str, str | int | float | bool]
"""The attributes of a span."""

Labels = tuple[tuple[str, str | int | float | bool], ...]
"""The labels of a series, with their values."""

Recorder = Callable[[str, float, Attributes, str], None]
"""Counts a span that has ended: its name, how long it took in milliseconds, its attributes, and the
error's class, or nothing."""

COUNTERS = {
    "agents.turn.count": "turn",
    "agents.turn.error.count": "turn",
    "agents.auth.token.request.count": "request",
    "agents.connector.request.count": "request",
    "agents.user_token_client.request.count": "request",
    "agents.storage.operation.total": "operation",
    "agents.proactive.operation.count": "operation",
    "bot.refusals": "{request}",
    "bot.retries": "{retry}",
    "bot.dead_letters": "{message}",
}
"""The metrics that count, with their units."""

HISTOGRAMS = {
    "agents.turn.duration": "ms",
    "agents.adapter.process.duration": "ms",
    "agents.auth.token.request.duration": "ms",
    "agents.connector.request.duration": "ms",
    "agents.user_token_client.request.duration": "ms",
    "agents.storage.operation.duration": "ms",
    "bot.queue.age": "s",
    "bot.cold_start.duration": "s",
}
"""The metrics that distribute durations, with their units."""

MAX_EARLY = 1000
"""The most durations that are kept until the export begins."""

OTHER = "other"

ACTIVITY_TYPES = frozenset(
    {
        "message",
        "messageUpdate",
        "messageDelete",
        "messageReaction",
        "conversationUpdate",
        "contactRelationUpdate",
        "installationUpdate",
        "typing",
        "endOfConversation",
        "event",
        "invoke",
        "handoff",
        "command",
        "commandResult",
        "trace",
    }
)
"""Bot Framework's types. (github.com/microsoft/Agents, specs/activity/protocol-activity.md)"""

CHANNELS = frozenset(
    {
        "msteams",
        "webchat",
        "directline",
        "directlinespeech",
        "emulator",
        "email",
        "facebook",
        "line",
        "slack",
        "skype",
        "sms",
        "telegram",
        "alexa",
        "agents",
        "m365extensions",
        "omnichannel",
        "outlook",
        "telephony",
        "test",
    }
)
"""Azure Bot's channels, and those of Microsoft's tools."""

MAX_NAMES = 50
"""The number of different errors that are counted by name. The bot's code determines how many there
are, unless it makes classes while it runs."""


def known(values: frozenset[str], value: object) -> str:
    """The value if it is one of `values`, else OTHER."""
    return value if isinstance(value, str) and value in values else OTHER


class FirstSeen:
    """The names that were seen first; further ones count as OTHER."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def label(self, name: str) -> str:
        """The name, or OTHER if there are too many."""
        if name not in self._names:
            if len(self._names) >= MAX_NAMES:
                return OTHER
            self._names.add(name)
        return name


class BotMetrics:
    """The app's metrics. Each method may be called in any thread, and none of them waits.

    Counts are kept here, and read when they are exported: that costs a turn less than a counter of
    OpenTelemetry. What is measured before the export begins is exported, too.

    Args:
        clock: returns the time in seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[Labels]] = {name: Counter() for name in COUNTERS}
        self._histograms: dict[str, Histogram] = {}
        self._early: deque[tuple[str, float, Labels]] = deque(maxlen=MAX_EARLY)
        self._errors = FirstSeen()
        self._tokens: dict[str, float] = {}
        self._certificate_expires_on = 0.0
        self._started_at = self._ready_at = 0.0
        self._recorders: dict[str, Recorder | None] = {}
        self._families: dict[str, Recorder] = {
            "agents.app.run": self._turn,
            "agents.adapter.process": self._request,
            "agents.authentication.get_access_token": self._token,
            "agents.proactive.send_activity": self._proactive,
            "agents.connector": partial(self._call, "agents.connector.request"),
            "agents.user_token_client": partial(self._call, "agents.user_token_client.request"),
            "agents.storage": self._storage,
            "bot.queue_wait": self._queue_wait,
        }

    def export_to(self, meter: "Meter") -> None:
        """Export them from now on, and what was measured before. Call it once.

        Args:
            meter: creates the instruments.
        """
        for name, unit in COUNTERS.items():
            meter.create_observable_counter(name, [partial(self._observed, name)], unit)
        meter.create_observable_gauge("bot.token.age", [self._token_ages], "s")
        meter.create_observable_gauge("bot.certificate.days_left", [self._certificate_days], "d")
        created = {
            name: meter.create_histogram(
                name,
                unit,
                explicit_bucket_boundaries_advisory=SECONDS_BUCKETS if unit == "s" else None,
            )
            for name, unit in HISTOGRAMS.items()
        }
        with self._lock:
            self._histograms = created
            for name, value, labels in self._early:
                created[name].record(value, dict(labels))
            self._early.clear()

    def ended(self, name: str, seconds: float, attributes: Attributes, error: str) -> None:
        """Count a span that has ended, sampled or not; most names are not counted.

        Args:
            name: of the span.
            seconds: between its start and its end.
            attributes: of the span; only those with few different values are used.
            error: the name of the error's class; empty if there was none.
        """
        try:
            recorder = self._recorders[name]
        except KeyError:
            family = self._families.get(name) or self._families.get(name.rpartition(".")[0])
            recorder = self._recorders[name] = family
        if recorder is not None:
            recorder(name, seconds * 1000, attributes, self._errors.label(error) if error else "")

    def dead_lettered(self, queue: str) -> None:
        """Count a message that was set aside after its last attempt."""
        self._count("bot.dead_letters", (("messaging.destination.name", queue),))

    def process_started(self, at: float) -> None:
        """Measure the cold start: from `at` to the end of the first request that is not refused.

        Call it when requests can be handled. If the first one comes later, there was no cold start
        for anybody: instances that are always ready, for one, wait for hours.

        Args:
            at: when the worker loaded the app, in seconds since the epoch. The process may have
                started long before, as one of those that Azure keeps waiting.
        """
        self._started_at, self._ready_at = at, self._clock()

    def token_obtained(self, kind: str) -> None:
        """Note that a token has arrived, for the gauge of its age.

        Args:
            kind: what the token is for, one of few constants such as `channel`.
        """
        self._tokens = {**self._tokens, kind: self._clock()}

    def certificate_expires_at(self, seconds: float) -> None:
        """Note when the certificate in use expires, in seconds since the epoch."""
        self._certificate_expires_on = seconds

    def _count(self, name: str, labels: Labels, number: int = 1) -> None:
        with self._lock:
            self._counts[name][labels] += number

    def _record(self, name: str, value: float, labels: Labels = ()) -> None:
        if histogram := self._histograms.get(name):
            histogram.record(value, dict(labels))
            return
        with self._lock:
            self._early.append((name, value, labels))

    # The callbacks run in the exporter's thread. The last two read values that are replaced as a
    # whole.

    def _observed(self, name: str, _: "CallbackOptions") -> "Iterable[Observation]":
        from opentelemetry.metrics import Observation

        with self._lock:
            counts = list(self._counts[name].items())
        return [Observation(count, dict(labels)) for labels, count in counts]

    def _token_ages(self, _: "CallbackOptions") -> "Iterable[Observation]":
        from opentelemetry.metrics import Observation

        now = self._clock()
        return [Observation(now - at, {"bot.token": kind}) for kind, at in self._tokens.items()]

    def _certificate_days(self, _: "CallbackOptions") -> "Iterable[Observation]":
        from opentelemetry.metrics import Observation

        expires_on = self._certificate_expires_on
        return [Observation((expires_on - self._clock()) / DAY_SECONDS)] if expires_on else []

    def _turn(self, _: str, milliseconds: float, attributes: Attributes, error: str) -> None:
        labels = (
            ("activity.type", known(ACTIVITY_TYPES, attributes.get("activity.type"))),
            ("activity.channel_id", known(CHANNELS, attributes.get("activity.channel_id"))),
        )
        self._count("agents.turn.count", labels)
        self._record("agents.turn.duration", milliseconds, labels)
        if error:
            self._count("agents.turn.error.count", (("error.type", error),))

    def _request(self, _: str, milliseconds: float, attributes: Attributes, error: str) -> None:
        kind = known(ACTIVITY_TYPES, attributes.get("activity.type"))
        self._record("agents.adapter.process.duration", milliseconds, (("activity.type", kind),))
        if error:
            self._count("bot.refusals", (("error.type", error),))
        elif self._started_at:
            now = self._clock()
            if now - milliseconds / 1000 <= self._ready_at + COLD_SECONDS:
                self._record("bot.cold_start.duration", now - self._started_at)
            self._started_at = 0.0

    def _token(self, _: str, milliseconds: float, attributes: Attributes, error: str) -> None:
        labels = (("auth.method", attributes.get("auth.method", "unknown")),)
        self._record("agents.auth.token.request.duration", milliseconds, labels)
        outcome = _outcome("auth.success", error)
        self._count("agents.auth.token.request.count", (*labels, *outcome))

    def _call(
        self, metric: str, name: str, milliseconds: float, attributes: Attributes, _: str
    ) -> None:
        operation = ("operation", name.rpartition(".")[2])
        status = attributes.get("http.response.status_code", 0)
        labels = (operation, ("http.status_code", status))
        self._count(f"{metric}.count", labels)
        self._record(f"{metric}.duration", milliseconds, labels)
        if retries := attributes.get("bot.retries"):
            self._count("bot.retries", (operation,), int(retries))

    def _storage(self, name: str, milliseconds: float, _: Attributes, error: str) -> None:
        labels: Labels = (("storage.operation", name.rpartition(".")[2]),)
        self._record("agents.storage.operation.duration", milliseconds, labels)
        failure: Labels = (("error.type", error),) if error else ()
        self._count("agents.storage.operation.total", (*labels, *failure))

    def _proactive(self, _: str, __: float, ___: Attributes, error: str) -> None:
        labels = (("operation", "send_activity"), *_outcome("success", error))
        self._count("agents.proactive.operation.count", labels)

    def _queue_wait(self, _: str, milliseconds: float, __: Attributes, ___: str) -> None:
        self._record("bot.queue.age", milliseconds / 1000)


def _outcome(name: str, error: str) -> Labels:
    return ((name, False), ("error.type", error)) if error else ((name, True),)


_METRICS = BotMetrics()
"""Created with the module, so that two threads cannot create two."""


def bot_metrics() -> BotMetrics:
    """The process's metrics."""
    return _METRICS
