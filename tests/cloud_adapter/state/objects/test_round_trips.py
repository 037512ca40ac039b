"""Values that are no JSON are read equal, and with the same types."""

import json
from collections import OrderedDict, defaultdict
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from botframework.connector import Channels
from hypothesis import given
from hypothesis import strategies as st

from cloud_adapter.state.stored_state import from_text, to_text
from tests.support.written_bot import WrittenBot

TEXTS = st.text(st.characters(codec=None)) | st.sampled_from(["~", "~type", "~~type", "~value"])
# In whole seconds: Python's fromisoformat reads an offset of a microsecond as none.
OFFSETS = st.integers(-86399, 86399).map(lambda seconds: timezone(timedelta(seconds=seconds)))
ZONES = st.none() | st.just(UTC) | OFFSETS

HASHABLE: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.binary()
    | st.uuids()
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.times(timezones=ZONES)
    | st.datetimes(timezones=ZONES)
    | st.timedeltas(),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=6,
)

VALUES: st.SearchStrategy[Any] = st.recursive(
    HASHABLE | st.binary().map(bytearray),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.sets(HASHABLE, max_size=3)
        | st.dictionaries(TEXTS, inner, max_size=3)
        | st.dictionaries(HASHABLE, inner, max_size=3)
    ),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Whether both are equal, of the same types, and in the same order."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same([*one.items()], [*other.items()])
    if isinstance(one, set | frozenset):
        return len(one) == len(other) and all(any(same(a, b) for b in other) for a in one)
    if isinstance(one, datetime | time):  # `fold` is not kept
        return bool(one == other) and one.utcoffset() == other.utcoffset()
    return repr(one) == repr(other)


@given(VALUES)
def test_values_of_any_kind(value: Any) -> None:
    """As a property, and as an item of their own; what is read is written as before."""
    for item in ({"a": value}, value):
        text = to_text(item)
        assert text.isascii()
        assert same(from_text(text), item)
        assert same(from_text(text.encode()), item)
        assert to_text(from_text(text)) == text


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (datetime(2026, 3, 29, 12, tzinfo=ZoneInfo("Europe/Berlin")), "2026-03-29T12:00:00+02:00"),
        (datetime(2026, 3, 29, 12), "2026-03-29T12:00:00"),  # noqa: DTZ001  # a local time
        (date(1, 1, 1), "0001-01-01"),
        (time(23, 59, 59, 999999), "23:59:59.999999"),
        (Decimal("-0.10"), "-0.10"),
        (Decimal("NaN"), "NaN"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x00\xff", "AP8="),
    ],
)
def test_how_values_are_written(value: object, read: str) -> None:
    """In the form that everybody knows; a time zone is kept as its offset."""
    text = to_text({"a": value})
    assert json.loads(text)[1]["a"]["~value"] == read
    assert type(from_text(text)["a"]) is type(value)
    assert str(from_text(text)["a"]) == str(value)


def test_equal_sets_have_equal_texts() -> None:
    """Whatever was added first, so that an unchanged set is not saved again."""
    numbers = [f"{number}" for number in range(50)]
    assert len({to_text({"a": set(order)}) for order in (numbers, numbers[::-1])}) == 1


def test_keys_that_look_like_tags() -> None:
    """They stay what they are beside objects, too."""
    user = {"~type": "os:system", "~value": ["ls"], "~": 1, "~~type": 2}
    assert from_text(to_text(user)) == user
    assert from_text(to_text({"a": user, "b": (1,)})) == {"a": user, "b": (1,)}


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (defaultdict(list, a=[1]), {"a": [1]}),
        (OrderedDict(a=1), {"a": 1}),
        (HTTPStatus.OK, 200),
        ({HTTPStatus.OK: 1, "b": 2}, {200: 1, "b": 2}),
        ([Channels.ms_teams, {Channels.webchat: 1}], ["msteams", {"webchat": 1}]),
    ],
)
def test_types_that_derive_from_jsons(value: object, read: object) -> None:
    """Those that are not the bot's are read as the type of JSON, as json does it."""
    assert to_text({"a": value}) == to_text({"a": read})
    assert same(from_text(to_text({"a": value}))["a"], read)
    assert same(from_text(to_text({"a": [value, {1}]}))["a"], [read, {1}])


