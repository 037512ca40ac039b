"""Blob names: any text, as a part of a name that a blob can have."""

import hashlib
from urllib.parse import quote

LONGEST_PART = 300
"""Characters: three parts fit into a blob's name, which may have 1,024."""

_KEPT = LONGEST_PART - 65


def name_part(text: str) -> str:
    """What stands for a text between two slashes of a blob's name; no two texts share one.

    Conversation ids hold anything: slashes, bars, other scripts, half an emoji. Letters, digits,
    hyphens and underscores stay as they are; other bytes of the text's UTF-8 become `~` and two hex
    digits, since what has a meaning in URLs (`%`, `.`, `..`) is not the same for every server. A
    long text is cut, and ends in its SHA-256 instead. Source: Microsoft reference "Naming and
    referencing containers, blobs, and metadata".
    """
    quoted = quote(text, safe="", errors="surrogatepass").replace("~", "%7E").replace(".", "%2E")
    part = quoted.replace("%", "~")
    if len(part) <= _KEPT:
        return part
    digest = hashlib.sha256(part.encode()).hexdigest()
    return f"{part[:_KEPT]}-{digest}"
