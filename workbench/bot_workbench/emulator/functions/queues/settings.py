"""QueueSettings: host.json's section for queue triggers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bot_workbench.emulator.functions.errors import HostError

MAX_BATCH_SIZE = 32
"""Queue Storage returns at most so many messages at once."""

TIME_SPAN = re.compile(r"(?P<hours>\d\d?):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d(?:\.\d{1,7})?)")
MIN_POLLING_INTERVAL_SECONDS = 0.1

ENCODINGS = ("base64", "none")


def time_span_seconds(span: re.Match[str]) -> float:
    """The seconds of a match of TIME_SPAN."""
    return int(span["hours"]) * 3600 + int(span["minutes"]) * 60 + float(span["seconds"])


@dataclass(frozen=True)
class QueueSettings:
    """extensions.queues of host.json, with the host's defaults.

    Source: QueuesOptions of Microsoft.Azure.WebJobs.Extensions.Storage.Queues.

    Attributes:
        batch_size: messages fetched at once, 1 to 32.
        new_batch_threshold: the next batch is fetched when at most so many messages run.
        max_dequeue_count: attempts before a message goes to the poison queue.
        visibility_timeout: seconds before a failed message is tried again.
        max_polling_interval: maximum number of seconds between two polls of an empty queue.
        base64: messages are base64 of UTF-8 text; else they are the text itself.
    """

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: float = 0.0
    max_polling_interval: float = 60.0
    base64: bool = True

    @classmethod
    def of(cls, host_json: Mapping[str, Any]) -> Self:
        """The settings in host.json's content.

        Raises:
            HostError: a value is invalid, or a name is unknown; the text names each one.
        """
        section = _Section(host_json.get("extensions", {}).get("queues", {}))
        batch_size = section.number("batchSize", 16, 1, MAX_BATCH_SIZE)
        settings = cls(
            batch_size=batch_size,
            new_batch_threshold=section.number("newBatchThreshold", batch_size // 2, 0),
            max_dequeue_count=section.number("maxDequeueCount", 5, 1),
            visibility_timeout=section.seconds("visibilityTimeout", 0.0),
            max_polling_interval=section.seconds(
                "maxPollingInterval", 60.0, minimum=MIN_POLLING_INTERVAL_SECONDS
            ),
            base64=section.choice("messageEncoding", ENCODINGS) == "base64",
        )
        section.finish()
        return settings


class _Section:
    """Reads values of the section, and collects its faults."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)
        self._faults: list[str] = []

    def number(self, name: str, default: int, minimum: int, maximum: int | None = None) -> int:
        value = self._values.pop(name, default)
        # JSON's true is an int to Python.
        if type(value) is int and minimum <= value and (maximum is None or value <= maximum):
            return value
        limits = f"from {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        return self._fault(name, value, f"a whole number {limits}", default)

    def seconds(self, name: str, default: float, minimum: float = 0.0) -> float:
        value = self._values.pop(name, None)
        if value is None:
            return default
        span = TIME_SPAN.fullmatch(value) if isinstance(value, str) else None
        if span is None:
            return self._fault(name, value, '"hh:mm:ss" or "hh:mm:ss.fff"', default)
        seconds = time_span_seconds(span)
        if seconds < minimum:
            return self._fault(name, value, f"{minimum} s or more", default)
        return seconds

    def choice(self, name: str, known: tuple[str, ...]) -> str:
        value = self._values.pop(name, known[0])
        if isinstance(value, str) and value.lower() in known:
            return value.lower()
        return self._fault(name, value, " or ".join(known), known[0])

    def _fault[Value](self, name: str, value: object, expected: str, default: Value) -> Value:
        self._faults.append(f"{name} is {value!r}, it must be {expected}")
        return default

    def finish(self) -> None:
        """Check that nothing was wrong, and that nothing is left.

        Raises:
            HostError: the section has a fault, or an unknown name.
        """
        self._faults += [f"{name} is not known" for name in self._values]
        if self._faults:
            raise HostError(f"host.json, extensions.queues: {'; '.join(self._faults)}.")
