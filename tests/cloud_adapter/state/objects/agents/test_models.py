"""Models of pydantic that the bot defines: they equal what was written, and dump the same."""

import json
from typing import Any

import pytest

from cloud_adapter.errors import UnreadableState
from cloud_adapter.state.stored_state import from_text, to_text
from tests.support.written_bot import WrittenBot

MODELS = """
    from datetime import date
    from decimal import Decimal
    from enum import Enum
    from functools import cached_property
    from typing import Annotated, Any, Generic, TypeVar
    from microsoft_agents.activity import Activity, ChannelId
    from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, RootModel
    from pydantic.dataclasses import dataclass

    class Size(Enum):
        SMALL = 1

    class Address(BaseModel):
        model_config = ConfigDict(frozen=True)
        town: str = "Bonn"

    class Person(BaseModel):
        name: str
        nick: str | None = None
        born: date | None = None
        size: Size = Size.SMALL
        home: Address = Address()
        tags: list[str] = []
        notes: Annotated[dict[str, Any], Field(alias="n", default_factory=dict)]
        _seen: int = PrivateAttr(default=0)
        _log: list = PrivateAttr(default_factory=list)
        @cached_property
        def upper(self):
            return self.name.upper()

    class Worker(Person):
        boss: "Person | None" = None

    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        x: int = 1

    class Names(RootModel[list[str]]): pass

    T = TypeVar("T")
    class Box(BaseModel, Generic[T]):
        item: T
    class NumberBox(Box[Decimal]): pass

    class Note(Activity):
        rank: int = 3

    class Slow(BaseModel):
        later: "Later | None" = None
        names: "Annotated[list[Later], Field(default_factory=list)]"
    class Later(BaseModel): pass

    class Empty(BaseModel):
        @cached_property
        def one(self):
            return 1

    @dataclass
    class Data:
        x: int
        tags: list[str] = Field(default_factory=list)

    def changed(value, **attributes):
        for name, item in attributes.items():
            setattr(value, name, item)
        return value
    """


def reread(value: Any) -> Any:
    """A property, stored and read."""
    return from_text(to_text({"a": value}))["a"]


@pytest.mark.parametrize(
    "source",
    [
        "Person(name='Ada')",
        "Person(name='Ada', nick=None, home=Address(town='Ulm'), n={'~type': (1,)})",
        "changed(Person(name='Ada'), nick=None, _seen=2, _log=[date(2026, 1, 1)])",
        "Worker(name='Bo', boss=Worker(name='Cy', tags=['x']))",
        "Person.model_construct(name=Decimal(1))",
        "Person.model_construct()",
        "Person.model_construct(_fields_set={'tags'}, name='Ada')",
        "Open(x=2, y={'z': [1]}, _under=Size.SMALL)",
        "Open()",
        "changed(Open(), other=Open(y=None))",
        "Names(['a', 'b'])",
        "NumberBox(item='1.50')",
        "Note(type='message', channel_id='msteams:copilot', text='x')",
        "Slow(names=[Later()])",
        "Empty()",
        "{Address(): 1}",
        "[Data(1), Data('2', tags=['x'])]",
    ],
)
def test_models(bot: WrittenBot, source: str) -> None:
    """Equal in all that pydantic compares, dumps and copies; their text does not change."""
    bot.load({"models.py": MODELS})
    value = eval(source, vars(bot.module("models")))  # noqa: S307  # the test's own
    read = reread(value)
    assert type(read) is type(value)
    assert read == value
    assert repr(read) == repr(value)
    assert to_text({"a": read}) == to_text({"a": value})
    if hasattr(value, "model_dump"):
        assert vars(read) == vars(value)
        assert [*vars(read)] == [*vars(value)]
        assert read.model_fields_set == value.model_fields_set
        assert (read.model_extra, read.__pydantic_private__) == (
            value.model_extra,
            value.__pydantic_private__,
        )
        for options in ({}, {"exclude_unset": True}, {"by_alias": True, "mode": "json"}):
            assert read.model_dump(warnings=False, **options) == value.model_dump(
                warnings=False, **options
            )
        assert read.model_copy(deep=True) == value


def test_a_model_goes_on(bot: WrittenBot) -> None:
    """What is read can be changed and validated as any model."""
    bot.load({"models.py": MODELS})
    models = bot.module("models")
    person = models.Person(name="Ada")
    assert person.upper == "ADA"
    read = reread(person)
    assert read.upper == "ADA"
    read.tags.append("x")
    read.nick = "a"
    assert read.model_fields_set == {"name", "nick"}
    assert models.Person.model_validate(read.model_dump(by_alias=True)) == read
    assert reread(person).tags == []
    empty = models.Empty()
    assert empty.one == 1
    assert vars(reread(empty)) == vars(empty) == {"one": 1}


