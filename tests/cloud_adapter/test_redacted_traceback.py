"""The redacted traceback: where and why a turn failed, without what the user sent."""

import asyncio
import sys
from types import ModuleType
from typing import Any

import pytest
from botbuilder.schema import Activity

from cloud_adapter.redaction import (
    HEADER,
    MAX_ERROR_BYTES,
    MAX_ERRORS,
    MAX_FRAMES,
    MAX_TEXT_LENGTH,
    redacted_traceback,
)


def logged(error: BaseException, **sent: Any) -> str:
    """The redacted traceback of an error that is raised here."""
    try:
        raise error  # noqa: TRY301  # so that it has a traceback
    except BaseException as caught:  # noqa: BLE001  # groups with cancellations are among them
        return redacted_traceback(caught, Activity(**sent))


def test_the_traceback_and_the_text() -> None:
    """It names file, function and error."""
    shown = logged(LookupError("no such table: orders"), text="hello")
    assert "test_redacted_traceback.py" in shown
    assert "in logged" in shown
    assert shown.endswith("LookupError: no such table: orders")


def chain(first: Exception, second: Exception, *, explicit: bool) -> BaseException:
    """An error that another one led to."""
    try:
        try:
            raise first  # noqa: TRY301  # the same
        except Exception as error:
            if explicit:
                raise second from error
            raise second  # noqa: B904  # the implicit chain is under test
    except Exception as error:  # noqa: BLE001  # whatever the test gave
        return error


@pytest.mark.parametrize("explicit", [True, False])
def test_causes_come_first(explicit: bool) -> None:
    """The first error comes first; each has its own traceback."""
    error = chain(KeyError("a"), RuntimeError("b"), explicit=explicit)
    shown = redacted_traceback(error, Activity())
    first, _, second = shown.partition("which led to:")
    assert first.rstrip().endswith("KeyError: 'a'")
    assert second.rstrip().endswith("RuntimeError: b")
    assert "in chain" in first
    assert "in chain" in second


def test_a_suppressed_context() -> None:
    """`raise ... from None` hides the context here, too."""
    error = chain(KeyError("a"), RuntimeError("b"), explicit=False)
    error.__suppress_context__ = True
    assert "KeyError" not in redacted_traceback(error, Activity())


def test_an_error_that_is_its_own_cause() -> None:
    """The error in `raise error from error` is shown once."""
    error = ValueError("x")
    error.__cause__ = error
    assert logged(error).count("ValueError: x") == 1


def test_a_cycle_of_errors() -> None:
    """Errors that led to one another are shown once each."""
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first
    assert redacted_traceback(first, Activity()).count("which led to:") == 1


def test_a_long_chain() -> None:
    """The last errors are shown, and the number of the others."""
    error = ValueError("0")
    for number in range(1, 3000):
        later = ValueError(str(number))
        later.__context__ = error
        error = later
    shown = redacted_traceback(error, Activity())
    assert shown.startswith(f"({3000 - MAX_ERRORS} more errors)\nwhich led to:\nValueError: ")
    assert shown.endswith("ValueError: 2998\nwhich led to:\nValueError: 2999")
    assert shown.count("ValueError") == MAX_ERRORS


async def test_a_group_of_errors() -> None:
    """Each error of tasks that failed together is shown, with its own traceback."""

    async def fail(number: int) -> None:
        raise LookupError(f"task {number}")

    async def fail_together() -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(2):
                tasks.create_task(fail(number))

    with pytest.raises(ExceptionGroup) as caught:
        await fail_together()
    shown = redacted_traceback(caught.value, Activity())
    for number in range(2):
        assert f"LookupError: task {number}" in shown
    assert "in fail" in shown
    assert "ExceptionGroup: unhandled errors" in shown.rpartition("which led to:")[2]


class Broken(Exception):
    """An exception of a bot's own, whose text raises."""

    def __str__(self) -> str:
        raise AttributeError("message")


def caught(code: str) -> BaseException:
    """The error of a piece of code."""
    try:
        exec(code, {"__name__": "a_test"})  # noqa: S102  # the code is in this file
    except BaseException as error:  # noqa: BLE001  # whatever it is
        return error
    raise AssertionError("nothing was raised")


def with_notes(error: Exception, notes: Any) -> Exception:
    """An error with notes, or something else in their place."""
    error.__notes__ = notes
    return error


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (caught("int('sesame')"), "for int() with base 10: '[redacted]'"),
        (caught("{}['sesame']"), "KeyError: '[redacted]'"),
        (caught('{}["it\'s sesame\\n"]'), '[redacted]\\n"'),
        (caught("'sesame'.nothing"), "'str' object has no attribute 'nothing'"),
        (caught("open('/nowhere/sesame')"), "No such file or directory: '/nowhere/[redacted]'"),
        (caught("compile('sesame sesame', 'x.py', 'exec')"), "invalid syntax (x.py, line 1)"),
        (caught("compile('x y', 'sesame', 'exec')"), "invalid syntax ([redacted], line 1)"),
        (caught("b'sesame\\xff'.decode()"), "in position 6: invalid start byte"),
        (caught("'\\xe9sesame'.encode('ascii')"), "ordinal not in range(128)"),
        (caught("import sesame"), "ModuleNotFoundError: No module named '[redacted]'"),
        (Broken(), "Broken: (it has no text)"),
        (
            with_notes(ValueError("x"), ["while reading sesame", "in\nit"]),
            "ValueError: x\n    while reading [redacted]\n    in\n    it",
        ),
        (with_notes(ValueError("x"), "no list"), "ValueError: x"),
        (with_notes(ValueError("x"), [Broken()]), "ValueError: (it has no text)"),
        (ValueError(), "ValueError: "),
    ],
)
def test_kinds_of_errors(error: Exception, end: str) -> None:
    """Only the user's words are replaced."""
    shown = logged(error, text="it's sesame\n")
    assert shown.endswith(end)
    assert "sesame" not in shown


