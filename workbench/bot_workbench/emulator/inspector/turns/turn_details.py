"""The details of a turn, as the inspector page reads them: calls by attempt, without tokens."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

JsonObject = dict[str, Any]

_TOKEN = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*")
"""A JSON Web Token: header and claims are JSON objects in base64url."""


def object_in(parent: Mapping[str, Any], name: str) -> JsonObject:
    """The JSON object of that name; an empty one if there is none."""
    found = parent.get(name)
    return found if isinstance(found, dict) else {}


def calls_of(
    attempts: Iterable[JsonObject], received: Iterable[JsonObject] = ()
) -> list[JsonObject]:
    """Outbound calls, each with its attempts, in the order of their first attempts.

    Args:
        attempts: one object for each; those of the same call have the same `id`.
        received: what was read of streamed responses, with the calls' ids and when it ended.
    """
    calls: dict[str, JsonObject] = {}
    for attempt in attempts:
        call = calls.setdefault(str(attempt.get("id")), _new_call(attempt))
        call["attempts"].append(
            {name: attempt.get(name) for name in ("at", "ms", "status", "error", "connect")}
        )
        for name in ("request", "response"):
            if attempt.get(name) is not None:
                call[name] = attempt[name]
    for call in calls.values():
        call["at"], call["ms"] = _span(call["attempts"])
    for stream in received:
        if (streamed := calls.get(str(stream.get("id")))) is not None:
            _add_stream(streamed, stream)
    return list(calls.values())


def _add_stream(call: JsonObject, stream: JsonObject) -> None:
    """Put a streamed response into its call, which lasts until the response was read."""
    call["response"] = stream.get("response")
    end = stream.get("at")
    if call["at"] is not None and isinstance(end, int | float):
        call["ms"] = max(call["ms"], (end - call["at"]) * 1000)


def _new_call(attempt: JsonObject) -> JsonObject:
    named = {name: attempt.get(name) for name in ("id", "method", "url", "purpose")}
    return {**named, "attempts": [], "request": None, "response": None}


def _span(attempts: list[JsonObject]) -> tuple[float | None, float | None]:
    """When the first attempt started (seconds since 1970), and until when the last one took."""
    starts = [each["at"] for each in attempts if isinstance(each["at"], int | float)]
    if not starts:
        return None, None
    first = min(starts)
    ends = [
        each["at"] + (each["ms"] if isinstance(each["ms"], int | float) else 0) / 1000
        for each in attempts
        if isinstance(each["at"], int | float)
    ]
    return first, (max(ends) - first) * 1000


def without_tokens(value: object) -> str:
    """JSON text in which each token is replaced by `[token]`: users' tokens are in activities."""
    try:
        text = json.dumps(value, default=str, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), default=str)
    return _TOKEN.sub("[token]", text)


def _finite(value: object) -> object:
    """The value with null for NaN and infinity: Python writes them, and no browser reads them."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
