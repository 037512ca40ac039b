"""The bot's own classes: found by their file, however they were imported, and nothing else is."""

import json
import sys
from types import ModuleType
from typing import Any

import pytest

from cloud_adapter.errors import UnreadableState
from cloud_adapter.state.stored_state import from_text, to_text
from tests.support.written_bot import WrittenBot

MODELS = """
    import os, subprocess
    from dataclasses import dataclass, field
    from pathlib import Path
    from botbuilder.schema import Activity

    class Profile:
        class Address:
            def __init__(self, town):
                self.town = town

        def __init__(self, name):
            self.name = name
            self.address = self.Address("Bonn")
    """


def typed(tag: object, **rest: Any) -> str:
    """A stored item, with an object in its property `a`."""
    return json.dumps(["~typed", {"a": {"~type": tag, **rest}}])


def tag_of(text: str) -> str:
    """The tag of the object in the property `a`."""
    tag: str = json.loads(text)[1]["a"]["~type"]
    return tag


@pytest.mark.parametrize("one", ["models.user", "bot_logic.models.user"])
@pytest.mark.parametrize("other", ["models.user", "bot_logic.models.user"])
def test_both_ways_to_import_a_module(bot: WrittenBot, one: str, other: str) -> None:
    """A class has one tag, so what was written after one import is read after the other."""
    bot.load({"models/__init__.py": "", "models/user.py": MODELS})
    text = to_text({"a": bot.module(one).Profile("Ada")})
    assert tag_of(text) == "bot:models.user:Profile"
    bot.load({"models/__init__.py": "", "models/user.py": MODELS})
    kind = bot.module(other).Profile
    profile = from_text(text)["a"]
    assert type(profile) is kind
    assert type(profile.address) is kind.Address
    assert (profile.name, profile.address.town) == ("Ada", "Bonn")


def test_classes_of_packages(bot: WrittenBot) -> None:
    """Classes in an `__init__.py`, the bot's own among them."""
    source = "class Profile: pass"
    bot.load({"__init__.py": source, "models/__init__.py": source})
    for module, tag in {"bot_logic": "bot::Profile", "models": "bot:models:Profile"}.items():
        profile = bot.module(module).Profile()
        text = to_text({"a": profile})
        assert tag_of(text) == tag
        assert type(from_text(text)["a"]) is type(profile)


def test_a_module_that_was_imported_twice(
    bot: WrittenBot, caplog: pytest.LogCaptureFixture
) -> None:
    """Python has two classes: the one that is written is read, and the log warns."""
    bot.load({"models.py": MODELS})
    for name in ("models", "bot_logic.models"):
        written = bot.module(name).Profile("Ada")
        assert type(from_text(to_text({"a": written}))["a"]) is type(written)
    assert "imported a module twice" in caplog.text


@pytest.mark.parametrize(
    "name",
    [
        "models:os",
        "models:subprocess",
        "models:Path",
        "models:Activity",
        "models:dataclass",
        "models:field",
        "models:Profile.__init__",
        "models:Profile.__class__",
        "models:__builtins__",
        "models:Profile.__init__.__globals__",
        "os:system",
        "os.path:join",
        "builtins:eval",
        "subprocess:Popen",
        "cloud_adapter.state.stored_state:to_text",
        "auth.errors:BotError",
        "bot_logic:os",
        "..models:Profile",
        "models:Profile:Address",
        "models/../os:system",
        "models:",
        ":",
        "",
        "models",
        "models:Profile\n",
        "models:Profile" + "x" * 1000,
    ],
)
def test_names_that_are_not_the_bots_classes(bot: WrittenBot, name: str) -> None:
    """Functions, modules, and classes that the bot's module imports from elsewhere, are refused."""
    bot.load({"models.py": MODELS})
    bot.module("models")
    with pytest.raises(UnreadableState, match=r"^state\.a ") as refused:
        from_text(typed(f"bot:{name}"))
    assert len(str(refused.value)) < 500


def test_a_name_in_a_class_that_is_no_class_of_the_bot(bot: WrittenBot) -> None:
    """The same holds for names within a class."""
    bot.load(
        {"models.py": "import os\nclass Profile:\n    system = os.system\n    path = os.PathLike"}
    )
    bot.module("models")
    for name in ("system", "path"):
        with pytest.raises(UnreadableState, match=r"^state\.a "):
            from_text(typed(f"bot:models:Profile.{name}"))


def test_a_module_that_is_not_imported(bot: WrittenBot) -> None:
    """Reading imports nothing; the text says what to import."""
    bot.load({"models.py": "raise SystemExit('imported')"})
    with pytest.raises(UnreadableState, match="models, which is not imported: import it in bot_"):
        from_text(typed("bot:models:Profile"))


class Lazy(ModuleType):
    """A module whose code runs when it is asked for anything."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)


class Stranger:
    """What a program may have put in place of a module."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)


@pytest.mark.parametrize("kind", [Lazy, Stranger])
def test_a_module_whose_code_would_run(
    bot: WrittenBot, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not asked for anything."""
    bot.load({})
    text = typed("bot:models:Profile")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "models", kind("models") if kind is Lazy else kind())
        with pytest.raises(UnreadableState, match="is not in the bot's folder"):
            from_text(text)


def test_classes_that_could_not_be_found_again(bot: WrittenBot) -> None:
    """They are refused when they are written, with the cure."""
    bot.load(
        {
            "models.py": """
                def local():
                    class Local: pass
                    return Local()
                Named = type("Other", (), {})
                class Twin: pass
                First = Twin
                class Twin: pass
                """
        }
    )
    models = bot.module("models")
    with pytest.raises(TypeError, match=r"^state\.a is a .*Local, .*: define it at the top level"):
        to_text({"a": models.local()})
    for name in ("Named", "First"):
        kind = getattr(models, name)
        text = f"^state.a is a {kind.__name__}, .*: define .* under its own name"
        with pytest.raises(TypeError, match=text):
            to_text({"a": kind()})
    assert type(from_text(to_text({"a": models.Twin()}))["a"]) is models.Twin


@pytest.mark.parametrize("folder", [".venv/lib/site-packages/x", "lib/python3.13/x"])
def test_packages_in_the_bots_folder(
    bot: WrittenBot, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virtual environment in the folder is not the bot."""
    bot.load({f"{folder}/library.py": "class Thing: pass"})
    monkeypatch.syspath_prepend(bot.folder / folder)
    thing = bot.module("library").Thing()
    with pytest.raises(TypeError, match=r"^state\.a is a Thing, which state cannot hold"):
        to_text({"a": thing})


def test_several_bots_one_after_the_other(bot: WrittenBot) -> None:
    """The classes of the first are not read any more, nor those of a bot that is gone."""
    bot.load({"models.py": "class Profile: kind = 'first'"})
    text = to_text({"a": bot.module("models").Profile()})
    bot.load({"models.py": "class Profile: kind = 'second'"})
    bot.module("models")
    assert from_text(text)["a"].kind == "second"
    bot.unload()
    with pytest.raises(UnreadableState):
        from_text(text)
