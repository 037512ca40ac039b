"""What state cannot hold is refused when it is written: with its path, and what to do instead."""

import asyncio
import threading
from pathlib import PurePosixPath
from typing import Any

import pytest

from cloud_adapter.state.stored_state import from_text, to_text
from tests.support.written_bot import WrittenBot

CLASSES = """
    import asyncio, logging, threading
    from dataclasses import dataclass

    class Holder:
        def __init__(self, value=None):
            self.value = value

    @dataclass(slots=True)
    class Slots:
        value: object

    class Problem(Exception): pass
    class Meta(type): pass
    class Worker(threading.local): pass
    class Finalizer:
        def __del__(self): pass
    class Own:
        __dict__ = property(lambda self: {})
    class Dunder:
        def __init__(self):
            self.__wrapped__ = 1
    """


@pytest.fixture
def models(bot: WrittenBot) -> Any:
    """The bot's models."""
    bot.load({"models.py": CLASSES})
    return bot.module("models")


async def coroutine() -> None:
    """Waits for nothing."""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (print, "is a builtin_function_or_method, which state cannot hold: store its name"),
        (pytest.fixture, "is a function, which state cannot hold: store its name"),
        (pytest, "is a module, which state cannot hold: store its name"),
        (int, "is a type, which state cannot hold: store its name"),
        (ValueError("x"), "is a ValueError, which state cannot hold: store its data, or an object"),
        (threading.Lock(), "is a lock, which state cannot hold: store its data, or an object of a"),
        (
            PurePosixPath(),
            "is a PurePosixPath, which state cannot hold: store its data, or an object",
        ),
        (1j, "is a complex, which state cannot hold: store its data, or an object of a class"),
        (float("nan"), "is nan, which has no JSON form"),
        (10**5000, "is a number with more digits than Python can read back"),
    ],
    ids=range(10),
)
def test_values_in_objects(models: Any, value: object, text: str) -> None:
    """The path names attributes, but not keys and items, which may be a user's."""
    holder = models.Slots([models.Holder({"user": value})])
    with pytest.raises((TypeError, ValueError)) as refused:
        to_text({"a": holder})
    assert str(refused.value).startswith(f"state.a.value[].value{{}} {text}")


def test_coroutines() -> None:
    """A forgotten `await` is the usual cause."""
    forgotten = coroutine()
    with pytest.raises(
        TypeError, match=r"^state\.a is a coroutine, .*: await it, and store the re"
    ):
        to_text({"a": forgotten})
    asyncio.run(forgotten)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Problem()", "is of a class that holds more than attributes: store its data instead"),
        ("Worker()", "is of a class that holds more than attributes: store its data instead"),
        ("Meta('x', (), {})", "is of a class that holds more than attributes: store its data in"),
        ("Finalizer()", "is of a class with a __del__, which would run: store its data instead"),
        ("Own()", "is of a class that defines __dict__ itself: store its data instead"),
        ("Dunder()", "has the attribute __wrapped__: state cannot hold such names"),
    ],
)
def test_objects_of_the_bots_classes(models: Any, source: str, text: str) -> None:
    """Objects that could not be read again are refused."""
    with pytest.raises(TypeError) as refused:
        to_text({"a": [eval(source, vars(models))]})  # noqa: S307  # the test's own
    assert str(refused.value).startswith(f"state.a[] {text}")


def test_an_object_that_contains_itself(models: Any) -> None:
    """It is refused with its path; so is one that is its own key's value."""
    holder = models.Holder()
    holder.value = {"x": (holder,)}
    with pytest.raises(
        ValueError, match=r"^state\.a\.value{}\[\] contains itself: store a name or"
    ):
        to_text({"a": holder})


@pytest.mark.parametrize(
    "wrap",
    ["{1: value}", "(value,)", "{'k': value}", "Holder(value)", "Slots({1: [value]})"],
)
def test_what_is_written_can_be_read(models: Any, wrap: str) -> None:
    """At every depth that is written, whatever it is that nests."""
    value: Any = {1}
    for _ in range(300):
        try:
            text = to_text({"a": value})
        except ValueError as error:
            assert "nests too deeply" in str(error)  # noqa: PT017  # any number of levels will do
            break
        assert to_text(from_text(text)) == text
        value = eval(wrap, vars(models), {"value": value})  # noqa: S307  # the test's own
    else:
        pytest.fail("the limit was never reached")


def test_deep_nesting_in_a_deep_stack(models: Any) -> None:
    """Refused, too, where Python's stack is almost used up."""
    value: Any = None
    for _ in range(190):
        value = models.Holder(value)

    def deeper(levels: int) -> None:
        if levels:
            deeper(levels - 1)
        else:
            to_text({"a": value})

    with pytest.raises(ValueError, match="nests too deeply"):
        deeper(700)
