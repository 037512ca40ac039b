"""MappedText: a text without its quoting, and the place of each character in the original."""

import re
from typing import NamedTuple
from urllib.parse import unquote

MAX_QUOTING_LEVELS = 3
"""How many levels of quoting are removed: a KeyError quotes its text, which may quote another."""

_ESCAPE = re.compile(
    r"(?:\\x[0-9a-fA-F]{2})+"  # bytes, or Latin-1
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a surrogate pair
    r"|\\u[0-9a-fA-F]{4}|\\U00[01][0-9a-fA-F]{5}"
    r"|\\[\\'\"abfnrtv0]"
    r"|(?:%[0-9a-fA-F]{2})+"
)


class MappedText(NamedTuple):
    """A text made from an original.

    Attributes:
        text: the text.
        spans: for each character, the start and end in the original of what the character replaces.
    """

    text: str
    spans: list[tuple[int, int]]


def all_readings(original: str) -> MappedText:
    """A text as it is, followed by the same text without each level of quoting; in lower case.

    Each of these readings ends with a NUL.
    """
    plain = MappedText(original, [(at, at + 1) for at in range(len(original))])
    readings = {original: plain}
    for encoding in ("utf-8", "latin-1"):
        reading = plain
        for _ in range(MAX_QUOTING_LEVELS):
            reading = _unquoted(reading, encoding)
            readings.setdefault(reading.text, reading)
    folded = [_casefolded(each) for each in readings.values()]
    return MappedText(
        "".join(f"{each.text}\0" for each in folded),
        [span for each in folded for span in (*each.spans, (0, 0))],
    )


def _unquoted(quoted: MappedText, encoding: str) -> MappedText:
    """A text without its outermost level of quoting.

    Args:
        quoted: the text.
        encoding: the encoding of escaped bytes.
    """
    parts, spans, end = list[str](), list[tuple[int, int]](), 0
    for escape in _ESCAPE.finditer(quoted.text):
        # NUL separates readings: within one, U+FFFD stands for it.
        plain = _unescaped(escape[0], encoding).replace("\0", "\N{REPLACEMENT CHARACTER}")
        parts += quoted.text[end : escape.start()], plain
        spans += quoted.spans[end : escape.start()]
        end = escape.end()
        spans += [(quoted.spans[escape.start()][0], quoted.spans[end - 1][1])] * len(plain)
    return MappedText("".join((*parts, quoted.text[end:])), spans + quoted.spans[end:])


def _unescaped(escape: str, encoding: str) -> str:
    if escape[0] == "%":
        return unquote(escape)
    if escape[1] == "x":
        return bytes.fromhex(escape.replace("\\x", "")).decode(encoding, "replace")
    found = escape.encode().decode("unicode-escape", "replace")
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _casefolded(mapped: MappedText) -> MappedText:
    if mapped.text.isascii():
        return mapped._replace(text=mapped.text.lower())
    parts = [character.casefold() for character in mapped.text]  # an ß becomes ss
    spans = [span for span, part in zip(mapped.spans, parts, strict=True) for _ in part]
    return MappedText("".join(parts), spans)
