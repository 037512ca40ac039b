"""Words of a private language do not come back: the worst of the glossary's right column."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.test_imports import kept_to_rules, name

WORDS = {
    r"rings?|ringing|rang": "wake-up message",
    r"line runs?": "drain",
    r"kept users?": "user record",
    r"unasked": "proactive",
    r"told": "say who is notified, or what is logged",
    r"fruitless": "attempts without a result",
    r"lets? in|letting in": "accept",
    r"cannot be had|can be had": "is unavailable",
    r"turns? (is|are|was|were) made": "the activity is processed",
    r"has had its turn": "the activity has been processed",
    r"whatever the reason": "for any reason",
    r"nobody waits for": "queued",
    r"waiting activit(y|ies)": "stored activity",
    r"careful (try|tries|run|runs)": "the last attempt",
    r"litter": "what the garbage collector finds",
    r"look(s|ed)? for garbage": "collect garbage",
    r"misbehaves?": "inject faults",
    r"begins? anew": "is wiped on every start",
    r"look(s|ed)? twice": "double-check",
    r"door is shut": "unauthenticated calls are refused",
    r"patience": "timeout",
    r"pace|paces|paced": "rate limit",
}
"""Patterns of words, in lower case and apart, and what to say instead."""

PATTERN = re.compile(rf"\b(?:{'|'.join(WORDS)})\b".replace(" ", r"[\s#]+"))
"""All of them, over the ends of lines too, also in comments."""

CONSTANTS = re.compile(r"\b_?(?:MOST|LONGEST|SMALLEST|LARGEST|USUAL|PATIENCE)_?[A-Z]*\b")
"""Say MAX_..., MIN_..., ..._SECONDS, ..._BYTES."""

ALLOWED: dict[str, set[str]] = {
    "cloud_adapter/proactive/notification.py": {"fruitless"},
    "tests/cloud_adapter/proactive/test_notification.py": {"fruitless"},
    "tests/cloud_adapter/proactive/test_sender.py": {"fruitless"},
}
"""Words that stand in stored formats."""

FOLDERS = (
    "auth",
    "cloud_adapter",
    "http_client",
    "workbench",
    "tests",
    "docs",
)
SUFFIXES = {".py", ".md", ".html", ".sh"}

FILES = [
    file
    for file in kept_to_rules()
    if file.suffix in SUFFIXES
    if name(file).startswith(tuple(f"{folder}/" for folder in FOLDERS))
    or name(file) in {"README.md", "function_app.py", "composition.py"}
    if file != Path(__file__)
]


def found(text: str) -> Iterator[tuple[int, str, str]]:
    """What a text says in the private language: its line, the word, and what to say instead.

    Words are also found within identifiers.
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).replace("_", " ").lower()
    for match in PATTERN.finditer(words):
        word = re.sub(r"[\s#]+", " ", match[0])
        [instead] = [WORDS[each] for each in WORDS if re.fullmatch(each, word)]
        yield words.count("\n", 0, match.start()) + 1, word, instead
    for match in CONSTANTS.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield line, match[0], "MAX_..., MIN_..., ..._SECONDS or ..._BYTES"


def violations(file: Path) -> list[str]:
    """What a file is to say instead, with the lines."""
    return [
        f"{name(file)}:{line}: {word} -> {instead}"
        for line, word, instead in found(file.read_text("utf-8"))
        if word not in ALLOWED.get(name(file), ())
    ]


def test_no_private_language() -> None:
    """Every file uses the field's words."""
    wrong = [each for file in FILES for each in violations(file)]
    assert not wrong, "\n".join(wrong)


def test_how_words_are_found() -> None:
    """In identifiers, over the ends of lines, and not within other words."""

    def words(text: str) -> list[tuple[int, str]]:
        return [(line, word) for line, word, _ in found(text)]

    assert words("class BellRings:") == [(1, "rings")]
    assert words("\nthe_ring_of = 1") == [(2, "ring")]
    assert words("\nits turn\n    # is made") == [(2, "turn is made")]
    assert words("a string that tolders") == []
    assert words("\nLONGEST_NAP = 5") == [(2, "LONGEST_NAP")]