HEAD = (
    "from pydantic import BaseModel, ConfigDict, Field, PrivateAttr\nclass Sub(BaseModel): pass\n"
)
PERSON = f"{HEAD}class Person(BaseModel):\n    name: str = 'x'\n    age: int = 0"


def changed(bot: WrittenBot, after: str, source: str = "Person(name='Ada', age=36)") -> Any:
    """A model that was stored by one version of models.py, as the next version reads it."""
    bot.load({"models.py": PERSON})
    text = to_text({"a": eval(source, vars(bot.module("models")))})  # noqa: S307  # the test's own
    bot.load({"models.py": after})
    bot.module("models")
    return from_text(text)["a"]


def test_a_class_with_other_fields(bot: WrittenBot, caplog: pytest.LogCaptureFixture) -> None:
    """As of a dataclass: lost fields are dropped, new ones have their defaults, in their order."""
    after = (
        f"{HEAD}class Person(BaseModel):\n    model_config = ConfigDict(extra='allow')\n"
        "    tags: list[list[str]] = [['a']]\n    name: str\n    more: dict = Field(default_factory"
        "=dict)\n    nick: str | None = None\n    _seen: set = PrivateAttr(default_factory=set)"
    )
    person = changed(bot, after)
    assert repr(person) == "Person(tags=[['a']], name='Ada', more={}, nick=None)"
    assert (person.model_fields_set, person.model_extra, person._seen) == ({"name"}, {}, set())
    assert caplog.text.count("have the attribute 'age', which their class no longer has") == 1
    text = '["~typed",{"a":{"~type":"bot:models:Person","__pydantic_fields_set__":{"~type":"set",'
    one, other = (from_text(f'{text}"~value":[]}}}}}}]')["a"] for _ in range(2))
    one.tags[0].append("b")
    assert other.tags == [["a"]]


@pytest.mark.parametrize(
    "default", ["Field(default_factory=lambda: 1 / 0)", "Sub()", "[Sub()]", "{'a': Sub()}"]
)
def test_a_default_that_only_the_bot_could_make(
    bot: WrittenBot, default: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not made, and no object is shared; the log says what to do."""
    person = changed(bot, f"{PERSON}\n    rank: object = {default}")
    assert not hasattr(person, "rank")
    assert "lack the field rank, and its default is not made" in caplog.text


def test_a_class_that_is_gone(bot: WrittenBot) -> None:
    """A stand-in is written as it was."""
    stand_in = changed(bot, "", "Person(age=36)")
    assert stand_in.age == 36
    text = to_text({"a": stand_in})
    bot.load({"models.py": PERSON})
    person = bot.module("models").Person(age=36)
    assert from_text(text)["a"] == person
    assert from_text(text)["a"].model_fields_set == {"age"}


def test_fields_that_are_not_set_are_not_stored(bot: WrittenBot) -> None:
    """If they are None: an activity has forty of them."""
    bot.load({"models.py": MODELS})
    note = bot.module("models").Note(type="message", text=None)
    assert json.loads(to_text({"a": note}))[1]["a"] == {
        "~type": "bot:models:Note",
        "__pydantic_fields_set__": {"~type": "set", "~value": ["text", "type"]},
        "type": "message",
        "text": None,
        "rank": 3,
    }


def test_the_order_of_fields(bot: WrittenBot) -> None:
    """Whatever was assigned first, so that a model that is read is not saved again."""
    bot.load({"models.py": MODELS})
    person = bot.module("models").Person.model_construct()
    person.name = "Ada"
    assert next(iter(vars(person))) != "name"
    text = to_text({"a": person})
    assert to_text(from_text(text)) == text
    assert next(iter(vars(from_text(text)["a"]))) == "name"


def test_what_a_model_must_not_hold(bot: WrittenBot) -> None:
    """It is refused with its place, as in every object."""
    bot.load({"models.py": MODELS})
    models = bot.module("models")
    with pytest.raises(TypeError, match=r"^state\.a\.notes\{\} is a function, which state cannot"):
        to_text({"a": models.Person(name="x", n={"a": reread})})
    with pytest.raises(TypeError, match=r"^state\.a is a Box\[int\], but its module has no such"):
        to_text({"a": models.Box[int](item=1)})
    with pytest.raises(UnreadableState, match=r"^state\.a is not written as a model of pydantic"):
        from_text('["~typed",{"a":{"~type":"bot:models:Person","name":"Ada"}}]')
