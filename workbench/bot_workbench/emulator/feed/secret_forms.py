"""The forms of secrets in the feed's lines: their names, and their own forms."""

import functools
import re

HIDDEN = "(not shown)"

_KEYS = (
    *("account", "private", "api", "access", "shared", "subscription", "master", "primary"),
    *("secondary", "functions?", "host", "signing", "encryption"),
)
_NAMES = "|".join(
    (
        *(
            "token",
            "secret(?:_?text)?",
            "passw(?:or)?d",
            "passphrase",
            "pwd",
            "credential",
            "cookie",
        ),
        *("assertion", "signature", "authorization", "connection[_-]?string"),
        *("code_?verifier", "magic_?code", *(f"{each}[_-]?key" for each in _KEYS)),
    )
)
"""The ends of secrets' names. Each starts with a letter, which makes searches quick."""

_SECRET_NAMES = re.compile(
    rf"(?is).*(?:{_NAMES}|tokens|secrets|passwords|credentials|cookies)|sig|sas|jwt|x-ms-token.*"
)

_SHOWN_NAMES = frozenset({"continuationtoken", "nexttoken"})

_VALUE = r"[^\s\"'&;,\\)]+"

_FORMS = (
    ("eyj", re.compile(r"()eyJ[\w-]{8,2000}+(?:\.[\w-]*)+")),  # a JWT
    ("sk-", re.compile(r"()(?<![\w-])sk-[\w-]{20,}")),  # a key of an AI service
    ("bearer ", re.compile(r"(?i)(bearer )[\w.~+/=-]{8,}")),
    ("authorization", re.compile(r"(?i)(authorization: ?(?:basic|negotiate) )[\w+/=-]+")),
    ("sharedkey ", re.compile(r"(?i)(sharedkey )[\w:+/=-]+")),
    ("key=", re.compile(rf"(?i)((?:account|sharedaccess)key=)(?!\(){_VALUE}")),
    ("sharedaccesssignature=", re.compile(r"(?i)(sharedaccesssignature=)[^\s\"';\\]+")),
    ("sig", re.compile(rf"(?i)((?:(?<![a-z])|(?<=%3f))sig(?:=|%3d))(?!\(){_VALUE}")),
    ("key", re.compile(rf"(?i)((?:[?&]|u0026|%26|%3f)key(?:=|%3d))(?!\(){_VALUE}")),
    ("code", re.compile(rf"(?i)((?:[?&]|u0026|%26|%3f)code(?:=|%3d))(?!\(){_VALUE}")),
    ("-key:", re.compile(r"(?i)(-key: ?)[^\s\"',;\\]+")),  # a header
    ("cookie:", re.compile(r"(?i)(cookie: ?)(?=[^\s=\"'\\]{1,100}=)[^\"'\\]+")),
    ("://", re.compile(r"(://[^\s/:@\"'\\]*:)[^\s/@\"'\\]+(?=@)")),  # a user's password in a URL
    (
        "private key",  # PEM; the end may have been cut
        re.compile(r"()-----BEGIN [A-Z ]*PRIVATE KEY[A-Z ]*-----(?:\\+[nrt]|[\w+/=:,. -])*"),
    ),
)
"""Secrets wherever they stand. Before each: lower-case text that shows that it may be.

What these match never crosses the end of a JSON string, and never splits an escape. They are
bounded so that a long text is searched in a time that its length is in proportion to.
"""

_NAMED = re.compile(rf"(?:{_NAMES})(?:\\*[\"']| ?[=:]|%3d)")
"""Lower-case text that shows that the next two may match."""

_QUOTED = re.compile(
    rf"(?i)((?:{_NAMES})\\*[\"']? ?[:=] ?[\[(]?b?)(\\+\"|')(?:(?!\2)(?:\\.|[^\"\\]))+"
)
"""A value in quotes after its name, in JSON within a text or in Python's notation."""

_PAIR = re.compile(rf"(?i)((?:{_NAMES})(?:=|%3d))(?!\(|none\b|null\b)({_VALUE})")
"""A value after its name: in a query, a form or a connection string, or in Python code."""

_BEFORE_PAIRS = "?&;,\"'\\%"
"""The text before a pair that is no code."""

MAX_NAME_CHARACTERS = 40
_NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

MIN_MIXED_CHARACTERS = 8
"""A value as long as this, with a digit, is no expression of Python code."""


@functools.lru_cache(maxsize=2000)
def is_secret_name(name: str) -> bool:
    """Whether what has this name in JSON is secret."""
    return bool(_SECRET_NAMES.fullmatch(name)) and name.lower() not in _SHOWN_NAMES


def without_secrets(line: str) -> str:
    """A line of JSON, in ASCII, without secrets in its texts."""
    lower = line.lower()
    for sign, form in _FORMS:
        if sign in lower:
            line = form.sub(rf"\g<1>{HIDDEN}", line)
    if _NAMED.search(lower):
        line = _QUOTED.sub(rf"\g<1>\g<2>{HIDDEN}", line)
        line = _PAIR.sub(_without_value, line)
    return line


def _without_value(pair: re.Match[str]) -> str:
    start, value = pair.start(), pair[2]
    before = pair.string[max(0, start - MAX_NAME_CHARACTERS) : start]
    rest = before.rstrip(_NAME_CHARACTERS)
    name = f"{before[len(rest) :]}{pair[1]}".rstrip("=")
    is_mixed = len(value) >= MIN_MIXED_CHARACTERS and any(each.isdigit() for each in value)
    is_code = rest[-1:] not in _BEFORE_PAIRS and not is_mixed
    return pair[0] if is_code or name.lower() in _SHOWN_NAMES else f"{pair[1]}{HIDDEN}"
