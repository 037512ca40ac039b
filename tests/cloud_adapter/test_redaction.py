"""Redaction: what came with an activity is replaced, however it is quoted; all else stays."""

import json
import tracemalloc
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest.mock import Mock
from urllib.parse import quote
from uuid import UUID

import pytest
from botbuilder.schema import Activity, ActivityTypes
from hypothesis import example, given
from hypothesis import strategies as st

from cloud_adapter.codec import read_model
from cloud_adapter.redaction import (
    CHUNK_LENGTH,
    CUT_MARK,
    MAX_WORD_LENGTH,
    REDACTED,
    Limits,
    redacted,
)

EMOJI = "\N{GRINNING FACE}"
TWO_ESCAPES = "\N{MATHEMATICAL SCRIPT CAPITAL A}bcd"
"""A word with a letter that JSON writes as two escapes."""


def redact(text: str, /, **sent: Any) -> str:
    """One text, redacted for an activity with these properties."""
    [found] = redacted([text], Activity(**sent))
    return found


@pytest.mark.parametrize(
    ("sent", "text", "expected"),
    [
        pytest.param({"text": "hello"}, "no 'hello'", "no '[redacted]'", id="in quotes"),
        pytest.param({"text": "  hello \n"}, "hello", REDACTED, id="spaces around it"),
        pytest.param({"text": "Hello World"}, "not hello world", "not [redacted]", id="one case"),
        pytest.param({"text": "sesame"}, "no SESAME", "no [redacted]", id="another case"),
        pytest.param({"text": "stra\u00dfe"}, "STRASSE?", "[redacted]?", id="one letter as two"),
        pytest.param({"text": "say sesame"}, "sesame?", "[redacted]?", id="a word"),
        pytest.param({"text": "pin 42"}, "no 42", "no [redacted]", id="a number"),
        pytest.param({"text": "42"}, "answered 429", "answered 429", id="no part of a number"),
        pytest.param({"text": "42"}, "42 of 4200", "[redacted] of 4200", id="a number alone"),
        pytest.param({"text": "#1"}, "item #1!", "item [redacted]!", id="short with a digit"),
        pytest.param({"text": "#1"}, "item #12", "item #12", id="short within a longer one"),
        pytest.param({"text": "it is a go"}, "<it is a go>", "<[redacted]>", id="short words"),
        pytest.param({"text": "Bo Li"}, "for Bo Li", "for [redacted]", id="a short name"),
        pytest.param({"text": "Bo Li"}, "for Bo Line", "for Bo Line", id="no part of a word"),
        pytest.param({"text": "a1_b2"}, "a1_b2", REDACTED, id="underscores"),
        pytest.param({"text": "x user_1 y"}, "key user_1", "key [redacted]", id="an underscore"),
        pytest.param({"text": "sesame"}, "key_sesame_2", "key_[redacted]_2", id="a part"),
        pytest.param({"text": "say sesame"}, "key_sesame", "key_[redacted]", id="a word in a part"),
        pytest.param({"text": "x my_sesame y"}, "no sesame", "no [redacted]", id="a part of one"),
        pytest.param(
            {"text": " it is a go\n"}, "<it is a go>", "<[redacted]>", id="short words with spaces"
        ),
        pytest.param({"text": "get watermelon"}, "xwatermelons", "x[redacted]s", id="long inside"),
        pytest.param({"text": "text"}, "a context", "a context", id="short within a word"),
        pytest.param({"text": "\u4f60\u597d"}, "\u4f60\u597d", REDACTED, id="two characters"),
        pytest.param(
            {"text": "\u674e\u5a1c"}, "\u7528\u6237\u674e\u5a1c\u4e0d", None, id="no spaces"
        ),
        pytest.param(
            {"text": "\u0928\u0947\u0939\u093e \u0939"},
            "\u0928\u0947\u0939\u093e?",
            "[redacted]?",
            id="combining marks",
        ),
        pytest.param({"text": "a\nfine day"}, "'a\\nfine'", "'a\\n[redacted]'", id="an escape"),
        pytest.param({"text": "two\n42"}, "'two\\n42'", "'[redacted]'", id="after an escape"),
        pytest.param({"text": "one two six"}, "one two six", REDACTED, id="all of it"),
    ],
)
def test_what_is_replaced(sent: dict[str, Any], text: str, expected: str | None) -> None:
    """Whole strings and words that stand alone; long ones also inside longer words."""
    if expected is None:
        assert "\u674e\u5a1c" not in redact(text, **sent)
    else:
        assert redact(text, **sent) == expected


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"text": ""},
        {"text": "  "},
        {"text": "is it in stock"},
        {"text": "what error type is this"},
        {"text": "1"},
        {"value": None},
        {"value": 5},
        {"value": {"ok": [True, False, None, ""]}},
    ],
)
def test_what_is_not_replaced(said: dict[str, Any]) -> None:
    """Short words, booleans and empty values redact nothing."""
    text = "LookupError 1: it is True that it is in no table"
    assert redact(text, **said) == text


