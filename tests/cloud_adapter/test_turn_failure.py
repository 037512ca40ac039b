"""What the log says of a failed turn: where it failed, and nothing that the user said."""

import asyncio
from typing import Any

import pytest
from botbuilder.schema import Activity

from cloud_adapter.turn_failure import failure_story

WITHHELD = "(text withheld: it quotes the user)"


def story(error: BaseException, **said: Any) -> str:
    """The story of an error that is raised here."""
    try:
        raise error  # noqa: TRY301  # to have a trace
    except BaseException as caught:  # noqa: BLE001  # groups with cancellations are among them
        return failure_story(caught, Activity(**said))


def test_the_trace_and_the_text() -> None:
    """The log says in which file and function, and what the error is."""
    told = story(LookupError("no such table: orders"), text="hello")
    assert "test_turn_failure.py" in told
    assert "in story" in told
    assert told.endswith("LookupError: no such table: orders")


# What led to it


def chain(first: Exception, second: Exception, *, explicit: bool) -> BaseException:
    """An error that another one led to."""
    try:
        try:
            raise first  # noqa: TRY301  # the same
        except Exception as error:
            if explicit:
                raise second from error
            raise second  # noqa: B904  # the chain that comes of itself is under test
    except Exception as error:  # noqa: BLE001  # whatever the test gave
        return error


@pytest.mark.parametrize("explicit", [True, False])
def test_causes_come_first(explicit: bool) -> None:
    """The first error is told first, each with its own trace."""
    error = chain(KeyError("a"), RuntimeError("b"), explicit=explicit)
    told = failure_story(error, Activity())
    first, _, second = told.partition("which led to:")
    assert first.rstrip().endswith("KeyError: 'a'")
    assert second.rstrip().endswith("RuntimeError: b")
    assert "in chain" in first
    assert "in chain" in second


def test_what_was_left_out_on_purpose() -> None:
    """`raise ... from None` hides what came before, here too."""
    error = chain(KeyError("a"), RuntimeError("b"), explicit=False)
    error.__suppress_context__ = True
    assert "KeyError" not in failure_story(error, Activity())


def test_an_error_that_is_its_own_cause() -> None:
    """`raise error from error`, which people write, is told once."""
    error = ValueError("x")
    error.__cause__ = error
    assert story(error).count("ValueError: x") == 1


def test_errors_in_a_circle() -> None:
    """Errors that led to one another are told once each."""
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first
    assert failure_story(first, Activity()).count("which led to:") == 1


def test_a_long_chain() -> None:
    """Thousands of errors in a row are told as well."""
    error = ValueError("0")
    for number in range(1, 3000):
        later = ValueError(str(number))
        later.__context__ = error
        error = later
    told = failure_story(error, Activity())
    assert told.startswith("ValueError: 0\n")
    assert told.endswith("ValueError: 2999")


async def test_a_group_of_errors() -> None:
    """Of tasks that failed together each is told, with its trace."""

    async def fail(number: int) -> None:
        raise LookupError(f"task {number}")

    async def fail_together() -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(2):
                tasks.create_task(fail(number))

    with pytest.raises(ExceptionGroup) as caught:
        await fail_together()
    told = failure_story(caught.value, Activity())
    for number in range(2):
        assert f"LookupError: task {number}" in told
    assert "in fail" in told
    assert "ExceptionGroup: unhandled errors" in told.rpartition("which led to:")[2]


# What the user said


@pytest.mark.parametrize(
    ("said", "error"),
    [
        pytest.param({"text": "hello"}, ValueError("cannot parse 'hello'"), id="in quotes"),
        pytest.param({"text": "  hello \n"}, ValueError("hello"), id="spaces around"),
        pytest.param({"text": "Hello World"}, KeyError("hello world"), id="another case"),
        pytest.param({"text": "sesame"}, ValueError("no SESAME"), id="another case in the error"),
        pytest.param({"text": 'it\'s "me"\n'}, KeyError('it\'s "me"\n'), id="escaped"),
        pytest.param({"text": "my word is sesame"}, ValueError("sesame?"), id="one of the words"),
        pytest.param({"text": "pin 42"}, ValueError("no 42"), id="a number"),
        pytest.param({"text": "no"}, ValueError("no"), id="short"),
        pytest.param({"text": "\u4f60\u597d"}, ValueError("\u4f60\u597d"), id="without spaces"),
        pytest.param({"text": "line one\nline two"}, ValueError(["line two"]), id="one line"),
        pytest.param({"value": "sesame"}, ValueError("sesame"), id="value"),
        pytest.param({"value": {"a": [{"b": "sesame"}]}}, ValueError("sesame"), id="inside value"),
        pytest.param({"text": "hi", "value": ["sesame"]}, ValueError("sesame"), id="both"),
    ],
)
def test_a_text_that_quotes_the_user(said: dict[str, Any], error: Exception) -> None:
    """An error's text that holds what the user said, or a word of it, is not logged."""
    assert story(error, **said).endswith(f"\n{type(error).__name__}: {WITHHELD}")


def test_a_cause_that_quotes_the_user() -> None:
    """Each error of a chain is judged by its own text."""
    error = chain(ValueError("bad: sesame"), RuntimeError("no order"), explicit=True)
    told = failure_story(error, Activity(text="sesame"))
    assert "sesame" not in told
    assert f"ValueError: {WITHHELD}" in told
    assert told.endswith("RuntimeError: no order")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"text": ""},
        {"text": "  "},
        {"text": "is it in stock"},
        {"text": "what error type is it"},
        {"value": None},
        {"value": 5},
        {"value": {"ok": [True, None, ""]}},
    ],
)
def test_other_texts_are_told(said: dict[str, Any]) -> None:
    """Little words, and what is no text, do not hide the error."""
    assert story(LookupError("it is in no table"), **said).endswith("it is in no table")


def test_a_value_that_nests_deeply() -> None:
    """However deeply a user's value nests, it is searched, and the story is told."""
    value: Any = "sesame"
    for depth in range(20_000):
        value = [value] if depth % 2 else {"a": value}
    assert story(ValueError("sesame"), value=value).endswith(WITHHELD)


class Broken(Exception):
    """An exception of a bot's own, with a mistake in it."""

    def __str__(self) -> str:
        raise AttributeError("message")


def test_an_error_that_cannot_say_its_text() -> None:
    """Its type and its trace are told."""
    assert story(Broken(), text="hello").endswith("Broken: (it has no text)")