def test_each_error_of_a_chain_is_redacted() -> None:
    """A cause may quote the user, too."""
    error = chain(ValueError("bad: sesame"), RuntimeError("no order sesame"), explicit=True)
    shown = redacted_traceback(error, Activity(text="sesame"))
    assert "sesame" not in shown
    assert "ValueError: bad: [redacted]\n" in shown
    assert shown.endswith("RuntimeError: no order [redacted]")


def test_a_developer_s_machine() -> None:
    """Nothing is redacted there."""
    shown = redacted_traceback(ValueError("no sesame"), Activity(text="sesame"), redact=False)
    assert shown == "ValueError: no sesame"


def test_a_text_that_was_cut() -> None:
    """Where a long text is cut, no part of a user's word is left."""
    for more in range(12):
        text = f"no: {'.' * (MAX_TEXT_LENGTH - 10 - more)} secretword and more {'x' * 5000}"
        shown = redacted_traceback(ValueError(text), Activity(text="a secretword"))
        assert "secr" not in shown
        assert shown.startswith("ValueError: no: ....")
    said = "I am in no way at it " * 500
    shown = redacted_traceback(ValueError(f"cannot read {said}"), Activity(text=said))
    assert shown == "ValueError: cannot read [redacted]…"


@pytest.fixture(autouse=True)
def _bot_logic(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot's package, as it is imported in the app."""
    package = ModuleType("bot_logic")
    package.__path__ = ["/app/bot_logic"]
    monkeypatch.setitem(sys.modules, "bot_logic", package)


def raised(file: str, code: str) -> dict[str, Any]:
    """Run code as a module with this file, whatever its name is; returns the module's names."""
    names: dict[str, Any] = {"__name__": "a_module"}
    exec(compile(code, f"/app/{file}.py", "exec"), names)  # noqa: S102  # the same
    return names


def test_the_bots_own_frames_come_first() -> None:
    """The SDK's and the project's frames follow. It is a frame's file that counts."""
    fail = raised("bot_logic/dialogs/orders", "def fail():\n    return {}[1]")["fail"]
    through = raised("bot_logic_sdk", "def through(call):\n    return call()")["through"]
    start = raised("bot_logic/bot", "def start(call, last):\n    return call(last)")["start"]
    with pytest.raises(KeyError) as caught:
        start(through, fail)
    lines = redacted_traceback(caught.value, Activity()).splitlines()
    places = [line.partition(", in ")[2] or line for line in lines if not line.startswith("    ")]
    assert places == [
        "Traceback (most recent call last):",
        "start",
        "fail",
        "Other frames:",
        "test_the_bots_own_frames_come_first",
        "through",
        "KeyError: 1",
    ]


def test_no_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none is imported, the frames are shown in call order."""
    monkeypatch.delitem(sys.modules, "bot_logic")
    fail = raised("bot_logic/orders", "def fail():\n    return {}[1]")["fail"]
    with pytest.raises(KeyError) as caught:
        fail()
    assert redacted_traceback(caught.value, Activity()).startswith(f"{HEADER}  File ")


def test_a_recursion() -> None:
    """Equal frames are shown as one, with their number."""
    deep = raised("bot_logic/deep", "def deep(n):\n    return deep(n - 1) if n else {}[1]")["deep"]
    with pytest.raises(RecursionError) as caught:
        deep(100_000)
    shown = redacted_traceback(caught.value, Activity())
    assert "more times)" in shown
    assert "more frames)" not in shown
    assert "RecursionError: maximum recursion depth exceeded" in shown
    assert len(shown) < 2_000


def test_many_frames() -> None:
    """The frames closest to the error are shown, and the number of the others."""
    code = "\n".join(f"def f{n}(): return f{n + 1}()" for n in range(200))
    module = raised("a_module", f"{code}\ndef f200(): return {{}}[1]")
    with pytest.raises(KeyError) as caught:
        module["f0"]()
    shown = redacted_traceback(caught.value, Activity())
    assert shown.count("  File ") == MAX_FRAMES
    assert shown.startswith(f"{HEADER}  ({202 - MAX_FRAMES} more frames)\n")
    assert "in f200\n" in shown
    assert "in f151\n" in shown
    assert "in f150\n" not in shown


@pytest.mark.parametrize("letter", ["x ", "\n", "\u4f60\u597d ", "\ud83d "])
def test_the_size(letter: str) -> None:
    """However long its names, lines and text are, an error takes MAX_ERROR_BYTES at most."""
    name = "a" * 200
    code = "\n".join(f"def {name}{n}(): return {name}{n + 1}()" for n in range(100))
    fail = f"def {name}100(): raise ValueError({letter!r} * 5000)"
    module = raised("bot_logic/x", f"{code}\n{fail}")
    with pytest.raises(ValueError, match=r"(?s)^.") as caught:
        module[f"{name}0"]()
    shown = redacted_traceback(caught.value, Activity())
    size = len(shown.encode(errors="replace"))
    assert MAX_ERROR_BYTES // 2 < size <= MAX_ERROR_BYTES
    assert "more frames)" in shown
    assert f"\nValueError: {letter}".encode(errors="replace") in shown.encode(errors="replace")