def test_neighbors_are_replaced_as_one() -> None:
    """Matches with only punctuation between them become one `[redacted]`."""
    sent = {"text": "first second third"}
    assert (
        redact("in (first, 'second': third) and third", **sent) == "in ([redacted]) and [redacted]"
    )


def test_texts_stay_apart() -> None:
    """Several texts are searched together, but returned one by one."""
    activity = Activity(text="sesame")
    assert redacted(["sesame", "sesame"], activity) == [REDACTED, REDACTED]
    assert redacted(["sesame", "", "a\0b sesame"], activity) == [
        REDACTED,
        "",
        "a\N{REPLACEMENT CHARACTER}b [redacted]",
    ]


SENT = [
    'it\'s "me"\n',
    "caf\u00e9",
    TWO_ESCAPES,
    "\u041f\u0440\u0438\u0432\u0435\u0442",
    "C:\\temp\\nine",
    "50% off",
    f"so {EMOJI} so",
]
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "repr": repr,
    "ascii": ascii,
    "JSON": json.dumps,
    "JSON as it is": lambda text: json.dumps(text, ensure_ascii=False),
    "URL": quote,
    "bytes": lambda text: repr(text.encode()),
    "within quotes": lambda text: repr(f"no {text!r}"),
    "twice": lambda text: repr(ascii(text)),
    "JSON within JSON": lambda text: json.dumps(json.dumps({"x": text})),
    "in capitals": str.upper,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sent", SENT)
def test_every_form(form: str, sent: str) -> None:
    """However Python, JSON or a URL quotes a string, no word of it is left."""
    text = FORMS[form](sent)
    found = redact(f"bad value {text} given", text=sent)
    assert found.startswith("bad value ")
    assert found.endswith(" given")
    assert REDACTED in found
    rest = found.removeprefix("bad value ").removesuffix(" given").replace(REDACTED, "")
    assert not set("cafmetpine\u00e9\u041f") & set(
        rest.lower().replace("no", "").replace("\\n", "")
    ), rest


def test_everything_in_an_activity() -> None:
    """Every property is searched, known or not, and so are numbers and the keys of free JSON."""
    data = {
        "type": "event",
        "id": "marker01",
        "from": {"id": "marker02", "name": "marker03", "aadObjectId": "marker04", "x": "marker05"},
        "conversation": {"id": "marker06", "name": "marker07", "y": {"marker08": "marker09"}},
        "recipient": {"id": "marker10"},
        "membersAdded": [{"id": "marker11", "name": "marker12"}],
        "text": "marker13",
        "attachments": [
            {"contentType": "marker14", "name": "marker15", "content": {"a": ["marker16"]}},
            {
                "contentType": "marker17",
                "contentUrl": "https://marker18.example/marker19?q=marker20",
            },
        ],
        "entities": [
            {"type": "mention", "mentioned": {"name": "marker21"}, "marker22": [["marker23"]]}
        ],
        "channelData": {"marker24": {"marker25": ["marker26", {"z": "marker27"}]}},
        "value": ["marker28", 4711, 0.125],
        "suggestedActions": {"actions": [{"title": "marker29", "value": {"v": "marker30"}}]},
        "relatesTo": {"user": {"name": "marker31"}},
        "more": {"marker32": "marker33"},
        "localTimezone": "marker34",
    }
    activity = read_model(Activity, data)
    words = [*(f"marker{number:02}" for number in range(1, 35)), "4711", "0.125"]
    assert redacted([f"no {each} here" for each in words], activity) == ["no [redacted] here"] * 36


class Mood(Enum):
    """An enum of the bot's."""

    GOOD = "sesame"


class Word(str):
    """A text of the bot's."""

    __slots__ = ()


class Entry(NamedTuple):
    """A tuple of the bot's."""

    name: str = "sesame"


@pytest.mark.parametrize(
    "value",
    [
        ("sesame",),
        {"sesame"},
        frozenset({"sesame"}),
        {("x", "sesame"): 1},
        defaultdict(list, x=["sesame"]),
        Mood.GOOD,
        ActivityTypes.message,
        Word("sesame"),
        b"sesame",
        bytearray(b"\xffsesame"),
        Decimal("4711.25"),
        UUID(int=1),
    ],
    ids=repr,
)
def test_what_a_bot_puts_into_an_activity(value: object) -> None:
    """Python's own types are searched, however they are nested."""
    words = ["sesame", "4711.25", f"{UUID(int=1)}", "message"]
    found = redacted([f"no {word} here" for word in words], Activity(value=[{"a": value}]))
    assert found.count("no [redacted] here") == 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        datetime(2026, 1, 1, tzinfo=UTC),
        date(2026, 1, 1),
        time(1),
        timedelta(1),
    ],
    ids=repr,
)
def test_values_without_text(value: object) -> None:
    """They hide nothing."""
    assert redact("sesame True 2026", text="sesame", value=[value]) == "[redacted] True 2026"


