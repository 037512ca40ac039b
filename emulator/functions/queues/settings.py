"""QueueSettings: host.json's section for queue triggers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from emulator.functions.route import HostError

MAX_BATCH_SIZE = 32
"""Queue Storage hands out no more at once."""

TIME_SPAN = re.compile(r"(?P<hours>\d\d?):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d(?:\.\d{1,7})?)")
MIN_POLLING_INTERVAL = 0.1
"""Seconds; where the back-off starts, too."""

ENCODINGS = ("base64", "none")


@dataclass(frozen=True)
class QueueSettings:
    """extensions.queues of host.json, with the host's defaults.

    Source: QueuesOptions of Microsoft.Azure.WebJobs.Extensions.Storage.Queues.

    Attributes:
        batch_size: messages fetched at once, 1 to 32.
        new_batch_threshold: more are fetched when no more than so many run.
        max_dequeue_count: tries until a message goes to the poison queue.
        visibility_timeout: seconds until a message that failed is tried again.
        max_polling_interval: seconds between two looks at a queue that stays empty, at most.
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
        """Read them out of host.json's content.

        Raises:
            HostError: a value cannot be used, or a name is unknown; the text names each one.
        """
        section = _Section(host_json.get("extensions", {}).get("queues", {}))
        batch_size = section.number("batchSize", 16, 1, MAX_BATCH_SIZE)
        settings = cls(
            batch_size=batch_size,
            new_batch_threshold=section.number("newBatchThreshold", batch_size // 2, 0),
            max_dequeue_count=section.number("maxDequeueCount", 5, 1),
            visibility_timeout=section.seconds("visibilityTimeout", 0.0),
            max_polling_interval=section.seconds(
                "maxPollingInterval", 60.0, least=MIN_POLLING_INTERVAL
            ),
            base64=section.choice("messageEncoding", ENCODINGS) == "base64",
        )
        section.finish()
        return settings


class _Section:
    """Takes values out of the section, and collects what is wrong with it."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)
        self._faults: list[str] = []

    def number(self, name: str, default: int, least: int, most: int | None = None) -> int:
        value = self._values.pop(name, default)
        # JSON's true is an int to Python.
        if type(value) is int and least <= value and (most is None or value <= most):
            return value
        limits = f"from {least}" if most is None else f"from {least} to {most}"
        return self._fault(name, value, f"a whole number {limits}", default)

    def seconds(self, name: str, default: float, least: float = 0.0) -> float:
        value = self._values.pop(name, None)
        if value is None:
            return default
        span = TIME_SPAN.fullmatch(value) if isinstance(value, str) else None
        if span is None:
            return self._fault(name, value, '"hh:mm:ss" or "hh:mm:ss.fff"', default)
        seconds = int(span["hours"]) * 3600 + int(span["minutes"]) * 60 + float(span["seconds"])
        if seconds < least:
            return self._fault(name, value, f"{least} s or more", default)
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
        """Raises: HostError: something is wrong, or is left over."""
        self._faults += [f"{name} is not known" for name in self._values]
        if self._faults:
            raise HostError(f"host.json, extensions.queues: {'; '.join(self._faults)}.")
