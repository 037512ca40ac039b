"""JSON as the bot sends it."""

import json
from typing import Any

# Not ASCII only: escapes can take three times the memory of the characters.
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"), ensure_ascii=False)


def json_bytes(data: Any) -> bytes:
    """JSON-ready data as UTF-8. A lone surrogate, which UTF-8 cannot encode, is escaped.

    Raises:
        ValueError: it holds a number that JSON cannot represent (NaN, infinity).
        TypeError: it holds something else that is not JSON-ready.
    """
    # Python escapes a lone surrogate as JSON does (`\ud83d`), and only strings can hold one.
    return _ENCODER.encode(data).encode(errors="backslashreplace")