@pytest.mark.parametrize(
    "value",
    [
        SimpleNamespace(name="sesame"),
        Entry(),
        IndexError("sesame"),
        object,
        1j,
        Mock(spec=dict),
    ],
    ids=lambda value: type(value).__name__,
)
def test_objects_of_other_types(value: object) -> None:
    """Their text is not known, and an error may quote it: then the whole text is redacted."""
    for name, held in {"value": [value], "channel_data": {"a": value}, "unknown": value}.items():
        activity = Activity(type="message")
        setattr(activity, name, held)
        assert redacted(["no sesame", "no table"], activity) == [REDACTED, REDACTED]


def test_a_deeply_nested_value() -> None:
    """However deeply a user's value nests, it is searched."""
    value: Any = "sesame"
    for depth in range(20_000):
        value = [value] if depth % 2 else {"a": value}
    assert redact("no sesame", value=value) == "no [redacted]"


def test_an_activity_that_contains_itself() -> None:
    """A bot can build one: then the whole text is redacted."""
    value: list[Any] = []
    value += [value, value]
    assert redact("no table", value=value) == REDACTED


@example("0\0::", "JSON")
@given(st.text(min_size=1, max_size=30), st.sampled_from(sorted(FORMS)))
def test_any_string(sent: str, form: str) -> None:
    """No random string that is long enough is left whole in any form."""
    text = FORMS[form](sent.encode(errors="replace").decode())
    sent = sent.encode(errors="replace").decode().strip()
    if len(sent) >= 4 and any(each.isalnum() for each in sent):
        assert text.strip("'\" ") not in redact(f"< {text} >", text=sent)


def test_a_string_that_was_cut() -> None:
    """If a text was cut within a user's string, the start of that string is redacted, too."""
    sent = "I am in no way at it " * 10
    assert redact(f"no: {sent[:40]}{CUT_MARK}", text=sent) == f"no: {REDACTED}{CUT_MARK}"
    assert redact(f"no: {sent[:40]}", text=sent) == f"no: {sent[:40]}"
    assert redact(f"no: I am{CUT_MARK}", text="I go") == f"no: I am{CUT_MARK}"


def test_a_word_that_is_too_long() -> None:
    """A word that is too long for an error's own is always redacted."""
    assert redact(f"no {'x' * MAX_WORD_LENGTH}") == f"no {'x' * MAX_WORD_LENGTH}"
    assert redact(f"no {'x' * (MAX_WORD_LENGTH + 1)} in it") == "no [redacted] in it"


@pytest.mark.parametrize("limit", Limits._fields)
def test_limits(limit: str) -> None:
    """If the search exceeds a limit, everything is redacted."""
    activity = Activity(text="no sesame", value=["no sesa"])
    texts = ["no sesame is in it", "nor here"]
    assert redacted(texts, activity) == ["[redacted] is in it", "nor here"]
    assert redacted(texts, activity, Limits()._replace(**{limit: 1})) == [REDACTED, REDACTED]


def lots(kind: str) -> Any:
    """An activity of about a mebibyte."""
    contents: dict[str, Any] = {
        "one text": "this is what was said again and again " * 27_000,
        "one word": "x" * 1_000_000,
        "words": " ".join(f"w{number:x}" for number in range(150_000)),
        "strings": [f"s{number:x}" for number in range(100_000)],
        "texts": [f"error is {number:x}" for number in range(50_000)],
        "alike": ["a" * 20 + "b" + "a" * number for number in range(1_400)],
    }
    return read_model(Activity, {"type": "message", "value": contents[kind]})


@pytest.mark.parametrize("kind", ["one text", "one word", "words", "strings", "texts", "alike"])
def test_memory(kind: str) -> None:
    """The strings of a large activity are not all in memory at once."""
    activity = lots(kind)
    texts = ["the error is here " * 100, "a" * 60 + " 'x' " + "b" * 60, "w1 w2 w3 a\\nb"]
    tracemalloc.start()
    found = redacted(texts, activity)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000, peak
    assert len(found) == 3


def test_a_large_activity_is_searched_completely() -> None:
    """Words that cross slices of a long string are found, and so are the first and last string."""
    for before in range(CHUNK_LENGTH - 12, CHUNK_LENGTH + 3):
        assert redact("sesame?", text=f"{'.' * before}sesame{'.' * 100_000}") == "[redacted]?"
    value = [f"{number} {'x' * 50}" for number in range(20_000)]
    assert redact("sesame?", value=["open Sesame", *value]) == "[redacted]?"
    assert redact("sesame?", value=[*value, {"open Sesame": 1}]) == "[redacted]?"
