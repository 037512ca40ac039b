"""BotMetrics: the app's metrics, counted where its spans end.

A metric that Microsoft's Agents SDK has too bears the SDK's name, unit and attributes. The values
of labels are few, because each combination is a series of its own: whoever talks to the bot can
choose an activity's type and channel, so all values but those listed here count as one.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Meter, Observation

SCOPE = "secretless-bot-functions"
"""The name under which the app's own spans and metrics are exported."""

SECONDS_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
"""The upper bounds of the histograms in seconds."""

COLD_SECONDS = 1.0
"""A request that starts later than this after the warm-up has not waited for it."""

DAY_SECONDS = 24 * 3600.0

Attributes = Mapping[str, str | int | float | bool]
"""The attributes of a span."""

Recorder = Callable[[str, float, Attributes, str], None]
"""Counts a span that has ended: its name, how long it took in milliseconds, its attributes, and the
error's class, or nothing."""

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

    Args:
        meter: creates the instruments.
        clock: returns the time in seconds since the epoch.
    """

    def __init__(self, meter: Meter, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._errors = FirstSeen()
        self._tokens: dict[str, float] = {}
        self._certificate_expires_on = 0.0
        self._started_at = self._ready_at = 0.0
        self._create_counters(meter)
        self._create_histograms(meter)
        self._create_gauges(meter)
        self._recorders: dict[str, Recorder | None] = {}
        self._families: dict[str, Recorder] = {
            "agents.app.run": self._turn,
            "agents.adapter.process": self._request,
            "agents.authentication.get_access_token": self._token,
            "agents.proactive.send_activity": self._proactive,
            "agents.connector": partial(
                self._call, self._connector_requests, self._connector_duration
            ),
            "agents.user_token_client": partial(
                self._call, self._user_token_requests, self._user_token_duration
            ),
            "agents.storage": self._storage,
            "bot.queue_wait": self._queue_wait,
        }

    def _create_counters(self, meter: Meter) -> None:
        counter = meter.create_counter
        self._turns = counter("agents.turn.count", "turn")
        self._turn_errors = counter("agents.turn.error.count", "turn")
        self._token_requests = counter("agents.auth.token.request.count", "request")
        self._connector_requests = counter("agents.connector.request.count", "request")
        self._user_token_requests = counter("agents.user_token_client.request.count", "request")
        self._storage_operations = counter("agents.storage.operation.total", "operation")
        self._proactive_operations = counter("agents.proactive.operation.count", "operation")
        self._refusals = counter("bot.refusals", "{request}")
        self._retries = counter("bot.retries", "{retry}")
        self._dead_letters = counter("bot.dead_letters", "{message}")

    def _create_histograms(self, meter: Meter) -> None:
        histogram = meter.create_histogram
        self._turn_duration = histogram("agents.turn.duration", "ms")
        self._request_duration = histogram("agents.adapter.process.duration", "ms")
        self._token_duration = histogram("agents.auth.token.request.duration", "ms")
        self._connector_duration = histogram("agents.connector.request.duration", "ms")
        self._user_token_duration = histogram("agents.user_token_client.request.duration", "ms")
        self._storage_duration = histogram("agents.storage.operation.duration", "ms")
        self._queue_age = histogram(
            "bot.queue.age", "s", explicit_bucket_boundaries_advisory=SECONDS_BUCKETS
        )
        self._cold_start = histogram(
            "bot.cold_start.duration", "s", explicit_bucket_boundaries_advisory=SECONDS_BUCKETS
        )

    def _create_gauges(self, meter: Meter) -> None:
        gauge = meter.create_observable_gauge
        gauge("bot.token.age", [self._token_ages], "s")
        gauge("bot.certificate.days_left", [self._certificate_days], "d")

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
        self._dead_letters.add(1, {"messaging.destination.name": queue})

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

    # The two callbacks run in the exporter's thread: they read values that are replaced as a whole.

    def _token_ages(self, _: CallbackOptions) -> Iterable[Observation]:
        now = self._clock()
        return [Observation(now - at, {"bot.token": kind}) for kind, at in self._tokens.items()]

    def _certificate_days(self, _: CallbackOptions) -> Iterable[Observation]:
        expires_on = self._certificate_expires_on
        return [Observation((expires_on - self._clock()) / DAY_SECONDS)] if expires_on else []

    def _turn(self, _: str, milliseconds: float, attributes: Attributes, error: str) -> None:
        labels = {
            "activity.type": known(ACTIVITY_TYPES, attributes.get("activity.type")),
            "activity.channel_id": known(CHANNELS, attributes.get("activity.channel_id")),
        }
        self._turns.add(1, labels)
        self._turn_duration.record(milliseconds, labels)
        if error:
            self._turn_errors.add(1, {"error.type": error})

    def _request(self, _: str, milliseconds: float, attributes: Attributes, error: str) -> None:
        kind = known(ACTIVITY_TYPES, attributes.get("activity.type"))
        self._request_duration.record(milliseconds, {"activity.type": kind})
        if error:
            self._refusals.add(1, {"error.type": error})
        elif self._started_at:
            now = self._clock()
            if now - milliseconds / 1000 <= self._ready_at + COLD_SECONDS:
                self._cold_start.record(now - self._started_at)
            self._started_at = 0.0

    def _token(self, _: str, milliseconds: float, attributes: Attributes, error: str) -> None:
        labels = {"auth.method": attributes.get("auth.method", "unknown")}
        self._token_duration.record(milliseconds, labels)
        self._token_requests.add(1, {**labels, **_outcome("auth.success", error)})

    def _call(
        self,
        count: Counter,
        duration: Histogram,
        name: str,
        milliseconds: float,
        attributes: Attributes,
        _: str,
    ) -> None:
        operation = name.rpartition(".")[2]
        status = attributes.get("http.response.status_code", 0)
        labels = {"operation": operation, "http.status_code": status}
        count.add(1, labels)
        duration.record(milliseconds, labels)
        if retries := attributes.get("bot.retries"):
            self._retries.add(int(retries), {"operation": operation})

    def _storage(self, name: str, milliseconds: float, _: Attributes, error: str) -> None:
        labels = {"storage.operation": name.rpartition(".")[2]}
        self._storage_duration.record(milliseconds, labels)
        self._storage_operations.add(1, {**labels, "error.type": error} if error else labels)

    def _proactive(self, _: str, __: float, ___: Attributes, error: str) -> None:
        labels = {"operation": "send_activity", **_outcome("success", error)}
        self._proactive_operations.add(1, labels)

    def _queue_wait(self, _: str, milliseconds: float, __: Attributes, ___: str) -> None:
        self._queue_age.record(milliseconds / 1000)


def _outcome(name: str, error: str) -> dict[str, str | bool]:
    return {name: False, "error.type": error} if error else {name: True}


_METRICS = BotMetrics(metrics.get_meter(SCOPE))
"""Created with the module, so that two threads cannot create two. They count nothing until the
global meter provider is set, however late that is."""


def bot_metrics() -> BotMetrics:
    """The process's metrics."""
    return _METRICS
