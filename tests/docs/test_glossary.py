"""Words of a private language do not come back: the worst of the glossary's right column."""

import re
from pathlib import Path

import pytest

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

CONSTANTS = re.compile(r"\b_?(MOST|LONGEST|SMALLEST|LARGEST|USUAL|PATIENCE)_?[A-Z]*\b")
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
    "admin",
    "emulator",
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


def words_of(text: str) -> str:
    """A text's words in lower case, those of identifiers too, parted by single blanks."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).replace("_", " ")
    return re.sub(r"[\s#]+", " ", apart).lower()


def found(text: str) -> set[str]:
    """What a text says in the private language."""
    words = words_of(text)
    pattern = re.compile(rf"\b({'|'.join(WORDS)})\b")
    constants = {match[0] for match in CONSTANTS.finditer(text)}
    return {match[0] for match in pattern.finditer(words)} | constants


@pytest.mark.parametrize("file", FILES, ids=name)
def test_no_private_language(file: Path) -> None:
    """A file uses the field's words."""
    left = found(file.read_text("utf-8")) - ALLOWED.get(name(file), set())
    assert not left, f"see WORDS for what to say instead of {left}"


def test_how_words_are_found() -> None:
    """In identifiers, over the ends of lines, and not within other words."""
    assert found("class BellRings:") == {"rings"}
    assert found("the_ring_of = 1") == {"ring"}
    assert found("its turn\n    # is made") == {"turn is made"}
    assert found("a string that tolders") == set()
    assert found("LONGEST_NAP = 5") == {"LONGEST_NAP"}
