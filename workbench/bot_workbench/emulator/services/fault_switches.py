"""Checks the fault switches that arrive as JSON, see Faults."""

from collections.abc import Callable, Mapping
from typing import Any

MAX_LATENCY_SECONDS = 3600


class FaultError(ValueError):
    """There is no such switch, or its value is of another type; the text says which."""


def checked_switches(switches: object) -> Mapping[str, Any]:
    """The switches of Faults by name, whose types have been checked.

    Args:
        switches: a JSON value.

    Raises:
        FaultError: it is no object, or one of the switches is wrong.
    """
    if not isinstance(switches, dict):
        raise FaultError("The faults must be a JSON object.")
    for name, value in switches.items():
        if name not in _CHECKS:
            raise FaultError(f"There is no fault {name!r}: choose from {', '.join(_CHECKS)}.")
        is_valid, expected = _CHECKS[name]
        if not is_valid(value):
            raise FaultError(f"{name} must be {expected}.")
    return switches


def _is_latency(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= MAX_LATENCY_SECONDS


def _is_status(value: object) -> bool:
    return value is None or (type(value) is int and 200 <= value < 600)


def _is_retry_after(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.isprintable()
    return value is None or _is_count(value)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_limit(value: object) -> bool:
    return value is None or _is_count(value)


def _is_interval(value: object) -> bool:
    return type(value) is int and value >= 1


def _is_truth(value: object) -> bool:
    return isinstance(value, bool)


def _is_body(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_TRUTH = (_is_truth, "true or false")

_CHECKS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "latency": (_is_latency, f"a number of seconds, at most {MAX_LATENCY_SECONDS}"),
    "status": (_is_status, "an HTTP status from 200 to 599, or null"),
    "retry_after": (_is_retry_after, "a number of seconds, an HTTP date, or null"),
    "silent": _TRUTH,
    "cut": _TRUTH,
    "handled": _TRUTH,
    "html": _TRUTH,
    "body": (_is_body, "text, or null"),
    "endless": _TRUTH,
    "every": (_is_interval, "a number of requests, at least 1"),
    "remaining": (_is_limit, "a number of requests, or null"),
    "path": (_is_text, "text"),
}
"""For each switch, whether a value is valid, and what is."""
