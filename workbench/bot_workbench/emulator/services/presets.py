"""Presets: faults that people often want to see, for each service of the local cloud."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot_workbench.emulator.language_model.refusals import CONTENT_FILTER, NO_ROLE, Refusal

Switches = Mapping[str, Any]
"""Faults' switches by name; none: healthy."""


@dataclass(frozen=True)
class Preset:
    """Named faults.

    Attributes:
        name: unique among a service's presets.
        label: what a button says.
        faults: the switches.
    """

    name: str
    label: str
    faults: Switches


_THROTTLED = Preset(
    "throttled", "429 three times", {"status": 429, "retry_after": 1, "remaining": 3}
)
_UNAVAILABLE = Preset("unavailable", "503", {"status": 503})
_FAILING = Preset("failing", "500", {"status": 500})
_SLOW = Preset("slow", "3 s slower", {"latency": 3.0})
_SILENT = Preset("silent", "No answer", {"silent": True})
_CUT = Preset("cut", "Connection cut", {"cut": True})
_LOST = Preset("lost", "Done, but response lost", {"cut": True, "handled": True})
_HTML = Preset("html", "502 with a web page", {"status": 502, "html": True})
_GARBAGE = Preset("garbage", "200 with broken JSON", {"status": 200, "body": "{"})

_NO_ROLE = Preset("no-role", "403: role missing", {"status": 403})


def _refused(name: str, label: str, refusal: Refusal) -> Preset:
    """A refusal of the language model's."""
    return Preset(name, label, {"status": refusal.status, "body": json.dumps(refusal.body())})


_COMMON = (_THROTTLED, _FAILING, _UNAVAILABLE, _SLOW, _SILENT, _CUT)

PRESETS: Mapping[str, Sequence[Preset]] = {
    "connector": (
        *_COMMON,
        _LOST,
        _HTML,
        Preset(
            "gone",
            "404: conversation gone",
            {"status": 404, "body": '{"error": {"code": "ConversationNotFound"}}'},
        ),
        Preset(
            "blocked",
            "403: user blocked the bot",
            {"status": 403, "body": '{"error": {"code": "MessageWritesBlocked"}}'},
        ),
    ),
    "channel": (_FAILING, _UNAVAILABLE, _SLOW, _SILENT, _CUT, _GARBAGE),
    "entra": (*_COMMON, _GARBAGE),
    "identity": (*_COMMON, _GARBAGE),
    "vault": (
        *_COMMON,
        Preset(
            "denied",
            "403: access denied",
            {"status": 403, "body": '{"error": {"code": "Forbidden"}}'},
        ),
    ),
    "usertokens": (*_COMMON, _HTML),
    "model": (
        *_COMMON,
        _refused("filtered", "400: content filter", Refusal(400, CONTENT_FILTER)),
        _refused("no-role", "401: role missing", Refusal(401, NO_ROLE)),
    ),
    "blobs": (_UNAVAILABLE, _FAILING, _NO_ROLE, _SLOW, _SILENT, _CUT, _LOST),
    "queues": (_UNAVAILABLE, _FAILING, _NO_ROLE, _SLOW, _SILENT, _CUT, _LOST),
}
"""By service."""
