"""JSON as the bot sends it."""

import json
from typing import Any

# Characters as they are: written as escapes they can take three times the memory.
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"), ensure_ascii=False)


def json_bytes(data: Any) -> bytes:
    """JSON-ready data as UTF-8. Half a surrogate pair, which UTF-8 has no bytes for, is escaped.

    Raises:
        ValueError: it holds a number that JSON has no form for (NaN, infinity).
        TypeError: it holds something else that is not JSON-ready.
    """
    # What Python makes of half a pair, `\ud83d`, is what JSON has for it; only strings can hold it.
    return _ENCODER.encode(data).encode(errors="backslashreplace")
