"""Classes that were changed since their objects were stored: they are read as far as possible."""

import copy
from typing import Any

import pytest

from cloud_adapter.errors import UnreadableState
from cloud_adapter.state.stored_state import from_text, to_text
from tests.support.written_bot import WrittenBot

DATACLASS = "from dataclasses import dataclass, field\n@dataclass{}\nclass Profile:\n    "
PROFILE = 'Profile(name="Ada", age=36)'


def reread(bot: WrittenBot, before: str, after: str, value: str = PROFILE) -> Any:
    """An object that was stored by one version of models.py, as the next version reads it."""
    bot.load({"models.py": before})
    text = to_text({"a": eval(value, vars(bot.module("models")))})  # noqa: S307  # the test's own
    bot.load({"models.py": after})
    bot.module("models")
    return from_text(text)["a"]


PLAIN = "class Profile:\n    def __init__(self, **values):\n        vars(self).update(values)\n"
NAMED = "from typing import NamedTuple\nclass Profile(NamedTuple):\n    "
SLOTS = "(slots=True)"


@pytest.mark.parametrize("options", ["", SLOTS, "(frozen=True)", "(frozen=True, slots=True)"])
def test_a_dataclass(bot: WrittenBot, options: str, caplog: pytest.LogCaptureFixture) -> None:
    """Fields that it lost are dropped, with one line of the log; those it gained have defaults."""
    head = DATACLASS.format(options)
    profile = reread(
        bot,
        f"{head}name: str\n    age: int",
        f"{head}name: str\n    town: str = 'Bonn'\n    tags: list = field(default_factory=list)",
    )
    assert repr(profile) == "Profile(name='Ada', town='Bonn', tags=[])"
    assert not hasattr(profile, "age")
    assert caplog.text.count("have the attribute 'age', which their class no longer has") == 1


def test_a_default_that_only_the_bot_could_make(
    bot: WrittenBot, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not made, because no code of the bot runs; the log says what to do."""
    head = DATACLASS.format("")
    profile = reread(
        bot,
        f"{head}name: str\n    age: int",
        f"{head}name: str\n    age: int\n    rank: int = field(default_factory=lambda: 1 / 0)",
    )
    assert profile.name == "Ada"
    assert not hasattr(profile, "rank")
    assert "lack the field rank" in caplog.text


def test_a_named_tuple(bot: WrittenBot) -> None:
    """The same holds for a NamedTuple."""
    profile = reread(
        bot,
        f"{NAMED}name: str\n    age: int",
        f"{NAMED}town: str = 'Bonn'\n    name: str = ''",
    )
    assert repr(profile) == "Profile(town='Bonn', name='Ada')"


def test_a_named_tuple_without_a_default(bot: WrittenBot) -> None:
    """It cannot exist without its field."""
    with pytest.raises(UnreadableState, match=r"^state\.a lacks the field town: give it a default"):
        reread(bot, f"{NAMED}name: str\n    age: int", f"{NAMED}name: str\n    town: str")


def test_a_plain_class(bot: WrittenBot) -> None:
    """Its attributes are kept; those it gained are the class's."""
    profile = reread(bot, PLAIN, f"{PLAIN}    town = 'Bonn'")
    assert (vars(profile), profile.town) == ({"name": "Ada", "age": 36}, "Bonn")


def test_a_class_with_slots(bot: WrittenBot, caplog: pytest.LogCaptureFixture) -> None:
    """What has no slot any more is dropped; a new slot is empty."""
    profile = reread(bot, PLAIN, "class Profile:\n    __slots__ = ('name', 'town')")
    assert profile.name == "Ada"
    assert not hasattr(profile, "town")
    assert not hasattr(profile, "age")
    assert "have the attribute 'age'" in caplog.text


def test_attributes_that_are_no_fields(bot: WrittenBot) -> None:
    """What a dataclass sets beside its fields is neither lost nor taken for a lost field."""
    source = f"{DATACLASS.format('')}name: str\n    age: int"
    bot.load({"models.py": source})
    profile = bot.module("models").Profile("Ada", 36)
    profile.cache = {"x": 1}
    assert vars(from_text(to_text({"a": profile}))["a"]) == vars(profile)


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        (PLAIN, PROFILE, ""),
        (PLAIN, PROFILE, "class User: pass"),
        (DATACLASS.format("") + "name: str\n    age: int", PROFILE, ""),
        (DATACLASS.format(SLOTS) + "name: str\n    age: int", PROFILE, ""),
        (NAMED + "name: str\n    age: int", PROFILE, ""),
    ],
)
def test_a_class_that_is_gone(bot: WrittenBot, before: str, value: str, after: str) -> None:
    """A stand-in has its attributes, and is written as it was."""
    stand_in = reread(bot, before, after, value)
    assert (stand_in.name, stand_in.age) == ("Ada", 36)
    assert repr(stand_in) == "<stand-in for bot:models:Profile>"
    stand_in.age += 1
    text = to_text({"a": copy.deepcopy(stand_in)})
    bot.load({"models.py": before})
    profile = bot.module("models").Profile
    assert type(from_text(text)["a"]) is profile
    assert (from_text(text)["a"].name, from_text(text)["a"].age) == ("Ada", 37)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("import enum\nclass Color(enum.Enum): RED = 1", "Color.RED"),
        ("class Bag(dict): pass", "Bag(a=1)"),
        ("class Row(list): pass", "Row([1, 2])"),
    ],
)
def test_values_whose_class_is_gone(bot: WrittenBot, source: str, value: str) -> None:
    """They are written as they were."""
    stand_in = reread(bot, source, "", value)
    text = to_text({"a": stand_in})
    bot.load({"models.py": source})
    bot.module("models")
    assert from_text(text)["a"] == eval(value, vars(bot.module("models")))  # noqa: S307


def test_the_log_of_a_class_that_is_gone(bot: WrittenBot, caplog: pytest.LogCaptureFixture) -> None:
    """It says what to do, once."""
    bot.load({})
    for _ in range(3):
        from_text('["~typed",{"a":{"~type":"bot:gone:Profile"}}]')
    [line] = caplog.messages
    assert line == (
        "State holds objects of bot:gone:Profile, which bot_logic does not have: their attributes"
        " can be read, and are kept. If the class was renamed or moved, also assign it to its old"
        " name in its old module"
    )


def test_the_cure_for_a_renamed_class(bot: WrittenBot) -> None:
    """An alias in the old module: objects are read as the new class, and written under its name."""
    bot.load({"models.py": PLAIN})
    text = to_text({"a": bot.module("models").Profile(name="Ada")})
    bot.load(
        {
            "models.py": "from users import User as Profile",
            "users.py": PLAIN.replace("Profile", "User"),
        }
    )
    bot.module("models")
    user = from_text(text)["a"]
    assert type(user) is bot.module("users").User
    assert '"bot:users:User"' in to_text({"a": user})


def test_a_member_that_an_enum_lost(bot: WrittenBot) -> None:
    """It is refused: nothing could stand in for it."""
    head = "import enum\nclass Color(enum.Enum):\n    "
    with pytest.raises(UnreadableState, match=r"^state\.a names 'RED', .*: keep .* old name as"):
        reread(bot, f"{head}RED = 1", f"{head}BLUE = 1", "Color.RED")
    assert reread(bot, f"{head}RED = 1", f"{head}BLUE = 1\n    RED = 1", "Color.RED").name == "BLUE"
