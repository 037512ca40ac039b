"""What a body may cost to parse and to answer, estimated from its bytes before it is parsed.

JSON that is small on the wire may be large in memory: `{},` becomes a model of half a kilobyte, and
one emoji makes each character of a text take four bytes. Each figure below is measured, and
rounded up. Together with the copies that a turn makes of a text (the parsed one, the reply, its
JSON, what is sent), no accepted body costs more than 8 MB, itself included.

Activities of real channels stay far below. Teams' have 100 KB at most and Direct Line's 256 KB
(Microsoft references "Format your bot messages" and "Send an activity to the bot"): of those, even
one with an emoji may hold 2,000 values in 500 objects.
"""

import re
import sys
from itertools import accumulate

from auth.errors import BodyTooLarge

MAX_COST_BYTES = 7_500_000

TEXT_COPIES = 7
"""Of the body's text that are in memory at once: as received, parsed, without the mention, in the
reply, in its JSON, in the request to the connector, and encrypted."""

CONTAINER_BYTES = 600
"""That an object or a list may take: an Attachment, the largest model that comes in lists."""

VALUE_BYTES = 100
"""That a value in a list, or one half of an object's property, may take, beside its text."""

MAX_DEPTH = 100
"""Objects and lists in one another. Adaptive Cards have some 30."""

WINDOW_BYTES = 16 * 1024
"""Of a body in which strings are looked for at once: all of its pieces would take megabytes."""

_SURROGATE = re.compile(r"\\u[dD][89abAB]")
_BEYOND_LATIN_1 = re.compile(r"\\u(?!00)")
_STEPS = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_NO_BRACKETS = bytes(set(range(256)) - _STEPS.keys())


def check_cost(body: bytes, text: str) -> None:
    """Pass, or raise. The time that it takes is in proportion to the body's size.

    Args:
        body: as received.
        text: the same, decoded.

    Raises:
        BodyTooLarge: to parse it would take too much memory, or too deep a recursion.
    """
    text_bytes = TEXT_COPIES * _memory_of(text)
    if text_bytes + _structure_bytes(body) > MAX_COST_BYTES or _openings(body) > MAX_DEPTH:
        # Prose has commas, too: they do not count.
        structure = _outside_of_strings(body)
        if text_bytes + _structure_bytes(structure) > MAX_COST_BYTES:
            raise BodyTooLarge("the body holds too many values, or too much text")
        if _depth(structure) > MAX_DEPTH:
            raise BodyTooLarge(f"the body nests more than {MAX_DEPTH} deep")


def _memory_of(text: str) -> int:
    """Bytes that a text may take when its escapes are replaced by what they stand for."""
    if "\\u" not in text:
        return sys.getsizeof(text)
    # Python stores all characters of a text in the width of its widest (PEP 393).
    width = 4 if _SURROGATE.search(text) else 2 if _BEYOND_LATIN_1.search(text) else 1
    return max(sys.getsizeof(text), width * len(text))


def _structure_bytes(json: bytes) -> int:
    values = json.count(b",") + json.count(b":")
    return CONTAINER_BYTES * _openings(json) + VALUE_BYTES * values


def _openings(json: bytes) -> int:
    return json.count(b"{") + json.count(b"[")


def _outside_of_strings(body: bytes) -> bytes:
    plain = body.replace(rb"\\", b"").replace(rb"\"", b"")
    outside, inside = bytearray(), False
    for start in range(0, len(plain), WINDOW_BYTES):
        pieces = plain[start : start + WINDOW_BYTES].split(b'"')
        outside += b"".join(pieces[inside::2])
        inside ^= len(pieces) % 2 == 0  # as many quotes as pieces, less one
    return bytes(outside)


def _depth(structure: bytes) -> int:
    brackets = structure.translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)
