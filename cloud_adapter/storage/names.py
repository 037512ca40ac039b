"""name_part: any text, encoded as one part of a blob's name."""

import functools
import hashlib
from urllib.parse import quote

MAX_PART_CHARACTERS = 300
"""Three parts fit into a blob's name, which may have 1,024 characters."""

_MAX_WHOLE_CHARACTERS = MAX_PART_CHARACTERS - 65


@functools.lru_cache(maxsize=256)  # a turn asks for that of its conversation several times
def name_part(text: str) -> str:
    """Encode a text so that it can stand between two slashes of a blob's name.

    Different texts have different parts. Conversation ids may contain anything: slashes, bars,
    other scripts, half a surrogate pair. Letters, digits, hyphens and underscores stay as they are;
    every other byte of the text's UTF-8 becomes `~` and two hex digits, because servers differ in
    how they read what has a meaning in URLs (`%`, `.`, `..`). A long text is cut, and ends in its
    SHA-256. Source: Microsoft reference "Naming and referencing containers, blobs, and metadata".
    """
    quoted = quote(text, safe="", errors="surrogatepass").replace("~", "%7E").replace(".", "%2E")
    part = quoted.replace("%", "~")
    if len(part) <= _MAX_WHOLE_CHARACTERS:
        return part
    digest = hashlib.sha256(part.encode()).hexdigest()
    return f"{part[:_MAX_WHOLE_CHARACTERS]}-{digest}"
