"""The forms in which a text may leave a process without being seen by a search for it."""

import base64
from collections.abc import Iterable
from urllib.parse import quote

MIN_LENGTH = 6
"""The length from which encoded forms of a text are looked for: shorter ones occur by chance."""


def found_in(content: bytes, texts: Iterable[str]) -> list[str]:
    """Which of the texts are in some bytes: as they are, or encoded, if they are long enough."""
    return [text for text in texts if any(form in content for form in forms(text))]


def forms(text: str) -> set[bytes]:
    """A text in UTF-8, UTF-16, hex, percent-encoding, and base64 wherever it begins."""
    plain = text.encode()
    if len(plain) < MIN_LENGTH:
        return {plain}
    encoded = {plain, plain.hex().encode(), plain.hex().upper().encode(), quote(text).encode()}
    encoded |= {text.encode("utf-16-le"), text.encode("utf-16-be")}
    return encoded | {_in_base64(plain, before) for before in range(3)}


def _in_base64(plain: bytes, before: int) -> bytes:
    """What base64 makes of it after this many other bytes, without what neighbours determine."""
    whole = base64.b64encode(bytes(before) + plain + bytes(-(before + len(plain)) % 3))
    return whole[-(-before * 8 // 6) : (before + len(plain)) * 8 // 6]