CLASSES = """
    import enum
    from abc import ABC, abstractmethod
    from dataclasses import InitVar, dataclass, field
    from functools import cached_property
    from typing import ClassVar, Generic, NamedTuple, TypeVar
    from botbuilder.dialogs.prompts import PromptOptions
    from botbuilder.schema import Activity

    T = TypeVar("T")

    class Plain:
        def __init__(self, *values):
            self.values = values
            self._private = {"a": self.values}
            self.__hidden = 1
        def __eq__(self, other):
            return type(self) is type(other) and vars(self) == vars(other)

    class Base:
        __slots__ = ("one", "__hidden", "empty")
        def __init__(self):
            self.one, self.__hidden = 1, 2
        def state(self):
            return self.one, self.__hidden
        def __eq__(self, other):
            return type(self) is type(other) and self.state() == other.state()

    class Slots(Base):
        __slots__ = ("two",)
        def __init__(self):
            super().__init__()
            self.two = [self.one]
        def state(self):
            return super().state(), self.two

    class Both(Slots):
        def __init__(self):
            super().__init__()
            self.three = 3
        def state(self):
            return super().state(), self.three

    @dataclass
    class Data:
        name: str
        inner: "Data | None" = None
        tags: set = field(default_factory=set)
        limit: ClassVar[int] = 5
        start: InitVar[int] = 3
        derived: int = field(init=False)
        def __post_init__(self, start):
            self.derived = start
        @cached_property
        def upper(self):
            return self.name.upper()

    @dataclass(frozen=True)
    class Frozen:
        x: int
        y: float = 1.5

    @dataclass(frozen=True, slots=True)
    class FrozenSlots:
        x: int
        y: tuple = ()

    class SubData(Data):
        def __init__(self):
            super().__init__("sub")
            self.more = [1]

    class Point(NamedTuple):
        x: int
        y: int = 2

    class Named(Point):
        def __init__(self, *_):
            self.label = "p"

    class Color(enum.Enum):
        RED = (255, 0, 0)
        CRIMSON = RED
        BLUE = (0, 0, 255)

    class Mood(str, enum.Enum):
        GOOD = "good"

    class Rank(enum.IntEnum):
        LOW = 1

    class Word(enum.StrEnum):
        HI = enum.auto()

    class Can(enum.Flag):
        READ = 1
        WRITE = 2
        ALL = 3

    class Bits(enum.IntFlag):
        A = 1
        B = 4

    class Bag(dict):
        def __init__(self, *args):
            super().__init__(*args)
            self.owner = "me"

    class Row(list):
        __slots__ = ("size",)

    class Keys(frozenset): pass
    class Crowd(set): pass
    class Path(tuple): pass
    class Name(str): pass
    class Count(int): pass
    class Share(float): pass

    class Shape(ABC):
        @abstractmethod
        def area(self): ...

    class Square(Shape):
        def area(self): return 1
        def __eq__(self, other): return type(other) is Square

    class Box(Generic[T]):
        def __init__(self, item): self.item = item
        def __eq__(self, other): return self.item == other.item

    class Options(PromptOptions):
        def __eq__(self, other): return vars(self) == vars(other)

    class Note(Activity): pass
    """


def attributes(value: Any) -> dict[str, Any]:
    """An object's attributes, but for what Python sets for type checkers."""
    found = dict(getattr(value, "__dict__", {}))
    found.pop("__orig_class__", None)
    return found


@pytest.mark.parametrize(
    "source",
    [
        "Plain(1, (2,), Plain())",
        "Slots()",
        "Both()",
        "Data('a', Data('b', tags={1}), start=4)",
        "SubData()",
        "Frozen(1)",
        "FrozenSlots(1, (2,))",
        "{Frozen(1): 'a', FrozenSlots(2): 'b', Point(1): 'c'}",
        "{Frozen(1), Color.RED, Name('x')}",
        "Point(1)",
        "[Named(1, 2), Named(3)]",
        "[Color.RED, Color.CRIMSON, Mood.GOOD, Rank.LOW, Word.HI]",
        "{Color.RED: 1, Mood.GOOD: 2}",
        "{Mood.GOOD: 2}",
        "[Can.READ, Can.READ | Can.WRITE, Can(0), Bits.A | Bits.B, Bits(0), Bits(8), ~Bits.A]",
        "Bag({'a': 1, 2: 'b'})",
        "Row([1, Row()])",
        "[Keys('a'), Crowd('a'), Path('ab'), Name('ab'), Count(3), Share(1.5)]",
        "Square()",
        "Box[int](1)",
        "Options(number_of_attempts=3)",
        "Note(type='message', text='x')",
    ],
)
def test_objects_of_the_bots_classes(bot: WrittenBot, source: str) -> None:
    """Equal, of the same types, with all attributes."""
    bot.load({"models.py": CLASSES})
    value = eval(source, vars(bot.module("models")))  # noqa: S307  # the test's own
    text = to_text({"a": value})
    read = from_text(text)["a"]
    assert type(read) is type(value)
    assert read == value
    assert attributes(read) == attributes(value)
    if isinstance(value, list | dict | set):
        assert sorted(map(repr, map(type, read))) == sorted(map(repr, map(type, value)))
    assert to_text(from_text(text)) == text


def test_an_object_in_two_places(bot: WrittenBot) -> None:
    """It is written twice, and read as two."""
    bot.load({"models.py": CLASSES})
    shared = bot.module("models").Plain()
    read = from_text(to_text({"a": shared, "b": [shared, shared]}))
    assert read["a"] == read["b"][0] == read["b"][1] == shared
    assert read["a"] is not read["b"][0]
