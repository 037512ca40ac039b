"""Estimates the memory that parsing and answering a body takes, before the body is parsed.

JSON that is small on the wire can be large in memory: `{},` becomes a model of half a kilobyte, and
one emoji makes every character of a text take four bytes. The sizes below are measured and rounded
up. The limits are those for requests, chosen so that no accepted body costs more than 8 MB,
including its own bytes and the copies that a turn makes of its text; cloud_adapter/connector has
those for responses.

The limits accept what real channels send: activities have at most 100 KB in Teams and 256 KB on
Direct Line (Microsoft references "Format your bot messages" and "Send an activity to the bot").
Even with an emoji, a Teams activity of that size may contain 2,000 values in 500 objects, and a
Direct Line activity 400 values in 100 objects.
"""

import re
import sys
from itertools import accumulate

from auth.errors import BodyTooLarge

MAX_COST_BYTES = 7_500_000

TEXT_COPIES = 7
"""The number of copies of the body's text that are in memory at the same time: as received, parsed,
without the mention, in the reply, in its JSON, in the request to the connector, and encrypted."""

CONTAINER_BYTES = 600
"""The maximum size of an object or a list; the largest model in lists is an Attachment."""

VALUE_BYTES = 100
"""The maximum size, besides its text, of a value in a list, or of a name or value in an object."""

MAX_DEPTH = 100
"""The number of levels to which objects and lists may be nested. Adaptive Cards have about 30."""

MAX_DIGITS = 1000
"""The number of digits that an integer may have: the time to read or write an integer grows with
the square of that number."""

WINDOW_BYTES = 16 * 1024
"""How much of a body is split at its quotes at a time. All pieces together could take megabytes."""

_SURROGATE = re.compile(r"\\u[dD][89abAB]")
_BEYOND_LATIN_1 = re.compile(r"\\u(?!00)")
_STEPS = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_NO_BRACKETS = bytes(set(range(256)) - _STEPS.keys())


def check_cost(
    body: bytes, text: str, max_bytes: int = MAX_COST_BYTES, text_copies: int = TEXT_COPIES
) -> None:
    """Check how much memory a body takes, in time proportional to its size.

    Args:
        body: as received.
        text: the body, decoded.
        max_bytes: the most memory that it may take.
        text_copies: the number of copies of its text that are in memory at the same time.

    Raises:
        BodyTooLarge: parsing the body would take too much memory, or recurse too deeply.
    """
    text_bytes, containers = text_copies * _memory_of(text), _containers(body)
    if text_bytes + _structure_bytes(body, containers) > max_bytes or containers > MAX_DEPTH:
        # Brackets and commas inside strings do not count: estimate again without them.
        structure = without_strings(body)
        if text_bytes + _structure_bytes(structure, _containers(structure)) > max_bytes:
            raise BodyTooLarge("the body has too many values or too much text")
        if _depth(structure) > MAX_DEPTH:
            raise BodyTooLarge(f"the body is nested more than {MAX_DEPTH} levels deep")


def _memory_of(text: str) -> int:
    """The maximum size in bytes of a text once its escapes are replaced by their characters."""
    if "\\u" not in text:
        return sys.getsizeof(text)
    # Python stores each character of a text in the width of the widest one (PEP 393).
    width = 4 if _SURROGATE.search(text) else 2 if _BEYOND_LATIN_1.search(text) else 1
    return max(sys.getsizeof(text), width * len(text))


def _structure_bytes(json: bytes, containers: int) -> int:
    values = json.count(b",") + json.count(b":")
    return CONTAINER_BYTES * containers + VALUE_BYTES * values


def _containers(json: bytes) -> int:
    return json.count(b"{") + json.count(b"[")


def without_strings(body: bytes, window_bytes: int = WINDOW_BYTES) -> bytes:
    """A JSON text without its strings.

    Args:
        body: the JSON text.
        window_bytes: how many bytes are split at a time.
    """
    plain = body.replace(rb"\\", b"").replace(rb"\"", b"")
    outside, inside = bytearray(), False
    for start in range(0, len(plain), window_bytes):
        pieces = plain[start : start + window_bytes].split(b'"')
        outside += b"".join(pieces[inside::2])
        inside ^= len(pieces) % 2 == 0  # an odd number of quotes
    return bytes(outside)


def _depth(structure: bytes) -> int:
    brackets = structure.translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def read_integer(text: str) -> int:
    """An integer, as a JSONDecoder's `parse_int`.

    Raises:
        ValueError: it has more than MAX_DIGITS.
    """
    if len(text) > MAX_DIGITS:
        raise ValueError("a number is too long")
    return int(text)
